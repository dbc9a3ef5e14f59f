"""Junk under the key of an honest record, by somebody who may write the topic.

Whoever reads the topic with the command line or through the gateway gets the honest record all the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import pytest
from examples.case_c1 import MATRIX
from examples.checkers import a_request
from examples.exceptions import BOB, SCOPE, claims, sign
from examples.ground import eventually
from examples.guard import Guard, now
from examples.sealing import SEALS

from processors.checker.processor import Checker
from processors.cli.exceptions import rebuild
from processors.cli.requests import recheck
from processors.client import approvals, exceptions, results
from processors.client.block import from_block
from processors.client.matrix_topic import publish_matrix
from processors.client.transport import CommandRefused
from processors.embedded import Addresses
from processors.events.exceptions import ApprovalDecision, ProofKind
from processors.events.install_requests import InstallRequested
from processors.events.kinds import APPROVAL_DECIDED
from processors.events.results import Result
from processors.events.topics import (
    APPROVAL_DECISIONS,
    EXCEPTION_DECISIONS,
    EXCEPTION_REQUESTS,
    INSTALL_REQUESTS,
    RESULTS,
)
from processors.matrix.text import parse_matrix
from processors.stream.io.publish import Delivered, send

pytestmark = pytest.mark.stack

JUNK = (None, b"", b"\xde\xad\xbe\xef", b"\0\x7f\xff\xff\xff\2a", b"\0\0\0\0\1" + b"\xff" * 12)
"""The last one names a schema that is registered."""

PATIENCE = 30.0


@pytest.fixture(scope="module")
def guard(guarded: Addresses) -> Iterator[Guard]:
    """It takes its junk away, which others on this broker would read."""
    guard = Guard(guarded)
    yield guard
    for topic in (INSTALL_REQUESTS, RESULTS, EXCEPTION_REQUESTS, APPROVAL_DECISIONS, EXCEPTION_DECISIONS):
        guard.take_away(topic)
    guard.close()


def junk(guard: Guard, topic: str, key: str) -> None:
    guard.ground.write(topic, [(key.encode(), value) for value in JUNK])


def send_amid_junk(guard: Guard, topic: str, key: str, value: bytes) -> None:
    junk(guard, topic, key)
    guard.send(topic, key, value)
    junk(guard, topic, key)


@pytest.fixture(scope="module")
def running(guard: Guard) -> Iterator[None]:
    """A checker and an exception workflow, and the matrix of case C-1."""
    publish_matrix(guard.of, parse_matrix(MATRIX), now())
    with guard.workflow(), guard.ground.running(Checker(guard.new_codec(), SEALS, trust=guard.trust)):
        yield


@pytest.fixture(scope="module")
def blocked(guard: Guard, running: None) -> dict[str, Any]:
    """A request that was blocked, with junk before and after it and its result."""
    tenant, id = f"junk-{uuid.uuid4().hex[:6]}", str(uuid.uuid4())
    subject = guard.events.subject(SCOPE)
    request = {**a_request(), "request_id": id, "tenant": tenant, "subject": subject}
    junk(guard, RESULTS, id)
    encode = guard.codec.encoder(INSTALL_REQUESTS, "InstallRequested")
    send_amid_junk(guard, INSTALL_REQUESTS, SCOPE.plugin_id, encode(request))
    eventually(lambda: results.results_of(guard.of, guard.codec, id))
    junk(guard, RESULTS, id)
    return request


def test_junk_under_the_id_of_a_plugin_hides_no_block_from_a_request_for_an_exception(
    guard: Guard, blocked: dict[str, Any]
) -> None:
    block = from_block(guard.of, guard.codec, blocked["request_id"], None)

    assert block.subject["manifest"]["id"] == SCOPE.plugin_id
    assert block.finding_ids


def test_junk_under_the_id_of_a_plugin_prevents_no_recheck(guard: Guard, blocked: dict[str, Any]) -> None:
    which, asked = recheck._asked(guard.of, guard.codec, blocked["request_id"], None)

    assert which.request_id == asked.request_id == blocked["request_id"]


def test_junk_on_results_hides_no_report(guard: Guard, blocked: dict[str, Any]) -> None:
    assert results.result_of(guard.of, guard.codec, blocked["request_id"]).verdict == "BLOCK"


def test_junk_on_results_keeps_nobody_from_their_answer_and_ends_no_watch(
    guard: Guard, blocked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes after whoever asks has begun to wait, and before the answer."""
    id = str(uuid.uuid4())

    def send_after_junk(*arguments: Any) -> Delivered:
        junk(guard, RESULTS, id)
        return send(*arguments)

    monkeypatch.setattr(results, "send", send_after_junk)
    envelope = {name: blocked[name] for name in InstallRequested.__dataclass_fields__ if name in blocked}
    asked = InstallRequested(plugin_id=SCOPE.plugin_id, **(envelope | {"request_id": id}))

    assert results.ask(guard.of, guard.codec, asked, blocked["subject"], PATIENCE).verdict == "BLOCK"

    watched = (result.request_id for _, result in results.follow(guard.of, guard.codec, from_beginning=True))
    assert blocked["request_id"] in list(takewhile(lambda watched: watched != id, watched))


