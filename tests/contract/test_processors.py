"""What every processor promises, whatever it is about. Rooms register in providers/; nobody is listed here."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from contract.case import Case

from processors.bootstrap.processors import PROCESSORS
from processors.ledger.records import Row
from processors.ledger.transaction import Entries
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


def rows(outcome: Outcome) -> list[Row]:
    return outcome.rows if isinstance(outcome, Entries) else []


def facts(outcome: Outcome) -> tuple[list[Outbound], list[Write], list[Row], list[tuple[int, str]]]:
    rejects = [(reject.record.offset, reject.reason) for reject in outcome.rejects]
    return outcome.outputs, outcome.writes, rows(outcome), rejects


def test_every_processor_of_the_table_is_tested() -> None:
    """A processor without a provider would keep every promise."""
    assert {case.name for case in CASES} >= set(PROCESSORS)
    assert len({case.name for case in CASES}) == len(CASES)


@every_processor
def test_typical_records_are_answered(case: Case) -> None:
    """A case whose records lead to nothing would prove nothing."""
    outcome = case.processor().tick(case.now, case.view()) if case.acts_in_time else handle(case, case.records)

    assert not outcome.rejects
    assert outcome.outputs or outcome.writes or rows(outcome)


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
        assert rows(first) + rows(second) == rows(whole)


@every_processor
def test_an_unreadable_record_is_one_reject_and_changes_nothing_else(case: Case) -> None:
    """Every kind of it, at the beginning, in the middle and at the end, whatever its key."""
    whole = handle(case, case.records)
    for at, value in product((0, len(case.records) // 2, len(case.records)), case.unreadable):
        like = case.records[min(at, len(case.records) - 1)]
        bad = Inbound(like.topic, like.partition, 10_000, like.timestamp, like.key, value)

        spoilt = handle(case, [*case.records[:at], bad, *case.records[at:]])

        assert [reject.reason for reject in spoilt.rejects if reject.reason == "internal"] == []
        assert [reject.record for reject in spoilt.rejects] == ([] if case.files_unreadable else [bad])
        assert [row.status for row in rows(spoilt) if row.offset == bad.offset] == (
            ["unreadable"] if case.files_unreadable else []
        )
        assert (spoilt.outputs, spoilt.writes) == (whole.outputs, whole.writes)
        assert [row for row in rows(spoilt) if row.offset != bad.offset] == rows(whole)


@every_processor
def test_batch_and_view_cannot_be_changed(case: Case) -> None:
    """They are handed in again after an abort. Here a processor that writes into one of them fails at once."""
    batch, view = tuple(case.records), case.view()
    held = {partition: MappingProxyType(dict(keys)) for partition, keys in view.held.items()}

    outcome = case.processor().handle(batch, replace(view, held=MappingProxyType(held)))

    assert facts(outcome) == facts(handle(case, case.records))


@every_processor
def test_state_that_is_held_is_not_changed_in_place(case: Case) -> None:
    """A value in the state is the last committed one until the transaction commits: its bytes stay the same."""
    processor, view = case.processor(), case.view()
    spec = processor.state
    if spec is None:
        return
    before = {(n, key): spec.encode(value) for n, keys in view.held.items() for key, value in keys.items()}

    processor.handle(case.records, view)
    processor.tick(case.now, view)

    assert {(n, k): spec.encode(value) for n, keys in view.held.items() for k, value in keys.items()} == before


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
    assert facts(handle(case, [])) == ([], [], [], [])


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
