"""What every processor promises, whatever it is about. Rooms register in providers/; nobody is listed here."""

from __future__ import annotations

import copy
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from contract.case import Case

from processors.stream.types import Inbound, Outbound, Outcome, Write


def found() -> Iterator[Case]:
    for path in sorted(Path(__file__).with_name("providers").glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"contract.providers.{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield from module.cases()


CASES = list(found())
every_processor = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
State = Mapping[int, Mapping[str, Any]]


def handle(case: Case, batch: Sequence[Inbound], state: State | None = None) -> Outcome:
    return case.processor().handle(batch, case.view(state))


def after(state: State, writes: Sequence[Write]) -> State:
    """The state once these writes are committed."""
    moved = {partition: dict(keys) for partition, keys in state.items()}
    for partition, key, value in writes:
        if value is None:
            moved.setdefault(partition, {}).pop(key, None)
        else:
            moved.setdefault(partition, {})[key] = value
    return moved


def facts(outcome: Outcome) -> tuple[list[Outbound], list[Write], list[tuple[int, str]]]:
    return outcome.outputs, outcome.writes, [(r.record.offset, r.reason) for r in outcome.rejects]


def test_there_is_somebody_to_test() -> None:
    """A provider that is not found would make every promise hold."""
    providers = list(Path(__file__).with_name("providers").glob("*.py"))

    assert len(CASES) >= len(providers) >= 1
    assert len({case.name for case in CASES}) == len(CASES)


@every_processor
def test_typical_records_are_answered(case: Case) -> None:
    """A case whose records lead to nothing would prove nothing."""
    outcome = handle(case, case.records)

    assert not outcome.rejects
    assert outcome.outputs or outcome.writes


@every_processor
def test_the_same_batch_twice_has_the_same_outcome(case: Case) -> None:
    """After an abort the loop hands the batch in again, to the same processor and maybe to another one."""
    processor = case.processor()
    first = processor.handle(case.records, case.view())

    assert facts(processor.handle(case.records, case.view())) == facts(first)
    assert facts(handle(case, case.records)) == facts(first)


@every_processor
def test_a_batch_cut_in_two_has_the_same_outcome(case: Case) -> None:
    """Where a batch ends is chance, so nothing may depend on it: at every cut."""
    whole = handle(case, case.records)
    for cut in range(1, len(case.records)):
        first = handle(case, case.records[:cut])
        second = handle(case, case.records[cut:], after(case.state, first.writes))

        assert first.outputs + second.outputs == whole.outputs
        assert first.writes + second.writes == whole.writes


@every_processor
def test_an_unreadable_record_is_one_reject_and_changes_nothing_else(case: Case) -> None:
    """Every kind of it, at the beginning, in the middle and at the end, whatever its key."""
    whole = handle(case, case.records)
    for at, value in product((0, len(case.records) // 2, len(case.records)), case.unreadable):
        like = case.records[min(at, len(case.records) - 1)]
        bad = Inbound(like.topic, like.partition, 10_000, like.timestamp, like.key, value)

        spoilt = handle(case, [*case.records[:at], bad, *case.records[at:]])

        assert [reject.record for reject in spoilt.rejects] == [bad]
        assert spoilt.rejects[0].reason != "internal"
        assert (spoilt.outputs, spoilt.writes) == (whole.outputs, whole.writes)


@every_processor
def test_batch_and_view_are_left_as_they_were(case: Case) -> None:
    """They are handed in again after an abort."""
    batch, view = copy.deepcopy(list(case.records)), case.view()
    held = copy.deepcopy(view.held)

    case.processor().handle(batch, view)

    assert batch == list(case.records)
    assert view.held == held


@every_processor
def test_every_output_has_a_declared_topic_and_a_key(case: Case) -> None:
    """A record without a key has no order; a topic that nobody declared has no retention and no reader."""
    processor = case.processor()
    outcome = processor.handle(case.records, case.view())
    outputs = outcome.outputs + processor.tick(case.now, case.view()).outputs

    assert {output.topic for output in outputs} <= case.topics
    assert all(output.key for output in outputs)


@every_processor
def test_time_alone_has_one_outcome(case: Case) -> None:
    """A tick may be repeated after an abort like any batch."""
    processor = case.processor()

    assert facts(processor.tick(case.now, case.view())) == facts(processor.tick(case.now, case.view()))


@every_processor
def test_an_empty_batch_leads_to_nothing(case: Case) -> None:
    assert facts(handle(case, [])) == ([], [], [])


@every_processor
def test_state_survives_the_changelog(case: Case) -> None:
    """What is restored is what was held, for given values and for all that the typical records lead to."""
    spec = case.processor().state
    written = [write.value for write in handle(case, case.records).writes if write.value is not None]
    if spec is None:
        assert not case.state, "state was given to a processor that has none"
        return

    for value in [*case.state_values, *written]:
        assert spec.decode(spec.encode(value)) == value