@dataclass(frozen=True)
class Story:
    """An exception for the block, and the decision that Bob submitted about it."""

    block: Result
    submitted: ApprovalDecision

    @property
    def id(self) -> str:
        return self.submitted.exception_id


@pytest.fixture(scope="module")
def decided(guard: Guard, blocked: dict[str, Any]) -> Story:
    """An exception of which Bob has approved a step, all of it amid junk."""
    block = results.result_of(guard.of, guard.codec, blocked["request_id"])
    id, report = block.scope.exception_id, block.record["report"]
    junk(guard, EXCEPTION_DECISIONS, id)
    command = guard.events.command(block.scope, report, request_id=block.request_id)
    send_amid_junk(guard, EXCEPTION_REQUESTS, id, command)
    eventually(said(guard, id, "review_opened"))
    submitted = decision_of_bob(block)
    exceptions.publish(guard.of, guard.codec, APPROVAL_DECIDED, submitted, PATIENCE)
    junk(guard, APPROVAL_DECISIONS, id)
    junk(guard, EXCEPTION_DECISIONS, id)
    return Story(block, submitted)


def decision_of_bob(block: Result) -> ApprovalDecision:
    id = block.scope.exception_id
    proof = sign(claims(BOB, now(), exception_id=id, report_digest=block.report_digest))
    return ApprovalDecision(str(uuid.uuid4()), id, now(), ProofKind.SERVICE_JWS, proof)


def said(guard: Guard, id: str, event: str) -> Callable[[], bool]:
    return lambda: event in [one.event for one in exceptions.history(guard.of, guard.codec, id)]


def test_junk_among_decisions_hides_no_history(guard: Guard, decided: Story) -> None:
    told = [one.event for one in exceptions.history(guard.of, guard.codec, decided.id)]

    assert told[:3] == ["requested", "review_opened", "step_approved"]


def test_junk_among_decisions_keeps_nobody_from_the_answer_to_a_command(
    guard: Guard, decided: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step is decided, and he is told so when he decides it again."""

    def send_after_junk(*arguments: Any) -> Delivered:
        junk(guard, EXCEPTION_DECISIONS, decided.id)
        return send(*arguments)

    monkeypatch.setattr(exceptions, "send", send_after_junk)
    again = decision_of_bob(decided.block)

    with pytest.raises(CommandRefused, match="WRONG_STEP"):
        exceptions.publish(guard.of, guard.codec, APPROVAL_DECIDED, again, PATIENCE)


def test_junk_among_decisions_hides_no_earlier_answer(guard: Guard, decided: Story) -> None:
    submitted = decided.submitted
    answer = approvals.first_answer(guard.of, guard.codec, decided.id, submitted.decision_id, submitted.proof)

    assert answer is not None
    assert answer.event == "step_approved"


def test_junk_among_decisions_prevents_no_rebuilding(guard: Guard, decided: Story) -> None:
    assert decided.id in {one.exception_id for one in rebuild._rebuild_all(guard.of, guard.codec)}
