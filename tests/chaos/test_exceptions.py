"""Two workers on hundreds of exceptions, killed again and again like their broker: each ends as the model has it.

Half of the exceptions have the strict flow (three steps, four people) and are approved at once; on the other half
nobody decides, so that every clock rings. A sequential model gives the states, the events and the messages; each of
them must be there exactly once. The broker stays away for up to the time in which an escalation comes due, with
decisions unread, so that a clock which looks at the time alone rings where it must not.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from chaos.mortal_worker import METHODS
from examples.crew import AFRESH, Crew
from examples.exceptions import BOB, LENA, SABINE, SAMIR, SCOPE, public_jwk
from examples.ground import eventually
from examples.guard import Guard, now
from examples.hasty import LIFE, STEP
from examples.mortals import started, until_all_have_died
from examples.servers import own_servers

from processors.embedded import Addresses, Stack
from processors.events.exceptions import Scope, Status
from processors.events.topics import APPROVAL_DECISIONS, EXCEPTION_REQUESTS
from processors.events.vocabulary import Band

pytestmark = [pytest.mark.stack, pytest.mark.chaos]

LONG = os.environ.get("GUARD_CHAOS") == "long"
EXCEPTIONS, KILLS, OUTAGES = (5_000, 12, 6) if LONG else (160, 3, 1)
HERE = Path(__file__)
STEPS = ((BOB, "steward"), (SABINE, "security"), (SAMIR, "security"), (LENA, "lead"))

APPROVED = ["requested", "review_opened", "step_approved", "approval_recorded", "step_approved", "approved"]
LAPSED = ["requested", "review_opened", "reminded", "reminded", "escalated", "overdue", "lapsed"]
TOLD_OF_APPROVED = {
    # By kind and recipient, what the model of one exception sends.
    ("approval_needed", "role:plugin-steward"): 1,
    ("approval_needed", "role:security-approver"): 1,
    ("approval_needed", "role:security-lead"): 2,
    ("approval_needed", "role:platform-lead"): 1,
    ("exception_requested", "alice"): 2,
    ("exception_progress", "alice"): 3,
    ("exception_approved", "alice"): 1,
    ("exception_approved", "owners:powerx-plugins"): 1,
    ("exception_approved", "role:security-operations"): 1,
}
TOLD_OF_LAPSED = {
    ("approval_needed", "role:plugin-steward"): 1,
    ("exception_requested", "alice"): 2,
    ("approval_reminder", "role:plugin-steward"): 2,
    ("approval_escalated", "role:platform-lead"): 1,
    ("approval_escalated", "role:plugin-steward"): 1,
    ("approval_escalated", "alice"): 1,
    ("exception_overdue", "role:security-lead"): 1,
    ("exception_overdue", "role:platform-lead"): 1,
    ("exception_overdue", "alice"): 1,
    ("exception_lapsed", "alice"): 1,
    ("exception_lapsed", "role:security-lead"): 1,
    ("exception_lapsed", "role:platform-lead"): 1,
}


def a_crew(guard: Guard) -> Crew:
    """Two instances of the workflow."""
    settings = asdict(replace(guard.ground.settings, batch=20, seals=None))

    def start(ordinal: int) -> subprocess.Popen[bytes]:
        keys = json.dumps({"keys": [public_jwk("tool-1")]})
        of = json.dumps(settings | {"ordinal": ordinal})
        command = [sys.executable, str(HERE.with_name("exception_worker.py")), of, keys]
        path = os.pathsep.join([str(HERE.parents[1]), str(HERE.parents[2])])
        return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.DEVNULL)

    return Crew(2, start)


@pytest.fixture
def own(stack: Addresses) -> Iterator[Stack]:
    with own_servers(stack.registry) as servers:
        yield servers


@pytest.fixture
def guard(own: Stack) -> Iterator[Guard]:
    guard = Guard(own.addresses)
    yield guard
    guard.close()


@pytest.mark.timeout(900)
def test_killing_the_workflow_and_its_broker_loses_nothing_and_repeats_nothing(own: Stack, guard: Guard) -> None:
    """0 missing, 0 twice: states, events, clocks and messages are those of the model."""
    approved = [SCOPE._replace(tenant=f"a{n}") for n in range(EXCEPTIONS // 2)]
    lapsing = [SCOPE._replace(tenant=f"l{n}") for n in range(EXCEPTIONS // 2)]
    crew = a_crew(guard)
    try:
        with guard.answering():
            play(guard, own, crew, approved, lapsing)
            await_ends(guard, crew, lapsing)
    finally:
        crew.dismiss()

    assert crew.deaths.count(-9) == KILLS
    assert set(crew.deaths) <= {-9, AFRESH}, "a worker gave up by itself"
    events, told, states = events_of(guard), messages_of(guard), guard.states()
    ends = (
        (approved, Status.APPROVED, APPROVED, TOLD_OF_APPROVED),
        (lapsing, Status.LAPSED, LAPSED, TOLD_OF_LAPSED),
    )
    for scopes, status, sequence, messages in ends:
        for scope in scopes:
            assert events[scope.exception_id] == list(enumerate(sequence, 1))
            assert told[scope.exception_id] == messages
            assert states[scope.exception_id].status is status
    assert list(guard.dead_letters()) == []
    print(f"{EXCEPTIONS} exceptions, {KILLS} kills, {OUTAGES} outages, {crew.deaths.count(AFRESH)} fresh starts")


@pytest.mark.timeout(900)
@pytest.mark.skipif(not LONG, reason="GUARD_CHAOS=long kills the workflow at each step of its transaction")
def test_an_exception_ends_as_the_model_has_it_whatever_step_a_process_died_at(
    guard: Guard, tmp_path: Path
) -> None:
    """Approved by everybody, and each event and message once."""
    approved = list[Scope]()

    def write() -> None:
        for _ in range(20):
            approved.append(SCOPE._replace(tenant=f"s{len(approved)}"))
            decide_at_once(guard, approved[-1])

    def start(ordinal: int, script: tuple[str, ...]) -> subprocess.Popen[bytes]:
        of = asdict(replace(guard.ground.settings, batch=20, seals=None)) | {"ordinal": ordinal}
        keys = json.dumps({"keys": [public_jwk("tool-1")]})
        return started([*script, "exceptions", json.dumps(of), keys], tmp_path / "log")

    crew = a_crew(guard)
    try:
        with guard.answering():
            until_all_have_died(start, tuple(METHODS), write, survived=1)
            crew.tend()
            ids = {scope.exception_id for scope in approved}
            eventually(lambda: {d["exception_id"] for d in guard.decided() if d["event"] == "approved"} >= ids, 180)
            time.sleep(3)  # in which something said twice would show
    finally:
        crew.dismiss()

    events, told = events_of(guard), messages_of(guard)
    assert [id for id in ids if events[id] != list(enumerate(APPROVED, 1))] == []
    assert [id for id in ids if told[id] != TOLD_OF_APPROVED] == []


def play(guard: Guard, own: Stack, crew: Crew, approved: list[Scope], lapsing: list[Scope]) -> None:
    """A portion of everything for each kill, and the kill while it is worked off."""
    ends = ["worker"] * KILLS + ["broker"] * OUTAGES
    random.shuffle(ends)
    for n, end in enumerate(ends):
        crew.tend()
        for scope in approved[n :: len(ends)]:
            decide_at_once(guard, scope)
        for scope in lapsing[n :: len(ends)]:
            guard.send(EXCEPTION_REQUESTS, scope.exception_id, guard.events.command(scope))
        if end == "worker":
            time.sleep(random.uniform(0.5, 4.0))
            crew.kill_one()
        else:
            time.sleep(random.uniform(0.0, 0.5))
            own.kafka.kill()
            time.sleep(random.uniform(2.0, STEP / 1000 if LONG else 6.0))
            own.kafka.start()
            guard.ground.reconnect()


def events_of(guard: Guard) -> dict[str, list[tuple[int, str]]]:
    """The changes of each exception, by number. A decision that came early waits, which changes nothing."""
    events: dict[str, list[tuple[int, str]]] = {}
    for decided in guard.decided():
        if decided["event"] != "parked":
            events.setdefault(decided["exception_id"], []).append((decided["sequence"], decided["event"]))
    return events


def messages_of(guard: Guard) -> dict[str, Counter[tuple[str, str]]]:
    told: dict[str, Counter[tuple[str, str]]] = {}
    for notice in guard.notifications():
        told.setdefault(notice["exception_id"], Counter())[notice["kind"], notice["recipient"]] += 1
    return told


def decide_at_once(guard: Guard, scope: Scope) -> None:
    """A request at the highest risk, and everybody's approval. Whichever is read first, the end is the same."""
    report = guard.reports[scope.exception_id] = guard.events.report(scope, band=Band.CRITICAL)
    guard.send(EXCEPTION_REQUESTS, scope.exception_id, guard.events.command(scope, report))
    digest = guard.events.digest(report)
    for person, step in STEPS:
        decision = guard.events.decision(person, now(), scope, report_digest=digest, step=step)
        guard.send(APPROVAL_DECISIONS, scope.exception_id, decision)


def await_ends(guard: Guard, crew: Crew, lapsing: list[Scope]) -> None:
    """Until the last one has lapsed, and a moment longer, in which something said twice would show."""
    ids = {scope.exception_id for scope in lapsing}
    until = time.monotonic() + LIFE / 1000 + 120
    while time.monotonic() < until:
        crew.tend()
        time.sleep(2)
        if sum(d["event"] == "lapsed" and d["exception_id"] in ids for d in guard.decided()) >= len(ids):
            break
    time.sleep(3)
