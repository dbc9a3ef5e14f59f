"""Junk under the key of an honest record, by somebody who may write the topic.

Whoever reads the topic with the command line or through the gateway gets the honest record all the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from contract.case import NOON, FixedView, record
from examples.checkers import a_request, a_subject
from examples.exception_stream import CODEC, Desk
from examples.exceptions import BOB, ID
from examples.sealing import SEALS

from processors.checker.processor import Checker
from processors.cli.exceptions import rebuild
from processors.cli.requests import recheck
from processors.client import approvals, exceptions, results
from processors.client.block import from_block
from processors.configuration.settings import Settings
from processors.events.exceptions import ApprovalDecision, ProofKind, decision_from_record
from processors.events.install_requests import InstallRequested
from processors.events.kinds import APPROVAL_DECIDED
from processors.events.topics import (
    APPROVAL_DECISIONS,
    EXCEPTION_DECISIONS,
    EXCEPTION_REQUESTS,
    INSTALL_REQUESTS,
    MATRIX_REFRESHES,
    SECURITY_POLICIES,
)
from processors.matrix.merged import Matrix
from processors.policies import NO_POLICIES
from processors.stream.io.publish import Delivered
from processors.stream.types import Inbound

OF = Settings()
REQUEST = a_request(a_subject(host_range=">=3.0.0"))
JUNK = (None, b"", b"\xde\xad\xbe\xef", b"\0\x7f\xff\xff\xff\2a", b"\0\0\0\0\1" + b"\xff" * 12)
"""The last one names a schema that is registered."""

PATIENCE = 5.0


class Topics:
    """What a follower reads: each record stands behind junk of every kind under its key, and before some more."""

    def __init__(self) -> None:
        self._records = defaultdict[str, list[Inbound]](list)

    def add(self, honest: Inbound) -> None:
        key = (honest.key or b"").decode()
        junk = [record(honest.topic, 10_000 + n, key, value) for n, value in enumerate(JUNK)]
        self._records[honest.topic] += [*junk, honest, *junk]

    def follower(self, *_: object, **__: object) -> Follower:
        return Follower(self._records)


class Follower:
    """Reads `Topics`; what lies there counts as arriving, too."""

    def __init__(self, records: dict[str, list[Inbound]]) -> None:
        self._all, self._chosen = records, list[Inbound]()

    def from_beginning(self, topics: Sequence[str]) -> None:
        self._chosen = [one for topic in topics for one in self._all[topic]]

    from_end = from_beginning

    def from_beginning_of(self, topic: str, _key: bytes) -> None:
        self.from_beginning([topic])

    def read(self) -> Iterator[Inbound]:
        return iter(self._chosen)

    read_in_time_order = read

    def follow(self, _until: float) -> Iterator[Inbound]:
        return iter(self._chosen)

    def partitions(self, _topic: str) -> int:
        return 1

    def close(self) -> None: ...


@pytest.fixture
def topics(monkeypatch: pytest.MonkeyPatch) -> Topics:
    topics = Topics()
    for module in (approvals, exceptions, rebuild, recheck, results):
        monkeypatch.setattr(module, "Follower", topics.follower)
    return topics


@pytest.fixture
def blocked(topics: Topics) -> Topics:
    """With a request, and its block."""
    encode = CODEC.encoder(INSTALL_REQUESTS, "InstallRequested")
    asked = record(INSTALL_REQUESTS, 0, "com.acme.crm", encode(REQUEST))
    tables = {MATRIX_REFRESHES: Matrix.EMPTY, SECURITY_POLICIES: NO_POLICIES}
    answered = Checker(CODEC, SEALS).handle([asked], FixedView(NOON, {}, tables))
    topics.add(asked)
    for sent in answered.outputs:
        topics.add(record(sent.topic, 0, (sent.key or b"").decode(), sent.value))
    return topics


@pytest.fixture
def decided(topics: Topics) -> Desk:
    """With an exception that Bob has approved, and what the workflow said to that."""
    desk = Desk(NOON)
    desk.take(EXCEPTION_REQUESTS, ID, desk.events.command())
    desk.take(APPROVAL_DECISIONS, ID, desk.events.decision(BOB, NOON))
    for sent in desk.outputs:
        if sent.topic == EXCEPTION_DECISIONS:
            topics.add(record(sent.topic, 0, ID, sent.value))
    for came in desk.inputs.values():
        topics.add(came)
    return desk


def test_junk_under_the_id_of_a_plugin_hides_no_block_from_a_request_for_an_exception(blocked: Topics) -> None:
    block = from_block(OF, CODEC, REQUEST["request_id"], None)

    assert block.subject["manifest"]["id"] == "com.acme.crm"
    assert block.finding_ids


def test_junk_under_the_id_of_a_plugin_prevents_no_recheck(blocked: Topics) -> None:
    which, asked = recheck._asked(OF, CODEC, REQUEST["request_id"], None)

    assert which.request_id == asked.request_id == REQUEST["request_id"]


def test_junk_on_results_ends_no_watch(blocked: Topics) -> None:
    watched = [result.request_id for _, result in results.follow(OF, CODEC, from_beginning=True)]

    assert set(watched) == {REQUEST["request_id"]}


def test_junk_on_results_hides_no_report(blocked: Topics) -> None:
    assert results.result_of(OF, CODEC, REQUEST["request_id"]).verdict == "BLOCK"


def test_junk_on_results_keeps_nobody_from_their_answer(blocked: Topics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "send", lambda *_: Delivered(INSTALL_REQUESTS, 0, 0))
    envelope = {name: REQUEST[name] for name in InstallRequested.__dataclass_fields__ if name in REQUEST}
    asked = InstallRequested(plugin_id="com.acme.crm", **envelope)

    assert results.ask(OF, CODEC, asked, REQUEST["subject"], PATIENCE).verdict == "BLOCK"


def test_junk_among_decisions_hides_no_history(decided: Desk) -> None:
    told = [one.event for one in exceptions.history(OF, CODEC, ID)]

    assert told == ["requested", "review_opened", "step_approved"]


def test_junk_among_decisions_keeps_nobody_from_the_answer_to_a_command(
    decided: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = approval(decided)
    monkeypatch.setattr(exceptions, "send", lambda *_: Delivered(place.topic, place.partition, place.offset))
    command = ApprovalDecision("d-1", ID, NOON, ProofKind.SERVICE_JWS, "proof")

    assert exceptions.publish(OF, CODEC, APPROVAL_DECIDED, command, PATIENCE).event == "step_approved"


def test_junk_among_decisions_hides_no_earlier_answer(decided: Desk) -> None:
    said = decision_from_record(CODEC.decoder(APPROVAL_DECISIONS, "ApprovalDecided")(approval(decided).value))
    answer = approvals.first_answer(OF, CODEC, ID, said.decision_id, said.proof)

    assert answer is not None
    assert answer.event == "step_approved"


def test_junk_among_decisions_prevents_no_rebuilding(
    decided: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GUARD_DEVELOPMENT", str(tmp_path))

    assert [one.exception_id for one in rebuild._rebuild_all(OF, CODEC)] == [ID]


def approval(desk: Desk) -> Inbound:
    (found,) = (came for came in desk.inputs.values() if came.topic == APPROVAL_DECISIONS)
    return found
