"""Checkers under load, killed again and again: every request has one answer, and it is the right one."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from bench import subjects
from examples.checkers import Crew, Desk, a_crew, by_request
from examples.crew import AFRESH
from examples.guard import now
from examples.matrices import a_document, a_rule

from processors.checker.check import check
from processors.client.matrix_topic import publish_matrix
from processors.documents.canonical import digest_of
from processors.embedded import Stack
from processors.events.report_record import report_to_record
from processors.events.subject_record import subject_to_record
from processors.events.topics import BLOCKS, DEAD_LETTERS, INSTALL_REQUESTS, NOTIFICATIONS, RESULTS
from processors.events.vocabulary import Verdict
from processors.matrix.merged import Matrix
from processors.stream.types import Inbound, Outbound

pytestmark = [pytest.mark.stack, pytest.mark.chaos]

LONG = os.environ.get("GUARD_CHAOS") == "long"
REQUESTS, KILLS = (60_000, 30) if LONG else (6_000, 4)
DISTINCT = 600
"""Questions: plugins that fit, that warn by the matrix, and every fiftieth that blocks."""

MATRIX = a_document(
    a_rule("com.acme.plugins.*", "allow", notes="ours"), a_rule("com.acme.plugins.p1*", "warn", notes="watch it")
)


class Expected:
    """What the pure check says to each question."""

    def __init__(self, desk: Desk, issued_at: int) -> None:
        matrix = Matrix.of([(MATRIX, issued_at, issued_at + MATRIX.expires_after)])
        encode = desk.guard.codec.encoder(RESULTS, "CompatibilityChecked").tail
        self.digests: dict[str, str] = {}
        self.verdicts: dict[str, Verdict] = {}
        for number in range(1, DISTINCT + 1):
            asked = subjects.subject(number)
            question = digest_of(desk.encode.tail(subject_to_record(asked)))
            report = check(asked, matrix, now(), question).report
            self.digests[question] = digest_of(encode(report_to_record(report)))
            self.verdicts[question] = report.verdict


@pytest.mark.timeout(900)
def test_killing_checkers_loses_nothing_and_repeats_nothing(own: Stack, desk: Desk, tmp_path: Path) -> None:
    """One result for each request, byte for byte that of the pure check; one block for each BLOCK and no other."""
    issued_at = now()
    publish_matrix(desk.guard.of, MATRIX, issued_at)
    expected = Expected(desk, issued_at)
    assert set(expected.verdicts.values()) == {Verdict.ALLOW, Verdict.WARN, Verdict.BLOCK}
    sent = list(subjects.requests(desk.encode, subjects.cycling(DISTINCT), REQUESTS))
    questions = _questions(desk, sent)

    with a_crew(own.addresses, tmp_path / "checkers.log", batch=20) as crew:
        _play(desk, crew, sent)
        _wait_until_answered(desk, crew)

    assert crew.deaths.count(-9) == KILLS
    assert set(crew.deaths) <= {-9, AFRESH}, f"a checker gave up by itself: {crew.log_tail()}"
    results = by_request(desk.ground.read(RESULTS))
    assert results.keys() == questions.keys()
    assert {id: len(records) for id, records in results.items() if len(records) > 1} == {}
    wanted = {id: expected.digests[question] for id, question in questions.items()}
    assert {id for id, digest in _digests(desk, results).items() if digest != wanted[id]} == set()
    verdicts = {id: expected.verdicts[question] for id, question in questions.items()}
    told = {id for id, verdict in verdicts.items() if verdict is not Verdict.ALLOW}
    blocked = {id for id in told if verdicts[id] is Verdict.BLOCK}
    assert sorted(record.key or b"" for record in desk.ground.read(BLOCKS)) == sorted(blocked)
    assert sorted(_told(desk)) == sorted(told)
    assert desk.ground.read(DEAD_LETTERS) == []
    taken_back = desk.uncommitted(RESULTS) - REQUESTS
    print(f"{REQUESTS} requests, {KILLS} kills, {taken_back} results written in transactions that were aborted")
    assert taken_back > 0 or not LONG, "no kill hit an open transaction"


def _play(desk: Desk, crew: Crew, sent: list[Outbound]) -> None:
    """Kill one in the middle of each portion. Every third round a guest comes or goes, in good order."""
    rounds = KILLS + 1
    for n in range(rounds):
        crew.tend(4 if n % 6 in (3, 4, 5) else 3)
        desk.ground.write(INSTALL_REQUESTS, [(request.key, request.value) for request in sent[n::rounds]])
        if n < KILLS:
            _wait_until_at_work(desk)
            time.sleep(random.uniform(0, 0.1))
            crew.kill_one()
    crew.tend(3)


def _wait_until_at_work(desk: Desk, seconds: float = 20) -> None:
    until, before = time.monotonic() + seconds, desk.unanswered()
    while desk.unanswered() == before and time.monotonic() < until:
        time.sleep(0.01)


def _wait_until_answered(desk: Desk, crew: Crew, seconds: float = 120) -> None:
    """Until the committed offsets are complete, and for a moment longer, in which a duplicate would show."""
    until = time.monotonic() + seconds
    while (left := desk.unanswered()) and time.monotonic() < until:
        crew.tend(3)
        time.sleep(0.5)
    time.sleep(1)
    assert left == 0, crew.log_tail()
    desk.ground.wait_for_open_transactions(RESULTS, BLOCKS, NOTIFICATIONS, DEAD_LETTERS)


def _questions(desk: Desk, sent: list[Outbound]) -> Mapping[bytes, str]:
    """Request ids, and the digest of what each asks."""
    split = desk.guard.codec.decoder(INSTALL_REQUESTS, "InstallRequested").split
    return {e["request_id"].encode(): digest_of(tail) for e, tail in (split(request.value) for request in sent)}


def _digests(desk: Desk, results: Mapping[bytes, list[Inbound]]) -> Mapping[bytes, str]:
    """Of the reports as they lie in the results."""
    split = desk.guard.codec.decoder(RESULTS, "CompatibilityChecked").split
    return {id: digest_of(split(records[0].value)[1]) for id, records in results.items()}


def _told(desk: Desk) -> Iterator[bytes]:
    read = desk.guard.codec.decoder(NOTIFICATIONS, "NotificationRequested")
    return (read(record.value)["request_id"].encode() for record in desk.ground.read(NOTIFICATIONS))
