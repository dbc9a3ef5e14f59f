"""What happens under an approved exception: uses and their outcomes."""

from __future__ import annotations

from processors.events.exceptions import Status
from processors.events.outcomes import InstallFinished, InstallOutcome, MonitoringStatus
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.rules.reasons import Objection, Reason
from processors.exception_workflow.rules.scope import failed_conditions
from processors.exception_workflow.rules.triggers import Reported, UseReported
from processors.exception_workflow.state.case import ExceptionCase, Execution

_KEPT_EXECUTIONS, _KEPT_OUTCOMES = 50, 50
_ENDS = (InstallOutcome.FAILED, InstallOutcome.ROLLED_BACK, InstallOutcome.CANCELLED, InstallOutcome.SUCCEEDED)


def use(case: ExceptionCase, asked: UseReported, policy: ExceptionPolicy) -> ExceptionCase:
    """Permit one installation. A single use is spent by it, whatever its outcome."""
    failed = failed_conditions(case, asked.use, policy, asked.at)
    if failed:
        raise Objection(failed, "the exception does not cover this request")
    execution = Execution(
        asked.use.request_id,
        asked.use.question,
        asked.use.operator,
        asked.use.target,
        asked.at,
        round=case.round,
        profile=case.profile,
    )
    return case._replace(
        status=Status.CONSUMED if case.single_use else Status.APPROVED,
        uses=case.uses + 1,
        executions=(*case.executions, execution)[-_KEPT_EXECUTIONS:],
    )


def is_repetition(case: ExceptionCase, asked: UseReported, policy: ExceptionPolicy) -> bool:
    """Whether this very question was permitted before in this round, is not over, and would still be permitted.

    A sender that publishes a request twice gets its answer twice; that is one installation and one use.
    """
    known = (asked.request_id, asked.use.question, "", case.round)
    if not any((e.request_id, e.question, e.ended, e.round) == known for e in case.executions):
        return False
    failed = failed_conditions(case, asked.use, policy, asked.at)
    return failed in ((), (Reason.ALREADY_USED,)) and asked.at < (case.valid_until or 0)


def holds(case: ExceptionCase, request_id: str, at: int) -> bool:
    """Whether the installation that a request was permitted may still begin: nothing is reported of how it ended,
    and the exception is neither over nor under review.

    A single use is spent by this very installation, so an exception that is used up lets it go on.
    """
    run = _run_of(case, request_id)
    in_force = case.status in (Status.APPROVED, Status.CONSUMED) and at < (case.valid_until or 0)
    return in_force and run is not None and not run.ended


def words_stand(case: ExceptionCase, request_id: str) -> bool:
    """Whether the words of the exception are those under which a request was permitted.

    Another round has others, and so may an amendment or an extension, each of which opens another review.
    """
    run = _run_of(case, request_id)
    return run is not None and case.opened_at <= run.at


def _run_of(case: ExceptionCase, request_id: str) -> Execution | None:
    """The latest installation that a request was permitted in this round."""
    mine = (run for run in reversed(case.executions) if (run.request_id, run.round) == (request_id, case.round))
    return next(mine, None)


def way_out(case: ExceptionCase) -> str:
    """What ends a review that nothing else can end; empty if something else can."""
    if case.status is not Status.NEEDS_REVIEW:
        return ""
    ends = f"`compat-guard exception revoke {case.exception_id}` ends it"
    if not may_be_extended(case):
        return f"{ends}; then it can be asked for anew"
    return f"`compat-guard exception extend {case.exception_id}` asks for a new review; {ends}"


def may_be_extended(case: ExceptionCase) -> bool:
    """Whether more time can still be requested: once, and not if the single use is spent."""
    lasts = case.status in (Status.APPROVED, Status.NEEDS_REVIEW)
    return lasts and not case.extended and not (case.single_use and case.uses)


def outcome(case: ExceptionCase, reported: Reported, policy: ExceptionPolicy) -> ExceptionCase:  # noqa: ARG001 - the shape of every rule
    """Record how an installation ended, whatever has happened to the exception meanwhile."""
    _require_ours(case, reported)
    return case._replace(executions=_noted(case, reported), outcomes=remembered(case, reported))


def monitoring_lost(case: ExceptionCase, reported: Reported, policy: ExceptionPolicy) -> ExceptionCase:  # noqa: ARG001 - the shape of every rule
    """An installation without its monitoring is not what was approved, so further uses wait for a review."""
    _require_ours(case, reported)
    return case._replace(
        status=Status.NEEDS_REVIEW, executions=_noted(case, reported), outcomes=remembered(case, reported)
    )


def cancelled(case: ExceptionCase, reported: Reported, policy: ExceptionPolicy) -> ExceptionCase:  # noqa: ARG001 - the shape of every rule
    """A cancelled installation needs no exception any more."""
    if elsewhere := contradictions(case, reported.news):
        raise Objection(elsewhere, _ELSEWHERE)
    return case._replace(status=Status.WITHDRAWN, outcomes=remembered(case, reported))


def contradictions(case: ExceptionCase, news: InstallFinished) -> tuple[Reason, ...]:
    """How an outcome contradicts the exception that it names. Missing fields contradict nothing."""
    ran = next((e for e in reversed(case.executions) if e.request_id == news.request_id), None)
    stated = (
        (Reason.TENANT_OUT_OF_SCOPE, news.tenant, case.scope.tenant),
        (Reason.PLUGIN_OUT_OF_SCOPE, news.plugin_id, case.scope.plugin_id),
        (Reason.VERSION_OUT_OF_SCOPE, news.plugin_version, case.scope.plugin_version),
        (Reason.TARGET_OUT_OF_SCOPE, news.target, ran.target if ran is not None else ""),
    )
    return tuple(reason for reason, said, ours in stated if said and ours and said != ours)


_ELSEWHERE = "this is the outcome of another installation"


def _require_ours(case: ExceptionCase, reported: Reported) -> None:
    """Raises Objection for what did not run under the exception; security is notified if it runs unmonitored."""
    news = reported.news
    unwatched = (Reason.MONITORING_LOST,) if news.monitoring is MonitoringStatus.LOST else ()
    if all(execution.request_id != news.request_id for execution in case.executions):
        text = "no installation of this request ran under the exception"
        raise Objection((Reason.UNKNOWN_EXECUTION, *unwatched), text)
    if elsewhere := contradictions(case, news):
        raise Objection((*elsewhere, *unwatched), _ELSEWHERE)


def remembered(case: ExceptionCase, reported: Reported) -> tuple[str, ...]:
    """The latest reported outcomes: one that its sender publishes twice takes effect once."""
    return (*case.outcomes, reported.news.told)[-_KEPT_OUTCOMES:]


def _noted(case: ExceptionCase, reported: Reported) -> tuple[Execution, ...]:
    news = reported.news
    ended = news.outcome.value if news.outcome in _ENDS else ""
    watched = news.monitoring is MonitoringStatus.ATTACHED and not reported.lacks
    return tuple(
        e._replace(ended=ended or e.ended, monitored=watched) if e.request_id == news.request_id else e
        for e in case.executions
    )
