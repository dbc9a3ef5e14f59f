"""The status of a target: active, broken (breaker open), held (it refuses our credentials) or disabled. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from processors.relay.delivery import Reception, Reply
from processors.relay.pace import MINUTE, SECOND, patience

IN_A_ROW = 5
WINDOW = 20
OF_WINDOW = 10
"""The breaker opens at 5 failures in a row, or at 10 among the last 20."""


class Mode(StrEnum):
    ACTIVE = "ACTIVE"
    BROKEN = "BROKEN"
    """The breaker is open: one probe at a time, with growing pauses."""
    HELD = "HELD"
    """The target refuses our credentials; probed likewise."""
    DISABLED = "DISABLED"
    """The target no longer exists. Nothing is sent until an operator resumes it, or its address changes."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """Milliseconds from opening the breaker to the first probe, and the most between two probes."""

    first: int = 30 * SECOND
    longest: int = 10 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetStatus:
    """The status of a target. `known_since` is when it was first seen; older events are not sent to it."""

    mode: Mode = Mode.ACTIVE
    known_since: int = 0
    changed_at: int = 0
    not_before: int = 0
    """No attempt before this instant, if any is allowed."""
    pause: int = 0
    endpoint: str = ""
    """Fingerprint of the address for which this status is valid."""
    message: str = ""
    recent: tuple[bool, ...] = ()
    """The last attempts while active, True for a failure, the newest last.

    Lost at a restart, which does no harm.
    """


def admits(standing: TargetStatus, now: int, *, in_flight: bool) -> bool:
    """Whether an attempt may begin. If the target is being probed, only while no other is in flight."""
    if standing.mode is Mode.DISABLED or now < standing.not_before:
        return False
    return standing.mode is Mode.ACTIVE or not in_flight


def judged(standing: TargetStatus, reply: Reply, pauses: Pauses, now: int, *, probe: bool) -> TargetStatus:
    """The status after an attempt.

    An attempt from before the breaker opened is no probe, and does not prolong the pause.
    """
    match reply.reception:
        case Reception.GONE:
            return _changed(standing, Mode.DISABLED, 0, reply, now)
        case Reception.UNAUTHORIZED:
            if standing.mode in (Mode.DISABLED, Mode.HELD) and not probe:
                return standing
            return _changed(standing, Mode.HELD, _next_pause(standing, Mode.HELD, pauses), reply, now)
        case Reception.ACCEPTED | Reception.REFUSED:
            if standing.mode is Mode.ACTIVE:
                return replace(standing, recent=(*standing.recent, False)[-WINDOW:])
            return resumed(standing, now) if probe else standing
        case Reception.FAILED:
            return _failed(standing, reply, pauses, now, probe=probe)


def resumed(standing: TargetStatus, now: int) -> TargetStatus:
    """Active again, with no failures counted."""
    return TargetStatus(known_since=standing.known_since, changed_at=now, endpoint=standing.endpoint)


def _failed(standing: TargetStatus, reply: Reply, pauses: Pauses, now: int, *, probe: bool) -> TargetStatus:
    if standing.mode is not Mode.ACTIVE:
        return (
            _changed(standing, Mode.BROKEN, _next_pause(standing, Mode.BROKEN, pauses), reply, now)
            if probe
            else standing
        )
    recent = (*standing.recent, True)[-WINDOW:]
    if is_broken(recent):
        return _changed(standing, Mode.BROKEN, pauses.first, reply, now)
    return replace(standing, recent=recent, not_before=max(standing.not_before, now + patience(reply)))


def is_broken(recent: tuple[bool, ...]) -> bool:
    in_a_row = len(recent) >= IN_A_ROW and all(recent[-IN_A_ROW:])
    return in_a_row or (len(recent) == WINDOW and sum(recent) >= OF_WINDOW)


def _next_pause(standing: TargetStatus, mode: Mode, pauses: Pauses) -> int:
    return min(standing.pause * 2, pauses.longest) if standing.mode is mode else pauses.first


def _changed(standing: TargetStatus, mode: Mode, pause: int, reply: Reply, now: int) -> TargetStatus:
    return replace(
        standing,
        mode=mode,
        changed_at=now if mode is not standing.mode else standing.changed_at,
        not_before=now + max(pause, patience(reply)),
        pause=pause,
        message=reply.message,
        recent=(),
    )
