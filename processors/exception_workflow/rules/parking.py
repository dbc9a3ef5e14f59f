"""Parks decisions that arrive before their review is open, in the first round or a later one.

Topics have no order between them, and the guard is asked before a review opens. Only a verified decision about this
exception is parked, so that nobody can fill the state with noise. A decision that has waited too long is refused as
an orphan.
"""

from __future__ import annotations

from processors.events.exceptions import Status
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.proof.verify import Decision
from processors.exception_workflow.rules.reasons import Objection, Reason
from processors.exception_workflow.rules.transitions import OVER
from processors.exception_workflow.state.case import ExceptionCase, Parked

MOST_PARKED = 16


def comes_early(case: ExceptionCase, decision: Decision) -> bool:
    """Whether the request that a decision is about may still arrive."""
    if decision.exception_id != case.exception_id:
        return False
    if case.status is Status.CHECKING:
        return decision.report_digest == case.report_digest
    return not case.exists or (case.status in OVER and decision.report_digest not in case.reports)


def park(case: ExceptionCase, early: Parked) -> ExceptionCase:
    """Raises Objection if this one, or too many, are parked already."""
    if any(parked.jti == early.jti for parked in case.parked):
        raise Objection(Reason.REPLAYED, "the proof waits for its request already")
    if len(case.parked) >= MOST_PARKED:
        raise Objection(Reason.TOO_MANY_PARKED, f"{MOST_PARKED} decisions wait for this request already")
    return case._replace(parked=(*case.parked, early))


def orphans(case: ExceptionCase, policy: ExceptionPolicy, until: int) -> tuple[ExceptionCase, tuple[Parked, ...]]:
    """Those that have waited too long at `until`, and the case without them."""
    late = tuple(parked for parked in case.parked if parked.at + policy.clocks.parking <= until)
    if not late:
        return case, ()
    return case._replace(parked=tuple(parked for parked in case.parked if parked not in late)), late


def called(case: ExceptionCase) -> tuple[ExceptionCase, tuple[Parked, ...]]:
    """The request has arrived: everything that was parked for it, in the order of arrival."""
    return case._replace(parked=()), case.parked
