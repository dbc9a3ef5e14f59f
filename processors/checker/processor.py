"""Connects the checker to its topics: install requests in, results and blocks out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from processors.checker import measures
from processors.checker.bystanders import Bystanders
from processors.checker.check import Answer, check
from processors.checker.evaluation import evaluator
from processors.checker.heads import bare_circumstances, circumstances, ids
from processors.checker.intake import IncomingRequest, Intake
from processors.checker.measures import Decision
from processors.checker.memo import Answered, Memo
from processors.checker.parts import KnownParts
from processors.checker.plans.answer_cache import AnswerCache
from processors.checker.recurring import RecurringQuestions
from processors.checker.unguarded import FEATURE, unguarded
from processors.events.addresses import report_address
from processors.events.ids import minted
from processors.events.kinds import BLOCKED, CHECKED, NOTIFICATION, USE_REQUESTED
from processors.events.notifications import NotificationRequested, Urgency
from processors.events.report import Report
from processors.events.subject import Subject
from processors.events.topics import (
    BLOCKS,
    EXCEPTION_USES,
    INSTALL_REQUESTS,
    MATRIX_FLOORS,
    MATRIX_REFRESHES,
    RESULTS,
    SECURITY_POLICIES,
)
from processors.events.vocabulary import Verdict
from processors.matrix.floors import FloorFold
from processors.matrix.fold import MatrixFold
from processors.matrix.merged import Matrix
from processors.observability import metrics
from processors.policies import Policies
from processors.policies.fold import PolicyFold
from processors.stream.seals import Seals
from processors.stream.types import Inbound, Outbound, Outcome, View
from processors.stream.wire.codec import Codec
from processors.stream.wire.headers import EventHeaders
from processors.stream.wire.writer import EventWriter
from processors.trust.sources import NOBODY, Trust

SOURCE = "/compat-guard/checker"
_CHECKED = EventHeaders(CHECKED.type, SOURCE)
_BLOCKED = EventHeaders(BLOCKED.type, SOURCE)
_USE = EventHeaders(USE_REQUESTED.type, SOURCE)


class Checker:
    """Answers every install request with exactly one result. Knows no exceptions.

    A request that names an exception and would be blocked is passed to the exception workflow, which answers it; so
    is every re-check of an exception, whatever its verdict.

    `guarded` tells whether the guard is switched on; it may change between batches. While it is off, requests are
    answered without a check, and the answer says so. Re-checks are still checked: an exception must not be voided
    because nothing was checked.

    Of matrix and policies, only what is signed by the signers that `trust` and `security` name takes effect.
    Records for the workflow are sealed with `seals`. A re-check that the workflow has not sealed is refused,
    because its answer would speak for the workflow.

    `pages` is the public address of the gateway, where answers say that their report can be read. `may_be_excepted`
    is the workflow's rule for which reports it accepts.
    """

    name = "checker"
    inputs = (INSTALL_REQUESTS,)
    state = None

    def __init__(
        self,
        codec: Codec,
        seals: Seals,
        guarded: Callable[[], bool] = lambda: True,
        trust: Trust = NOBODY,
        security: Trust = NOBODY,
        *,
        pages: str = "",
        may_be_excepted: Callable[[Report], bool | None] = lambda _: None,
    ) -> None:
        self._seals, self._guarded, self._pages = seals, guarded, pages
        measures.begin()
        floors = FloorFold(codec.decoder(MATRIX_FLOORS, "MatrixFloor"), seals.check)
        self.tables = (
            floors,
            MatrixFold(codec.decoder(MATRIX_REFRESHES, "MatrixRefreshed"), trust, floors.snapshot),
            PolicyFold(codec.decoder(SECURITY_POLICIES, "SecurityPolicyPublished"), security, floors.snapshot),
        )
        requests = codec.decoder(INSTALL_REQUESTS, "InstallRequested")
        self._read = Intake(requests)
        self._results = codec.encoder(RESULTS, "CompatibilityChecked")
        self._blocks = codec.encoder(BLOCKS, "InstallBlocked")
        self._block_codes = self._blocks.run("finding_codes", "finding_codes")
        self._uses = codec.encoder(EXCEPTION_USES, "ExceptionUseRequested")
        self._use_more = self._uses.run("requested_at", "monitoring")
        self._notify = EventWriter(codec, NOTIFICATION, SOURCE)
        self._recurring = RecurringQuestions()
        said = self._results.run("plugin_id", "report_digest")
        known = KnownParts(requests.part("manifest"), requests.part("host"), requests.part("installed"))
        parts = (requests.tail, self._results.tail, said.encode)
        self._memo = Memo(
            evaluator(*parts, partial(check, before=AnswerCache()), Bystanders(known), may_be_excepted)
        )
        self._unguarded = Memo(evaluator(*parts, _unchecked, may_be_excepted=may_be_excepted, checked=False))

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        matrix, policies, now = view.table(MATRIX_REFRESHES), view.table(SECURITY_POLICIES), view.now
        outcome, guarded = Outcome(), self._guarded()
        self._recurring.under(matrix, policies, now)
        for record in batch:
            question = self._read.question(record.value) if guarded else None
            if question is not None and (known := self._recurring.get(question[1], now)) is not None:
                outcome.outputs.append(self._result(record, question[0], known.said, known.answered, now))
                outcome.facts.append(Decision(record, question[0], known.by, known.answered))
                continue
            with outcome.rejecting(record):  # an unreadable record becomes a dead letter, the rest goes on
                asked = self._read(record.value)
                memo = self._memo if guarded or asked.by["recheck_of"] else self._unguarded
                answered = memo.answer(asked.subject, matrix, policies, now)
                answers = self._answers(record, asked, answered, now)
                outcome.publish(*answers)
                if answers[0].topic == RESULTS:
                    outcome.facts.append(Decision(record, asked.request_id, asked.by, answered))
                if question is not None:
                    self._recurring.learn(question[1], asked, answered)
        return outcome

    def observe(self, outcome: Outcome, view: View) -> None:  # noqa: ARG002 - the protocol's signature
        metrics.FEATURE.labels(self.name, FEATURE).set(self._guarded())
        measures.log(outcome.facts, of_interest=measures.count(outcome.facts))

    def tick(self, now: int, view: View) -> Outcome:  # noqa: ARG002 - the protocol's signature
        """The checker does nothing by time alone."""
        return Outcome()

    def _answers(
        self, record: Inbound, asked: IncomingRequest, answered: Answered, now: int
    ) -> tuple[Outbound, ...]:
        """All records for one request: one for the workflow, or a result and, if it blocks or warns,
        notifications."""
        said = asked.who + answered.said + answered.report
        if answered.verdict is Verdict.ALLOW and not asked.by["exception_id"]:
            return (self._result(record, asked.request_id, said, answered, now),)
        if asked.by["exception_id"] and (answered.verdict is Verdict.BLOCK or asked.by["recheck_of"]):
            return (self._use(record, asked, answered, now),)
        result = self._result(record, asked.request_id, said, answered, now)
        told = self._notify(_notification(record, asked, answered, self._pages), now, record.headers)
        if answered.verdict is Verdict.BLOCK:
            return (result, self._block(record, asked, answered, now), told)
        return (result, told) if answered.verdict is Verdict.WARN else (result,)

    def _result(self, record: Inbound, request_id: str, said: bytes, answered: Answered, now: int) -> Outbound:
        """`said` is everything that follows the ids."""
        id = minted("result", request_id, answered.digest)
        value = self._results.assemble(ids(id, request_id), self._circumstances(record, request_id), said)
        return Outbound(RESULTS, request_id.encode(), value, _CHECKED(id, now, record.headers))

    def _circumstances(self, record: Inbound, request_id: str) -> bytes:
        """Uses the time of the request's record, so that an answer repeated after a crash has the same bytes."""
        if not self._pages:
            return bare_circumstances(record.timestamp)
        return circumstances(record.timestamp, report_address(self._pages, request_id))

    def _block(self, record: Inbound, asked: IncomingRequest, answered: Answered, now: int) -> Outbound:
        id = minted("block", asked.request_id, answered.digest)
        codes = self._block_codes.encode({"finding_codes": answered.finding_codes})
        value = self._blocks.assemble(
            ids(id, asked.request_id),
            self._circumstances(record, asked.request_id),
            asked.who,
            answered.said,
            codes,
            answered.report,
        )
        return Outbound(BLOCKS, asked.request_id.encode(), value, _BLOCKED(id, now, record.headers))

    def _use(self, record: Inbound, asked: IncomingRequest, answered: Answered, now: int) -> Outbound:
        if asked.by["recheck_of"]:
            self._seals.check(record)
        id, key = minted("use", asked.request_id, answered.digest), asked.by["exception_id"].encode()
        value = self._uses.assemble(
            ids(id, asked.request_id),
            asked.who,
            answered.said,
            self._use_more.encode(asked.more),
            answered.report,
        )
        return self._seals.sealed(Outbound(EXCEPTION_USES, key, value, _USE(id, now, record.headers)))


def _notification(record: Inbound, asked: IncomingRequest, answered: Answered, pages: str) -> NotificationRequested:
    blocked = answered.verdict is Verdict.BLOCK
    outcome = "blocked" if blocked else "allowed with a warning"
    return NotificationRequested(
        notification_id=minted("notification", asked.request_id, answered.digest),
        at=record.timestamp,
        recipient=asked.by["operator"] or f"tenant:{asked.by['tenant']}",
        kind="blocked" if blocked else "warned",
        urgency=Urgency.WARNING if blocked else Urgency.INFO,
        subject=f"{answered.plugin_id} {answered.plugin_version} is {outcome}",
        body=answered.summary,
        link=report_address(pages, asked.request_id) or f"compat-guard report {asked.request_id}",
        tenant=asked.by["tenant"],
        request_id=asked.request_id,
        exception_id=asked.by["exception_id"],
    )


def _unchecked(subject: Subject, matrix: Matrix, now: int, input_digest: str, policies: Policies) -> Answer:  # noqa: ARG001 - in the place of `check`
    return Answer(unguarded(subject, input_digest), None)
