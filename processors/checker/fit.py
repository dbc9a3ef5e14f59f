"""How a version misses a range: the comparison that the host, dependency and runtime rules share."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from processors.events.vocabulary import Distance, Severity
from processors.versions import Distance as Step
from processors.versions import Range, Version


class Side(Enum):
    """On which side of the range a version lies."""

    TOO_OLD = "too old"
    TOO_NEW = "too new"
    PRERELEASE = "only a pre-release"


class Misfit(NamedTuple):
    side: Side
    distance: Distance
    severity: Severity


_DISTANCE = {step: Distance(step.name) for step in Step}
_SEVERITY = {
    Distance.MAJOR: Severity.MAJOR,
    Distance.MINOR: Severity.MINOR,
    Distance.PATCH: Severity.PATCH,
    Distance.PRERELEASE: Severity.PRERELEASE,
}


def misfit(range: Range, version: Version) -> Misfit | None:
    """How the version misses the range; None if it is admitted. The range must not be empty.

    A version between two admitted intervals counts as too old, because the way out is an upgrade.
    """
    if range.admits(version):
        return None
    if range.excludes_only_as_prerelease(version):
        return Misfit(Side.PRERELEASE, Distance.PRERELEASE, Severity.PRERELEASE)
    distance = _DISTANCE[range.distance(version)]
    side = Side.TOO_NEW if range.lies_below(version) else Side.TOO_OLD
    return Misfit(side, distance, _SEVERITY[distance])
