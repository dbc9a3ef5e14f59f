"""Connects the workflow to its topics: commands, decisions, uses and outcomes in; decisions and results out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from processors.documents.canonical import digest_of
from processors.events.exceptions import (
    CommandKind,
    ExceptionCommand,
    Status,
    command_from_record,
    decision_from_record,
)
from processors.events.kinds import BLOCKED, CHECKED, INSTALL_REQUESTED
from processors.events.outcomes import install_finished_from_record
from processors.events.topics import (
    APPROVAL_DECISIONS,
    EXCEPTION_REQUESTS,
    EXCEPTION_USES,
    INSTALL_OUTCOMES,
    MATRIX_REFRESHES,
)
from processors.exception_workflow import answers, measures
from processors.exception_workflow.cases import Cases, fact, refused
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.intake import headers_to_pass, in_order, require_short, require_uuid
from processors.exception_workflow.measures import ExceptionGauges
from processors.exception_workflow.notify.notifier import Notifier
from processors.exception_workflow.proof.commands import stated, verify_command
from processors.exception_workflow.proof.keys import KeyRing
from processors.exception_workflow.proof.token import Proof
from processors.exception_workflow.proof.verify import verify
from processors.exception_workflow.rules import parking
from processors.exception_workflow.rules.due import DueIndex
from processors.exception_workflow.rules.reasons import Objection, Reason
from processors.exception_workflow.rules.revisions import Refreshed, Revisions
from processors.exception_workflow.rules.scope import Basis, basis_of
from processors.exception_workflow.rules.transitions import Move, decide, reported
from processors.exception_workflow.rules.triggers import Commanded, Decided, RecheckSent, Reported, UseReported
from processors.exception_workflow.state.case import (
    DIGESTS,
    ExceptionCase,
    Held,
    Parked,
    PendingDigest,
)
from processors.exception_workflow.state.changelog import Changelog
from processors.exception_workflow.state.move_context import SOURCE, MoveContext
from processors.observability import metrics
from processors.stream.seals import Seals
from processors.stream.types import Inbound, Outbound, Outcome, View
from processors.stream.wire.codec import Codec
from processors.stream.wire.partitioner import partition_of
from processors.stream.wire.writer import EventWriter
from processors.trust.sources import NOBODY, Trust

MOST_FIRED, MOST_RECHECKED = 1000, 200
"""The most states that one tick moves. The next tick is a second away, and a transaction should stay short."""

FEATURE = "plugin-compat-exception"
_OFFERED = frozenset({CommandKind.REQUESTED, CommandKind.AMENDED, CommandKind.EXTENSION_REQUESTED})
"""What cannot be requested while the feature is off. Ending an exception can."""

_UNION_INDEX = 1
"""The most bytes before the optional report of a command. A longer prefix means that the report was altered."""


class ExceptionWorkflow:
    """Holds the state of every exception, and is the only place that turns a block into ALLOW_BY_EXCEPTION.

    `keys` gives the currently trusted keys, `offered` whether exceptions may be requested at all. They may change
    between batches; nothing that is committed is judged again. Approved exceptions stay in force while exceptions
    are not offered. Uses are trusted, and re-checks are sent, under `seals`. `pages` is the public address of the
    gateway, where answers say that their report can be read.
    """

    name = "exception-workflow"
    inputs = (EXCEPTION_REQUESTS, APPROVAL_DECISIONS, EXCEPTION_USES, INSTALL_OUTCOMES)

    def __init__(
        self,
        codec: Codec,
        policy: ExceptionPolicy,
        keys: Callable[[], KeyRing],
        seals: Seals,
        offered: Callable[[], bool] = lambda: True,
        trust: Trust = NOBODY,
        pages: str = "",
    ) -> None:
        self._policy, self._keys, self._seals, self._offered, self._pages = policy, keys, seals, offered, pages
        self._standing = ExceptionGauges(policy)
        self._due = DueIndex(policy)
        self._notifier = Notifier(codec, policy, self._due.note)
        self._cases = Cases(policy, keys, self._notifier, self._due.note)
        self.tables = (Revisions(codec.decoder(MATRIX_REFRESHES, "MatrixRefreshed").split, trust),)
        self._commands = codec.decoder(EXCEPTION_REQUESTS, "ExceptionRequested")
        self._decisions = codec.decoder(APPROVAL_DECISIONS, "ApprovalDecided", canonical=True)
        self._uses = codec.decoder(EXCEPTION_USES, "ExceptionUseRequested")
        self._outcomes = codec.decoder(INSTALL_OUTCOMES, "InstallFinished")
        self._results = EventWriter(codec, CHECKED, SOURCE)
        self._blocks = EventWriter(codec, BLOCKED, SOURCE)
        self._questions = EventWriter(codec, INSTALL_REQUESTED, SOURCE)
        self._changelog = Changelog(codec, self._questions.renewed, self._due.note)
        self.state = self._changelog.spec
        self._handlers: Mapping[str, Callable[[Inbound, View, Outcome], None]] = {
            EXCEPTION_REQUESTS: self._command,
            APPROVAL_DECISIONS: self._decision,
            EXCEPTION_USES: self._use,
            INSTALL_OUTCOMES: self._outcome,
        }

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        outcome = Outcome()
        for record in in_order(batch):
            if outcome.waits(record):
                continue
            with outcome.rejecting(record):
                before = len(outcome.writes)
                self._handlers[record.topic](record, view, outcome)
                self._changelog.require_room(outcome.writes[before:])
        return outcome

    def tick(self, now: int, view: View) -> Outcome:
        """Fires timers, refuses orphaned decisions, sends digests, and requests re-checks."""
        outcome = Outcome()

        def state(key: str) -> Held | None:
            return view.state(_partition(key, view)).get(key)

        def until(key: str) -> int:
            return view.read_until(_partition(key, view))

        for held in self._due.due(now, until, state, MOST_FIRED):
            context = MoveContext(_partition(held.key, view), until(held.key), view, outcome)
            if isinstance(held, PendingDigest):
                self._notifier.send_digest(context, held)
            else:
                self._cases.put(outcome, context.partition, held, self._cases.caught_up(context, held))
        mark = _refreshed(view).mark
        moved = {write.key for write in outcome.writes}  # `state` does not contain yet what has just fired
        for case in self._due.unjudged(mark, state, MOST_RECHECKED) if mark else ():
            if case.key not in moved:
                self._ask_again(case, mark, MoveContext(_partition(case.key, view), now, view, outcome))
        return outcome

    def observe(self, outcome: Outcome, view: View) -> None:
        metrics.FEATURE.labels(self.name, FEATURE).set(self._offered())
        measures.count(outcome.facts)
        held = (case for partition in view.partitions() for case in view.state(partition).values())
        self._standing.show(held, view.now)

    def _command(self, record: Inbound, view: View, outcome: Outcome) -> None:
        envelope, tail = self._commands.split(record.value)
        require_short(envelope)
        report = self._commands.tail(tail)
        command = command_from_record(envelope)
        require_uuid(command.exception_id)
        if self._moved_home(record, command.exception_id, view, outcome):
            return
        if command.kind is CommandKind.REVOCATION_REQUESTED:
            proof = Proof(command.proof_kind, command.proof or "")
            self._judge(record, command.exception_id, proof, view, outcome, command)
            return
        context = MoveContext.of(record, view, outcome)
        before = self._cases.held(context, command.exception_id)
        if command.kind is CommandKind.UNKNOWN:
            self._notifier.publish(
                context, refused(before, context, Objection(Reason.UNKNOWN_COMMAND, "nobody knows this command"))
            )
            return
        subject = b"" if envelope["subject"] is None else self._questions.tail(envelope["subject"])
        basis = None if report is None else basis_of(report, digest_of(tail[_UNION_INDEX:]))
        case = self._cases.caught_up(context, before)
        move = self._commanded(case, command, basis, subject, context)
        self._notifier.publish(context, move)
        if move.changed and move.after.status is Status.CHECKING:
            self._ask(move.after, context)
        self._cases.put(outcome, context.partition, before, move.after)

    def _commanded(
        self,
        case: ExceptionCase,
        command: ExceptionCommand,
        basis: Basis | None,
        subject: bytes,
        context: MoveContext,
    ) -> Move:
        """Handle a command of the author that its proof names."""
        try:
            author = verify_command(command, self._policy.proof, self._keys(), context.now)
            self._require_offered(command.kind)
        except Objection as objection:
            return refused(case, context, objection)
        asked = Commanded(
            command=replace(command, requester=author.person),
            at=context.now,
            cause=context.cause,
            basis=basis,
            subject=subject,
            subject_digest=digest_of(subject),
            mark=_refreshed(context.view).mark,
            spent_until=author.spent_until,
        )
        return decide(case, asked, self._policy)

    def _require_offered(self, kind: CommandKind) -> None:
        """Raises Objection for what cannot be requested while the feature is off."""
        if kind in _OFFERED and not self._offered():
            raise Objection(Reason.FEATURE_OFF, f"exceptions are switched off by the feature {FEATURE}")

    def _decision(self, record: Inbound, view: View, outcome: Outcome) -> None:
        written = self._decisions(record.value)
        require_short(written)
        decision = decision_from_record(written)
        require_uuid(decision.exception_id)
        if not self._moved_home(record, decision.exception_id, view, outcome):
            proof = Proof(decision.proof_kind, decision.proof, decision.decision)
            self._judge(record, decision.exception_id, proof, view, outcome)

    def _judge(
        self,
        record: Inbound,
        exception_id: str,
        proof: Proof,
        view: View,
        outcome: Outcome,
        command: ExceptionCommand | None = None,
    ) -> None:
        """Verify a proof with any verb, then apply it to the exception, or park it.

        `command` is the command that carried the proof, if it was one.
        """
        context = MoveContext.of(record, view, outcome)
        before = self._cases.held(context, exception_id)
        case = self._cases.caught_up(context, before)
        try:
            decision = verify(proof, self._policy.proof, self._keys(), record.timestamp)
            if command is not None:
                stated(command, decision.person)
            if parking.comes_early(case, decision):
                waits = (record.timestamp, context.cause, decision.jti)
                early = Parked(proof.kind, proof.token, proof.decision, *waits)
                move = Move(case, parking.park(case, early), fact("parked", context, decision))
            else:
                move = decide(
                    case, Decided(decision=decision, at=record.timestamp, cause=context.cause), self._policy
                )
        except Objection as objection:
            move = refused(case, context, objection)
        self._notifier.publish(context, move)
        self._cases.put(outcome, context.partition, before, move.after)

    def _use(self, record: Inbound, view: View, outcome: Outcome) -> None:
        self._seals.check(record)
        envelope, tail = self._uses.split(record.value)
        require_short(envelope)
        overtaken = record.timestamp < _refreshed(view).at
        use = answers.use_of(envelope, self._uses.tail(tail), digest_of(tail), overtaken=overtaken)
        if self._moved_home(record, use.exception_id, view, outcome):
            return
        context = MoveContext.of(record, view, outcome)
        before = self._cases.held(context, use.exception_id)
        asked = UseReported(use=use, at=record.timestamp, cause=context.cause)
        move = decide(self._cases.caught_up(context, before), asked, self._policy)
        self._notifier.publish(context, move)
        result = answers.result(envelope, use, move, record.timestamp, self._pages)
        context.publish(self._results.joined(result, tail, context.now, context.headers))
        if move.fact.reasons and use.recheck_of is None:
            block = answers.block(envelope, use, move.fact.reasons, record.timestamp, self._pages)
            context.publish(self._blocks.joined(block, tail, context.now, context.headers))
        if use.recheck_of is None:
            codes = tuple(sorted({finding.code for finding in use.basis.blocking}))
            outcome.facts.append(measures.Answered(result.verdict, use.basis.band, codes))
        opened = move.fact.event == "review_opened"
        case = self._cases.call_parked(context, move.after) if opened else move.after
        self._cases.put(outcome, context.partition, before, case)

    def _outcome(self, record: Inbound, view: View, outcome: Outcome) -> None:
        written = self._outcomes(record.value)
        require_short(written)
        news = install_finished_from_record(written)
        if news.exception_id is None:
            return
        require_uuid(news.exception_id)
        if self._moved_home(record, news.exception_id, view, outcome):
            return
        context = MoveContext.of(record, view, outcome)
        before = self._cases.held(context, news.exception_id)
        case = self._cases.caught_up(context, before)
        told = reported(case, Reported(news=news, at=record.timestamp, cause=context.cause), self._policy)
        move = decide(case, told, self._policy)
        self._notifier.publish(context, move)
        self._cases.put(outcome, context.partition, before, move.after)

    def _moved_home(self, record: Inbound, exception_id: str, view: View, outcome: Outcome) -> bool:
        """Forward a record to the partition that holds its exception, if a client wrote it to another one."""
        home = partition_of(exception_id.encode(), view.partition_count(record.topic))
        if home == record.partition:
            return False
        key, headers = exception_id.encode(), headers_to_pass(record)
        outcome.publish(Outbound(record.topic, key, record.value, headers, partition=home))
        return True

    def _ask_again(self, case: ExceptionCase, mark: str, context: MoveContext) -> None:
        move = decide(case, RecheckSent(mark=mark, at=context.now), self._policy)
        self._notifier.publish(context, move)
        self._ask(move.after, context)
        self._cases.put(context.outcome, context.partition, case, move.after)

    def _ask(self, case: ExceptionCase, context: MoveContext) -> None:
        """Ask the checker to answer the question of an exception again."""
        question = self._questions.joined(
            answers.recheck(case, context.now), case.subject, context.now, context.headers
        )
        context.publish(self._seals.sealed(question))


def _partition(key: str, view: View) -> int:
    if key.startswith(DIGESTS):
        return int(key.split("/")[1])
    return partition_of(key.encode(), view.partition_count(EXCEPTION_REQUESTS))


def _refreshed(view: View) -> Refreshed:
    return view.table(MATRIX_REFRESHES)
