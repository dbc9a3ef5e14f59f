"""Records that only our own processors may write, without a seal of theirs: every processor refuses them itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from contract.case import Case, record
from contract.providers.relay import TARGET
from contract.test_processors import CASES

from processors.events.topics import EXCEPTION_USES, MATRIX_FLOORS, RELAY_STATE
from processors.relay.records import COMMAND
from processors.stream.seals import SealRefused, Seals
from processors.stream.types import Fold, Headers, Inbound, Outcome

STRANGERS = Seals("k1", {"k1": b"guess" * 8})
BY_NAME = {case.name: case for case in CASES}
forged = pytest.mark.parametrize("by", [None, STRANGERS], ids=["without a seal", "with a seal of another key"])


def as_forged(one: Inbound, by: Seals | None) -> Inbound:
    headers: Headers = () if by is None else (by.seal(one.topic, one.key, one.value),)
    return replace(one, headers=headers)


def handled(case: Case, records: Sequence[Inbound]) -> Outcome:
    return case.processor().handle(records, case.view())


@forged
def test_the_workflow_believes_no_use_that_the_checker_has_not_sealed(by: Seals | None) -> None:
    case = BY_NAME["exception-workflow"]
    uses = [as_forged(one, by) for one in case.records if one.topic == EXCEPTION_USES]
    outcome = handled(case, uses)

    assert [reject.reason for reject in outcome.rejects] == [SealRefused.reason] * len(uses)
    assert (outcome.outputs, outcome.writes, outcome.facts) == ([], [], [])
    assert uses


@forged
def test_the_checker_hands_on_no_recheck_that_the_workflow_has_not_sealed(by: Seals | None) -> None:
    """Nor does it answer it: the answer would be a block without a record of one."""
    case = BY_NAME["checker"]
    honest = handled(case, case.records)
    outcome = handled(case, [as_forged(one, by) for one in case.records])
    (refused,) = outcome.rejects
    asked = next(one for one in case.records if one.offset == refused.record.offset)

    assert refused.reason == SealRefused.reason
    assert b"first" in (asked.value or b""), "the request that this one says it asks again"
    assert [sent.topic for sent in honest.outputs].count(EXCEPTION_USES) == 2
    assert [sent.topic for sent in outcome.outputs].count(EXCEPTION_USES) == 1


def reads(topic: str) -> list[Case]:
    return [case for case in CASES if any(fold.topic == topic for fold in case.processor().tables)]


def table(case: Case, topic: str) -> Fold:
    return next(fold for fold in case.processor().tables if fold.topic == topic)


@forged
@pytest.mark.parametrize("case", reads(MATRIX_FLOORS), ids=lambda case: case.name)
def test_nobody_believes_a_floor_that_the_monitor_has_not_sealed(case: Case, by: Seals | None) -> None:
    """A floor without end would take a source out of effect for good, and everything would be blocked."""
    floors = table(case, MATRIX_FLOORS)
    (refused,) = floors.apply([as_forged(record(MATRIX_FLOORS, 0, "governance", b"\0\0\0\0\1forged"), by)])

    assert refused.reason == SealRefused.reason
    assert floors.snapshot() == {}


@forged
@pytest.mark.parametrize("value", [None, b"\0\0\0\0\1forged"], ids=["a tombstone", "a command"])
def test_the_relay_obeys_no_command_that_nobody_of_us_has_sealed(value: bytes | None, by: Seals | None) -> None:
    (case,) = reads(RELAY_STATE)
    commands = table(case, RELAY_STATE)
    (refused,) = commands.apply([as_forged(record(RELAY_STATE, 0, f"{COMMAND}{TARGET}/resume", value), by)])

    assert refused.reason == SealRefused.reason
    assert commands.snapshot() == {}
