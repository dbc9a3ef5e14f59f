"""Is this release still supported?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from processors.checker.case import Case
from processors.checker.statements import Statement
from processors.events.report import Finding
from processors.events.subject import NO_LIFECYCLE, Lifecycle
from processors.events.vocabulary import Code, DemandKind, Dimension, Distance, Effect, Ground, Severity

_WITHDRAWN = frozenset({"removed", "withdrawn", "yanked"})
_OVER = _WITHDRAWN | {"sunset", "retired", "eol", "end-of-life"}
_AGEING = frozenset({"deprecated", "legacy", "maintenance"})


def lifecycle_is_active(case: Case) -> Iterator[Finding]:
    """A release whose support has ended blocks; one whose end is announced warns."""
    for lifecycle, statement in _stated(case):
        status = lifecycle.status.strip().lower()
        begun = lifecycle.effective_date is None or lifecycle.effective_date <= case.now
        ended = lifecycle.sunset_at is not None and lifecycle.sunset_at <= case.now
        if ended or (status in _OVER and begun):
            found = day(lifecycle.sunset_at) if ended else status
            ground = Ground.ENDED if ended else Ground.UNKNOWN
            yield _finding(case, Code.LIFECYCLE_SUNSET, Effect.BLOCK, statement, lifecycle, found, ground)
        elif status in _AGEING and begun:
            ends = lifecycle.sunset_at is not None
            found = day(lifecycle.sunset_at) if ends else status
            ground = Ground.ENDS if ends else Ground.UNKNOWN
            yield _finding(case, Code.LIFECYCLE_DEPRECATED, Effect.WARN, statement, lifecycle, found, ground)


def is_withdrawn(lifecycle: Lifecycle, now: int) -> bool:
    """Whether the release must not be installed any more at all, rather than being merely unsupported."""
    begun = lifecycle.effective_date is None or lifecycle.effective_date <= now
    return begun and lifecycle.status.strip().lower() in _WITHDRAWN


def lifecycle_dates(case: Case) -> Iterator[int]:
    """The instants at which the answer of this rule changes, in milliseconds since the epoch."""
    for lifecycle in (case.manifest.lifecycle, *(release.lifecycle for release in case.listed)):
        if lifecycle is not NO_LIFECYCLE:
            yield from (date for date in (lifecycle.effective_date, lifecycle.sunset_at) if date is not None)


def day(instant: int | None) -> str:
    """The UTC day of an instant in milliseconds, as YYYY-MM-DD; for instants outside the calendar, the number."""
    if instant is None:
        return "an unknown day"
    try:
        return datetime.fromtimestamp(instant / 1000, UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):
        return f"instant {instant}"


def _stated(case: Case) -> Iterator[tuple[Lifecycle, Statement]]:
    if case.manifest.lifecycle is not NO_LIFECYCLE:
        yield case.manifest.lifecycle, Statement("", "manifest", case.plugin)
    for release in case.listed:
        if release.lifecycle is not NO_LIFECYCLE:
            yield release.lifecycle, Statement.of_release("", release)


def _finding(
    case: Case,
    code: Code,
    effect: Effect,
    statement: Statement,
    lifecycle: Lifecycle,
    found: str,
    ground: Ground,
) -> Finding:
    return Finding(
        code=code,
        dimension=Dimension.LIFECYCLE,
        effect=effect,
        severity=Severity.MAJOR if effect is Effect.BLOCK else Severity.STALE,
        subject=case.plugin,
        object=lifecycle.replacement or "release",
        required=statement.demand("", DemandKind.SUPPORTED),
        found=found,
        ground=ground,
        distance=Distance.NONE,
    )
