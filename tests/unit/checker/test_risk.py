"""The score, against numbers that were worked out by hand."""

from __future__ import annotations

import pytest

from processors.checker.risk import band, score
from processors.events.report import Demand, Finding
from processors.events.vocabulary import Band, Code, Dimension, Distance, Effect, Severity
from processors.matrix.document import DEFAULT_SEVERITIES, DEFAULT_WEIGHTS


def found(code: Code, dimension: Dimension, severity: Severity) -> Finding:
    return Finding(
        code=code,
        dimension=dimension,
        effect=Effect.BLOCK,
        severity=severity,
        subject="a",
        object="b",
        required=Demand(constraint="*"),
        distance=Distance.NONE,
        severity_percent=DEFAULT_SEVERITIES[severity],
    )


HOST_MAJOR = found(Code.HOST_TOO_OLD, Dimension.HOST, Severity.MAJOR)
MISSING = found(Code.DEPENDENCY_MISSING, Dimension.DEPENDENCY, Severity.MISSING)


@pytest.mark.parametrize(
    ("findings", "expected", "in_band"),
    [
        pytest.param([], 0, Band.NONE, id="nothing"),
        pytest.param([HOST_MAJOR], 75, Band.HIGH, id="host a major version too old"),
        pytest.param([found(Code.HOST_TOO_OLD, Dimension.HOST, Severity.MINOR)], 45, Band.MEDIUM, id="minor"),
        pytest.param([found(Code.HOST_TOO_OLD, Dimension.HOST, Severity.PATCH)], 23, Band.LOW, id="patch, half up"),
        pytest.param([MISSING], 60, Band.MEDIUM, id="one dependency missing"),
        pytest.param([MISSING] * 3, 60, Band.MEDIUM, id="three dependencies missing"),
        pytest.param([HOST_MAJOR, MISSING], 90, Band.CRITICAL, id="host and dependency"),
        pytest.param(
            [found(Code.MATRIX_MISSING, Dimension.MATRIX, Severity.MISSING)], 70, Band.HIGH, id="matrix missing"
        ),
        pytest.param(
            [found(Code.MATRIX_BLOCK, Dimension.MATRIX, Severity.PATCH)], 70, Band.HIGH, id="the floor of a block"
        ),
        pytest.param(
            [found(Code.SECURITY_ADVISORY, Dimension.SECURITY, Severity.MAJOR)], 90, Band.CRITICAL, id="critical"
        ),
    ],
)
def test_known_scores(findings: list[Finding], expected: int, in_band: Band) -> None:
    """The formula of the module's docstring, rounded half up once."""
    risk = score(findings, DEFAULT_WEIGHTS)

    assert (expected, in_band) == (risk.score, risk.band)


LIMITS = {1: "LOW", 39: "LOW", 40: "MEDIUM", 69: "MEDIUM", 70: "HIGH", 89: "HIGH", 90: "CRITICAL", 100: "CRITICAL"}


@pytest.mark.parametrize(("at", "name"), LIMITS.items())
def test_bands(at: int, name: str) -> None:
    """A band begins at its number."""
    assert band(at) == name
