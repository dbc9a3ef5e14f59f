"""How a round of an exception ended: who ended it, when, and what they said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from processors.client.exception_facts import OPEN
from processors.events.exceptions import ExceptionDecided, Status
from processors.exception_workflow.state.case import ExceptionCase
from processors.gateway.console.advice import why_on_pages

Past = Sequence[ExceptionDecided]
"""All that was decided about an exception, the oldest first."""

_WORDS: Final[Mapping[Status, str]] = {
    Status.REJECTED: "Refused",
    Status.REVOKED: "Revoked",
    Status.WITHDRAWN: "Withdrawn",
    Status.LAPSED: "Not decided in time",
    Status.EXPIRED: "Its time is over",
    Status.VOIDED: "Not needed any more: nothing blocks",
    Status.CONSUMED: "Used",
}
_NOBODY: Final = frozenset({"", "clock", "matrix"})
_GUARD: Final = "exception-workflow"
"""Who asks the guard again about an exception."""


class Ending(NamedTuple):
    """`by` is empty where it was nobody, as when time was up; `why` where nobody said. `at` is milliseconds."""

    words: str
    by: str
    at: int
    why: str


def ending_of(case: ExceptionCase, past: Past) -> Ending | None:
    """Of the latest round; None while that is open."""
    return None if case.status in OPEN else _ending(case.round, case.status, past)


def ending_before(case: ExceptionCase, past: Past) -> Ending | None:
    """Of the round before; None for a first round."""
    if case.before is None or not case.past:
        return None
    return _ending(case.past[-1].round, case.past[-1].status, past)


def _ending(round: int, status: Status, past: Past) -> Ending | None:
    ended = [one for one in past if one.round == round and one.from_state != one.to_state == status]
    if not ended:
        return None
    last, words = ended[-1], _WORDS.get(status, status.value)
    actor = last.actor
    by = "" if actor in _NOBODY else "the guard" if actor == _GUARD else actor
    return Ending(words, by, last.at, why_on_pages(last))
