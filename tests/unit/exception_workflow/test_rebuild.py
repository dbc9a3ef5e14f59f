"""A lost changelog is worked out again from the topics, and is what it was."""

from __future__ import annotations

from typing import Any

from examples.exception_stream import CODEC, PARTITIONS, Desk
from examples.exceptions import BOB, DAY, HOUR, ID, MINUTE, NOON, SABINE, keys, policy
from examples.sealing import SEALS
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.events.exceptions import exception_decided_from_record
from processors.events.topics import (
    APPROVAL_DECISIONS,
    EXCEPTION_DECISIONS,
    EXCEPTION_REQUESTS,
    EXCEPTION_USES,
    INSTALL_OUTCOMES,
)
from processors.exception_workflow.processor import ExceptionWorkflow
from processors.exception_workflow.rebuild import Rebuilt, rebuild, same
from processors.stream.wire.partitioner import partition_of
from processors.stream.wire.reader import decision_reader

ACTS = (
    "request",
    "bob",
    "sabine",
    "deny",
    "use",
    "use of an old report",
    "lost",
    "fine",
    "withdraw",
    "amend",
    "extend",
    "noise",
    "wait",
    "matrix",
)


def act(desk: Desk, name: str, number: int) -> None:
    """One thing that happens; every record is another one."""
    events, command = desk.events, {"command_id": f"command-{number}"}
    match name:
        case "wait":
            desk.now += 3 * HOUR
            desk.tick()
        case "matrix":
            desk.mark = f"mark-{number}"
            desk.tick()
        case "request":
            desk.take(EXCEPTION_REQUESTS, ID, events.command(**command))
        case "withdraw" | "amend" | "extend":
            kind = {"withdraw": "WITHDRAWN", "amend": "AMENDED", "extend": "EXTENSION_REQUESTED"}[name]
            desk.take(EXCEPTION_REQUESTS, ID, events.command(kind=kind, **command))
        case "bob" | "sabine":
            person = BOB if name == "bob" else SABINE
            desk.take(APPROVAL_DECISIONS, ID, events.decision(person, desk.now, jti=f"jti-{number}"))
        case "deny":
            desk.take(APPROVAL_DECISIONS, ID, events.decision(BOB, desk.now, jti=f"jti-{number}", decision="deny"))
        case "noise":
            desk.take(APPROVAL_DECISIONS, ID, events.proof("noise"))
        case "use" | "use of an old report":
            desk.refreshed_at = desk.now + (name != "use")
            desk.take(EXCEPTION_USES, ID, events.use(request_id="request-2", use_id=f"use-{number}"))
        case _:
            monitoring = "LOST" if name == "lost" else "ATTACHED"
            desk.take(INSTALL_OUTCOMES, ID, events.outcome(monitoring=monitoring, outcome_id=f"outcome-{number}"))


def rebuilt(desk: Desk, inputs: dict[str, Any] | None = None) -> Rebuilt:
    home = partition_of(ID.encode(), PARTITIONS)
    workflow = ExceptionWorkflow(CODEC, policy(), keys, SEALS)
    published = list(map(exception_decided_from_record, desk.of(EXCEPTION_DECISIONS)))
    return rebuild(
        workflow,
        policy(),
        published,
        desk.inputs if inputs is None else inputs,
        home,
        PARTITIONS,
        decision_reader(CODEC),
    )


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(ACTS), min_size=1, max_size=14), st.booleans())
def test_whatever_happened_is_rebuilt_as_it_was(acts: list[str], begun: bool) -> None:
    """Across topics, clocks and parked decisions, in the order in which it was handled."""
    desk = Desk(NOON)
    for number, name in enumerate([*(["request", "bob", "sabine"] if begun else []), *acts]):
        act(desk, name, number)
        desk.now += MINUTE
    if not desk.of(EXCEPTION_DECISIONS):
        return
    again = rebuilt(desk)

    assert not again.problems
    assert same(again.case, desk.case(ID))


def test_an_input_that_is_gone_is_told() -> None:
    """Nobody should believe in a queue that was put together from what happened to be left."""
    desk = Desk(NOON)
    for number, name in enumerate(("request", "bob", "sabine")):
        act(desk, name, number)
    left = {cause: record for cause, record in desk.inputs.items() if record.offset != 1}
    again = rebuilt(desk, left)

    assert any("is not to be had" in problem for problem in again.problems)
    assert not same(again.case, desk.case(ID))


def test_an_aborted_tick_or_batch_leaves_no_trace() -> None:
    """The loop hands the same things in again, and what comes out is what would have come out."""
    calm, rough = Desk(NOON), Desk(NOON)
    for desk, aborts in ((calm, 0), (rough, 2)):
        desk.take(EXCEPTION_REQUESTS, ID, desk.events.command(), aborts=aborts)
        for hours in (5, 7, 9, 25, 8 * 24):
            desk.now = NOON + hours * HOUR
            desk.tick(aborts=aborts)

    assert rough.of(EXCEPTION_DECISIONS) == calm.of(EXCEPTION_DECISIONS)
    assert rough.case(ID) == calm.case(ID)


def test_a_restart_at_any_moment_changes_nothing() -> None:
    """The index of due times is made anew from what is restored."""
    calm, rough = Desk(NOON), Desk(NOON)
    for desk in (calm, rough):
        desk.take(EXCEPTION_REQUESTS, ID, desk.events.command())
        for minutes in range(0, 8 * DAY // MINUTE, 97):
            desk.now = NOON + minutes * MINUTE
            if desk is rough and minutes % 5 == 0:
                desk.start()
            desk.tick()

    assert rough.of(EXCEPTION_DECISIONS) == calm.of(EXCEPTION_DECISIONS)
    assert [d["event"] for d in calm.of(EXCEPTION_DECISIONS)] == [
        "requested",
        "review_opened",
        "reminded",
        "reminded",
        "escalated",
        "overdue",
        "lapsed",
    ]


def test_a_clock_does_not_overtake_a_decision_that_waits_to_be_read() -> None:
    """The workflow was down for a week; the approvals of the first hour are on the topic, and count."""
    desk = Desk(NOON)
    desk.take(EXCEPTION_REQUESTS, ID, desk.events.command())
    values = [desk.events.decision(person, NOON + HOUR) for person in (BOB, SABINE)]
    desk.start()
    desk.now, desk.unread_since = NOON + 8 * DAY, NOON + HOUR
    for value in values:
        desk.tick()
        desk.take(APPROVAL_DECISIONS, ID, value, came=NOON + HOUR)

    events = [d["event"] for d in desk.of(EXCEPTION_DECISIONS)]
    assert events == ["requested", "review_opened", "step_approved", "approved"]
