"""Commands of administrators: request, amend, withdraw, extend."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from processors.errors import shorten
from processors.events.exceptions import Category, ExceptionCommand, Status
from processors.events.vocabulary import Verdict
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.rules import rechecks
from processors.exception_workflow.rules.reasons import Objection, Reason
from processors.exception_workflow.rules.scope import Basis, is_about
from processors.exception_workflow.rules.triggers import Commanded
from processors.exception_workflow.state.case import ExceptionCase, PastRound, Spent

MOST_FINDINGS = 500
MOST_CONTROLS = 20
LONGEST_TEXT = 4000
_LISTED = 5
_KEPT_COMMANDS, _KEPT_ROUNDS, _KEPT_DIGESTS = 32, 20, 20


def request(case: ExceptionCase, asked: Commanded, policy: ExceptionPolicy) -> ExceptionCase:
    """Open a round and ask the guard whether the report is its own.

    Earlier rounds become history, except the used tokens, which must not be reused, and running installations,
    which still have to be monitored.
    """
    opened = _founded(ExceptionCase(exception_id=case.exception_id), asked, policy)
    past = (PastRound(case.round, case.status, case.approval_id, case.changed_at),) if case.exists else ()
    return opened._replace(
        round=case.round + 1,
        sequence=case.sequence,
        status=Status.CHECKING,
        rechecks=1,
        requester=asked.command.requester,
        requested_at=asked.at,
        superseded=_superseded(case, opened.report_digest),
        spent=case.spent,
        parked=case.parked,
        commands=case.commands,
        executions=tuple(execution for execution in case.executions if execution.runs),
        outcomes=case.outcomes,
        past=(case.past + past)[-_KEPT_ROUNDS:],
        before=case.asked if case.exists else None,
    )


def amend(case: ExceptionCase, asked: Commanded, policy: ExceptionPolicy) -> ExceptionCase:
    """Change what is requested. Earlier approvals were for the old request and are dropped.

    If the guard has not given the new report yet, it is asked first, as for a new request.
    """
    _by_requester(case, asked.command)
    changed = _founded(case, asked, policy)
    known = changed.report_digest == case.report_digest
    return changed._replace(
        status=Status.PENDING if known else Status.CHECKING,
        rechecks=case.rechecks if known else case.rechecks + 1,
        approvals=(),
        superseded=_superseded(case, changed.report_digest),
    )


def withdraw(case: ExceptionCase, asked: Commanded, policy: ExceptionPolicy) -> ExceptionCase:  # noqa: ARG001 - the shape of every rule
    _by_requester(case, asked.command)
    return case._replace(status=Status.WITHDRAWN)


def extend(case: ExceptionCase, asked: Commanded, policy: ExceptionPolicy) -> ExceptionCase:
    """Request more time, once, within the total that the band permits.

    The report of the last re-check may be included.
    """
    command = asked.command
    _by_requester(case, command)
    if case.extended:
        raise Objection(Reason.EXTENDED_ALREADY, "an exception is extended at most once; ask for another one")
    if case.single_use and case.uses:
        raise Objection(Reason.ALREADY_USED, "the single use is spent, and more time would be a second one")
    if asked.basis is not None and not rechecks.is_known(case, asked.basis.digest):
        raise Objection(
            Reason.REPORT_NOT_CONFIRMED,
            "an extension rests on the report that was approved or on the last re-check",
        )
    opened = case if asked.basis is None else _founded(case, asked, policy)
    limit = (case.granted_at or asked.at) + policy.max_validity(opened.band)
    wanted = limit if command.valid_until is None else command.valid_until
    if wanted > limit:
        raise too_long(wanted - limit + policy.max_validity(opened.band), policy.max_validity(opened.band))
    if case.valid_until is not None and wanted < min(case.valid_until, limit):
        raise Objection(Reason.VALIDITY_IN_PAST, "the exception lasts longer than that already")
    if wanted <= asked.at:
        raise Objection(Reason.VALIDITY_IN_PAST, "nothing is left of what the risk band permits in all")
    return opened._replace(
        status=Status.IN_REVIEW,
        approvals=(),
        extended=True,
        requested_at=asked.at,
        opened_at=asked.at,
        step_since=asked.at,
        fired=(),
        asked_until=wanted,
        valid_until=None,
        superseded=_superseded(case, opened.report_digest),
    )


def remembered(case: ExceptionCase, asked: Commanded) -> ExceptionCase:
    """The case with the command remembered: it takes effect once, however often anybody sends it."""
    id = asked.command.command_id
    spent = spend(case.spent, Spent(id, asked.spent_until), asked.at)
    return case._replace(commands=(*case.commands, id)[-_KEPT_COMMANDS:], spent=spent)


def is_repeated(case: ExceptionCase, command: ExceptionCommand) -> bool:
    return command.command_id in case.commands or any(spent.jti == command.command_id for spent in case.spent)


def spend(spent: tuple[Spent, ...], token: Spent, at: int) -> tuple[Spent, ...]:
    """Remember a token for as long as it could be used again."""
    return (*(one for one in spent if one.until > at), token)


def _by_requester(case: ExceptionCase, command: ExceptionCommand) -> None:
    if command.requester != case.requester:
        raise Objection(Reason.NOT_THE_REQUESTER, "somebody else asked for it")


def _superseded(case: ExceptionCase, current: str) -> tuple[str, ...]:
    """Digests of the reports that the exception was based on before, never of the current one."""
    known = dict.fromkeys((*case.superseded, case.report_digest))
    return tuple(digest for digest in known if digest and digest != current)[-_KEPT_DIGESTS:]


def _founded(case: ExceptionCase, asked: Commanded, policy: ExceptionPolicy) -> ExceptionCase:
    """The case based on the report and the words of a command, with its timers reset."""
    command = asked.command
    basis = _intact(asked)
    codes = _excepted(command, basis, policy)
    _stated(command, policy)
    rule = policy.band_rule(basis.band)
    if rule.use == "single" and not command.single_use:
        raise Objection(Reason.WINDOW_NOT_ALLOWED, f"the risk is {basis.band}")
    _within(command.valid_until, asked.at, policy.max_validity(basis.band))
    return case._replace(
        scope=command.scope,
        request_id=command.request_id,
        report_digest=basis.digest,
        input_digest=basis.input_digest,
        band=basis.band,
        score=basis.score,
        summary=clean(basis.summary)[:500],
        finding_ids=command.finding_ids,
        codes=codes,
        risk_statement=clean(command.risk_statement),
        category=command.category,
        controls=tuple(clean(control) for control in command.compensating_controls),
        asked_until=command.valid_until,
        single_use=command.single_use,
        opened_at=asked.at,
        step_since=asked.at,
        fired=(),
        profile=rule.monitoring,
        mark=asked.mark,
        subject=asked.subject,
        basis_digest=basis.basis_digest,
    )


def _intact(asked: Commanded) -> Basis:
    command, basis = asked.command, asked.basis
    if command.scope.exception_id != command.exception_id:
        raise Objection(Reason.SCOPE_MISMATCH, "the exception id is not that of the scope")
    if basis is None or not asked.subject:
        raise Objection(Reason.REPORT_MISSING, "the report of the block and its question belong to the request")
    if basis.digest != command.report_digest:
        raise Objection(Reason.REPORT_ALTERED, "the report is not the one whose digest is given")
    if asked.subject_digest != basis.input_digest:
        raise Objection(Reason.SUBJECT_ALTERED, "the report does not answer the question that came with it")
    if not is_about(basis, command.scope):
        raise Objection(Reason.SCOPE_MISMATCH, "the report is about something else than the scope")
    return basis


def _excepted(command: ExceptionCommand, basis: Basis, policy: ExceptionPolicy) -> tuple[str, ...]:
    """The codes of the findings to except."""
    if basis.verdict != Verdict.BLOCK or not basis.blocking:
        raise Objection(
            Reason.NOTHING_TO_EXCEPT,
            f"the verdict is {shorten(basis.verdict)}, findings that block: {len(basis.blocking)}",
        )
    if len(basis.blocking) > MOST_FINDINGS or len(command.finding_ids) > MOST_FINDINGS:
        raise Objection(Reason.TOO_MANY_FINDINGS, f"an exception covers at most {MOST_FINDINGS} findings")
    codes = {finding.id: finding.code for finding in basis.blocking}
    unknown = [id for id in command.finding_ids if id not in codes]
    if unknown or not command.finding_ids:
        named = f"`{shorten(unknown[0])}` is not among" if unknown else "it names none of"
        raise Objection(Reason.UNKNOWN_FINDING, f"{named} those that block, {_listed(basis)}")
    never = sorted({codes[id] for id in command.finding_ids if policy.is_never(codes[id])})
    if never:
        raise Objection(Reason.NEVER_EXCEPTED, f"{', '.join(never)} cannot be excepted")
    return tuple(codes[id] for id in command.finding_ids)


def _listed(basis: Basis) -> str:
    """The first findings that block, as the report shows them: each code with the id that names it."""
    first = ", ".join(f"{code} `{id}`" for id, code, _ in basis.blocking[:_LISTED])
    more = len(basis.blocking) - _LISTED
    return f"{first} and {more} more" if more > 0 else first


def stated(risk_statement: str, controls: Sequence[str], category: Category, policy: ExceptionPolicy) -> None:
    """Raises Objection if the words of a request are not acceptable. Clients may call this before they send one."""
    if len(controls) > MOST_CONTROLS:
        raise Objection(Reason.TEXT_TOO_LONG, f"an exception names at most {MOST_CONTROLS} compensating controls")
    if max(map(len, (risk_statement, *controls))) > LONGEST_TEXT:
        raise Objection(Reason.TEXT_TOO_LONG, f"a text has at most {LONGEST_TEXT} characters")
    own_words = _beside(policy.risk_statement.template, clean(risk_statement))
    said, needed = len(own_words), policy.risk_statement.min_length
    if said < needed:
        raise Objection(Reason.RISK_STATEMENT_MISSING, f"characters: {said} found, {needed} needed")
    if category is Category.UNKNOWN:
        raise Objection(Reason.CATEGORY_UNKNOWN, "an exception is a waiver or mitigated")
    if category is Category.MITIGATED and not any(map(str.strip, controls)):
        raise Objection(Reason.CONTROLS_MISSING, "a mitigated exception names its compensating controls")


def _stated(command: ExceptionCommand, policy: ExceptionPolicy) -> None:
    stated(command.risk_statement, command.compensating_controls, command.category, policy)
    if not command.requester.subject.strip():
        raise Objection(Reason.NOT_THE_REQUESTER, "a request needs a requester")


def _beside(template: str, text: str) -> str:
    """The text without the lines of the template: those say nothing about any risk."""
    for line in filter(None, map(str.strip, template.splitlines())):
        text = text.replace(line, "", 1)
    return " ".join(text.split())


def _within(until: int | None, at: int, longest: int) -> None:
    if until is not None and until <= at:
        raise Objection(Reason.VALIDITY_IN_PAST, "the validity asked for is over already")
    if until is not None and until - at > longest:
        raise too_long(until - at, longest)


def too_long(wanted: int, longest: int) -> Objection:
    """What is wrong with a validity of this many milliseconds, given the longest that is permitted."""
    return Objection(Reason.DURATION_TOO_LONG, f"{_days(wanted)} in all, and this risk permits {_days(longest)}")


def _days(milliseconds: int) -> str:
    return f"{milliseconds / 86_400_000:.3g} d"


def clean(text: str) -> str:
    """Text that is safe to show: no control characters, lone surrogates, or reversals of direction."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
