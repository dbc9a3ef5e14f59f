"""The notifications about a source whose level has changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from processors.events.notifications import Urgency
from processors.matrix.writing import instant
from processors.staleness.freshness import WHOLE, Change, Level

_WARNING, _CRITICAL = Urgency.WARNING, Urgency.CRITICAL

HOUR: Final = 3_600_000
RUNBOOK: Final = "deploy/prometheus/RUNBOOKS.md"


class Notice(NamedTuple):
    kind: str
    urgency: Urgency
    subject: str
    body: str
    link: str


_REFRESH: Final = (
    "Publish it with `compat-guard matrix sync` or `compat-guard matrix publish`, and see why its pipeline did not."
)


def notice(change: Change, now: int) -> Notice:
    """In plain words: what is the matter, what it does to installations, and what to do."""
    name = "the matrix" if change.name == WHOLE else f"matrix source {change.name}"
    match change.after:
        case Level.AGEING:
            return Notice(
                "matrix_ageing",
                _WARNING,
                f"{name} expires soon",
                _ageing(change, now),
                _link("matrixageing"),
            )
        case Level.EXPIRED:
            body = f"Every check that rests on it blocks with MATRIX_EXPIRED since {_expiry(change)}. {_REFRESH}"
            return Notice("matrix_expired", _CRITICAL, f"{name} has expired", body, _link("matrixexpired"))
        case Level.AHEAD:
            return Notice(
                "matrix_ahead",
                _WARNING,
                f"{name} was issued in the future",
                _ahead(change),
                _link("matrixahead"),
            )
        case Level.MISSING:
            why = "No source has published one" if change.name == WHOLE else "It is required and not there"
            body = f"{why}, so every request blocks with MATRIX_MISSING. {_REFRESH}"
            subject = "there is no matrix" if change.name == WHOLE else f"{name} is missing"
            return Notice("matrix_missing", _CRITICAL, subject, body, _link("matrixmissing"))
        case Level.WITHDRAWN:
            body = "Its owner signed that. What it demanded binds no more; if nobody meant that, publish it again."
            return Notice("matrix_withdrawn", _WARNING, f"{name} was withdrawn", body, _link("matrixexpired"))
        case Level.FRESH:
            until = f" It expires at {_expiry(change)}." if change.source else ""
            body = f"It was {_WAS.get(change.before, 'new')}, and is in effect.{until}"
            return Notice("matrix_fresh", Urgency.INFO, f"{name} is fresh again", body, "")


_WAS: Final[Mapping[Level | None, str]] = {
    Level.AGEING: "about to expire",
    Level.EXPIRED: "expired",
    Level.AHEAD: "issued in the future",
    Level.MISSING: "missing",
}


def _ageing(change: Change, now: int) -> str:
    left = (change.source.expires_at - now) / HOUR if change.source else 0
    return f"It expires in {left:.1f} hours, at {_expiry(change)}; then checks that rest on it block. {_REFRESH}"


def _ahead(change: Change) -> str:
    issued = instant(change.source.issued_at) if change.source else "a time to come"
    return (
        f"It states that it was issued at {issued}. Until then nobody can say how old it is, and readers ignore "
        f"what corrects it. See whose clock is wrong, and withdraw it before it is published again."
    )


def _expiry(change: Change) -> str:
    return instant(change.source.expires_at) if change.source else "now"


def _link(anchor: str) -> str:
    return f"{RUNBOOK}#{anchor}"
