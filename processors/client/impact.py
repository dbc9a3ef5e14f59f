"""What an unpublished matrix would change: past requests and live exceptions, judged again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any, Final, NamedTuple

from processors.bootstrap.clients import stream_settings
from processors.checker.check import check
from processors.checker.impact import MOST_SUBJECTS, Impact
from processors.checker.intake import Intake
from processors.client.matrix_topic import read_matrix
from processors.client.policy_topic import read_policies
from processors.configuration.settings import Settings
from processors.documents.canonical import digest_of
from processors.errors import EventUnreadable, Refused
from processors.events.report import Report
from processors.events.subject_record import subject_from_record
from processors.events.topics import INSTALL_REQUESTS
from processors.events.vocabulary import Verdict
from processors.exception_workflow.state.case import ExceptionCase
from processors.matrix.document import MatrixDocument
from processors.matrix.merged import Matrix
from processors.observability.collector import collector_eased
from processors.policies import Policies
from processors.stream.io.follow import Follower
from processors.stream.wire.codec import Codec, Decoder

_TOLD_EVERY: Final = 500
"""Requests between two progress reports."""

Judge = Callable[[bytes], tuple[Report, Report]]
"""Both answers to a subject: before the matrix is published, and after. They name no ways out."""


class Replayed(NamedTuple):
    """An impact, and the requests on which it was measured. `since` is milliseconds since the epoch, UTC."""

    impact: Impact
    before: Matrix
    after: Matrix
    since: int
    judge: Judge


class ExceptionChange(NamedTuple):
    """An exception that the new matrix would affect: the verdict before and after, and the codes that it does
    not cover."""

    case: ExceptionCase
    before: Verdict
    after: Verdict
    uncovered: tuple[str, ...]


def replayed(
    of: Settings,
    events: Codec,
    documents: Iterable[MatrixDocument],
    since: int,
    *,
    most: int = MOST_SUBJECTS,
    tell: Callable[[Impact], None] = lambda _: None,
    until: int,
) -> Replayed:
    """The requests since then, asked again at `until`; both are milliseconds. Nothing is published.

    `documents` replace what their sources state today. At most `most` different questions are asked.
    """
    decode = events.decoder(INSTALL_REQUESTS, "InstallRequested")
    before, after, judge = _judging(of, decode, documents, until)
    impact = Impact(judge, most=most)
    _read(of, Intake(decode), since, impact, tell)
    return Replayed(impact, before, after, since, judge)


def _judging(
    of: Settings, decode: Decoder, documents: Iterable[MatrixDocument], now: int
) -> tuple[Matrix, Matrix, Judge]:
    """The matrix before and after, and both answers to any subject under the same policies."""
    before = read_matrix(of)[0].snapshot()
    after = before
    for document in documents:
        after = after.add(document, now, now + document.expires_after)
    policies, _ = read_policies(of)
    return before, after, _judge(decode.tail, (before, after), policies, now)


def changed_exceptions(cases: Iterable[ExceptionCase], judge: Judge) -> Sequence[ExceptionChange]:
    """Exceptions with a question whose verdict changes, or that would no longer cover a block."""
    return [change for case in cases if case.subject and (change := _changed(case, judge)) is not None]


def _changed(case: ExceptionCase, judge: Judge) -> ExceptionChange | None:
    try:
        before, after = judge(case.subject)
    except Refused:
        return None
    uncovered = tuple(f.code for f in after.findings if f.blocks and f.id not in case.finding_ids)
    known = {f.code for f in before.findings if f.blocks and f.id not in case.finding_ids}
    fresh = tuple(sorted({*uncovered} - known))
    if before.verdict is after.verdict and not fresh:
        return None
    return ExceptionChange(case, before.verdict, after.verdict, fresh)


def _read(of: Settings, read: Intake, since: int, impact: Impact, tell: Callable[[Impact], None]) -> None:
    with closing(Follower(stream_settings(of), "replay")) as follower, collector_eased():
        follower.from_time([INSTALL_REQUESTS], since)
        for record in follower.read():
            try:
                request = read(record.value)
            except EventUnreadable:
                impact.unreadable += 1
                continue
            key = hashlib.blake2b(request.subject, digest_size=16).digest()
            impact.take(key, request.subject, request.request_id, record.timestamp)
            if impact.requests % _TOLD_EVERY == 0:
                tell(impact)


def _judge(
    decode: Callable[[bytes], Mapping[str, Any]], matrices: tuple[Matrix, Matrix], policies: Policies, now: int
) -> Judge:
    """Both answers to a subject, at one instant and under the same policies, so that only the matrix differs."""
    before, after = matrices

    def judge(subject: bytes) -> tuple[Report, Report]:
        question, digest = subject_from_record(decode(subject)), digest_of(subject)
        return (
            check(question, before, now, digest, policies, with_ways=False).report,
            check(question, after, now, digest, policies, with_ways=False).report,
        )

    return judge
