"""The risk score: an integer from 0 to 100 that anybody can compute again from the contributions.

For each dimension, the severities s of its findings, highest first, combine with halving:
D := D + (1 - D) * s_k * 2**-k. The score is 100 * (1 - product over dimensions of (1 - w * D)), as CVSS combines
impacts. Everything is integer: D is floored to basis points at each step, the product is exact, and the only
rounding is the last one, half up. A finding can only raise the score.

The fourteenth severity of a dimension is the last that can make up a basis point, so no more are listed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from processors.events.report import Contribution, Finding, Risk
from processors.events.vocabulary import Band, Code, Dimension, Severity

WHOLE = 10_000  # basis points
UNWEIGHTED = 70  # percent, for a dimension to which the matrix gives no weight
MATRIX_BLOCK_FLOOR = 70
CRITICAL_ADVISORY_FLOOR = 90
MOST_SEVERITIES = 14

NO_RISK = Risk(score=0, band=Band.NONE)


def score(findings: Iterable[Finding], weights: Mapping[Dimension, int]) -> Risk:
    """The risk of findings whose `severity_percent` is set. Weights are percent."""
    by_dimension: defaultdict[Dimension, list[int]] = defaultdict(list)
    floor: int | None = None
    for finding in findings:
        by_dimension[finding.dimension].append(finding.severity_percent)
        floor = _higher(floor, _floor(finding))
    if not by_dimension:
        return NO_RISK
    contributions = tuple(
        _contribution(dimension, by_dimension[dimension], weights.get(dimension, UNWEIGHTED))
        for dimension in sorted(by_dimension)
    )
    total = max(_total(contributions), floor or 0)
    return Risk(score=total, band=band(total), contributions=contributions, floor=floor)


def band(score: int) -> Band:
    if score <= 0:
        return Band.NONE
    for limit, name in ((40, Band.LOW), (70, Band.MEDIUM), (90, Band.HIGH)):
        if score < limit:
            return name
    return Band.CRITICAL


def percent(severity: Severity, severities: Mapping[Severity, int], *, optional: bool) -> int:
    """The number of a severity; half of it, rounded down, for an optional requirement."""
    number = severities[severity]
    return number // 2 if optional else number


def _contribution(dimension: Dimension, severities: list[int], weight: int) -> Contribution:
    ordered = tuple(sorted(severities, reverse=True)[:MOST_SEVERITIES])
    return Contribution(dimension, weight * 100, ordered, combined(ordered))


def combined(severities: Iterable[int]) -> int:
    """Severities in percent, highest first, combined with halving; in basis points."""
    total = 0
    for k, severity in enumerate(severities):
        total += (WHOLE - total) * severity // (100 << k)
    return total


def _total(contributions: Iterable[Contribution]) -> int:
    remaining, whole = 1, 1
    for c in contributions:
        remaining *= WHOLE * WHOLE - c.weight_bp * c.combined_bp
        whole *= WHOLE * WHOLE
    return (200 * (whole - remaining) + whole) // (2 * whole)


def _floor(finding: Finding) -> int | None:
    if finding.code is Code.MATRIX_BLOCK:
        return MATRIX_BLOCK_FLOOR
    if finding.code is Code.SECURITY_ADVISORY and finding.severity is Severity.MAJOR:
        return CRITICAL_ADVISORY_FLOOR
    return None


def _higher(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else max(a, b)
