"""The severity of a vulnerability: the base score of a CVSS v3 vector, and its rating.

After the Common Vulnerability Scoring System v3.1, sections 7.1 (base equations), 7.4 (weights), 5 (ratings) and
appendix A (roundup). Vectors of v3.0 have the same base equations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from processors.errors import DocumentRefused, shorten

_LONGEST: Final = 512
_PREFIXES: Final = ("CVSS:3.1", "CVSS:3.0")

_IMPACT: Final = {"H": 0.56, "L": 0.22, "N": 0.0}
_BASE: Final[Mapping[str, Mapping[str, float]]] = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "PR": {"N": 0.85, "L": 0.62, "H": 0.27},
    "UI": {"N": 0.85, "R": 0.62},
    "S": {"U": 0.0, "C": 1.0},
    "C": _IMPACT,
    "I": _IMPACT,
    "A": _IMPACT,
}
_PRIVILEGES_IF_CHANGED: Final = {"N": 0.85, "L": 0.68, "H": 0.5}

_RATINGS: Final = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.0, "low"))
"""The lowest score of each rating. A score of zero, which CVSS calls "none", counts as low."""


def rating(score: float) -> str:
    """The policy's rating for a score from 0 to 10."""
    return next(word for lowest, word in _RATINGS if score >= lowest)


def base_score(vector: str) -> float:
    """From 0.0 to 10.0, in tenths. Temporal and environmental metrics are ignored.

    Raises DocumentRefused for an invalid vector of v3.0 or v3.1.
    """
    metrics = _metrics(vector)
    weights = {name: known[metrics[name]] for name, known in _BASE.items()}
    changed = metrics["S"] == "C"
    if changed:
        weights["PR"] = _PRIVILEGES_IF_CHANGED[metrics["PR"]]
    impact = _impact(weights, changed=changed)
    exploitability = 8.22 * weights["AV"] * weights["AC"] * weights["PR"] * weights["UI"]
    if impact <= 0:
        return 0.0
    return _roundup(min((1.08 if changed else 1.0) * (impact + exploitability), 10.0))


def _impact(weights: Mapping[str, float], *, changed: bool) -> float:
    share = 1 - (1 - weights["C"]) * (1 - weights["I"]) * (1 - weights["A"])
    return 7.52 * (share - 0.029) - 3.25 * (share - 0.02) ** 15 if changed else 6.42 * share


def _roundup(score: float) -> float:
    """Up to the next tenth, in whole hundred-thousandths, so that 4.02 never becomes 4.1 for a float's last bit."""
    whole = round(score * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (whole // 10_000 + 1) / 10


def _metrics(vector: str) -> Mapping[str, str]:
    prefix, *parts = vector[:_LONGEST].split("/")
    if prefix not in _PREFIXES or len(vector) > _LONGEST:
        raise _unreadable(vector, "it begins with CVSS:3.1 or CVSS:3.0")
    metrics: dict[str, str] = {}
    for part in parts:
        name, _, value = part.partition(":")
        if name in metrics:
            raise _unreadable(vector, f"each metric once, found `{shorten(name)}` twice")
        metrics[name] = value
    for name, known in _BASE.items():
        if metrics.get(name) not in known:
            raise _unreadable(vector, f"{name} as one of {', '.join(known)}")
    return metrics


def _unreadable(vector: str, expected: str) -> DocumentRefused:
    return DocumentRefused("", f"expected a CVSS v3 vector, {expected}; found `{shorten(vector)}`")
