"""Metrics of the security context."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from processors.observability import metrics
from processors.policies import Policies, SecurityPolicy
from processors.security_context.decision import Decision
from processors.security_context.inquiry import PUBLISHER


class Came(StrEnum):
    """The result of a request."""

    TAKEN = "taken"
    HELD = "held"
    REFUSED = "refused"
    """The answer contains something that cannot be trusted."""
    FAILED = "failed"
    """There was no answer, or an invalid one."""


def begin() -> None:
    """A rate cannot see the first increment of a new series."""
    for came in Came:
        metrics.SECURITY_CONTEXT_ASKED.labels(came.value)
    for what in ("changed", "confirmed", "withdrawn", "foreign", "left_alone"):
        metrics.SECURITY_CONTEXT_POLICIES.labels(what)


def asked(came: Came) -> None:
    metrics.SECURITY_CONTEXT_ASKED.labels(came.value).inc()


def rounded(at: float) -> None:
    """Every page was requested, and every reply accepted. `at` is seconds since the epoch."""
    metrics.SECURITY_CONTEXT_ROUND.set(at)


def took(decision: Decision, foreign: int) -> None:
    counts = {
        "changed": len(decision.changed),
        "confirmed": len(decision.confirmed),
        "withdrawn": len(decision.withdrawn),
        "foreign": foreign,
        "left_alone": len(decision.left_alone),
    }
    for what, count in counts.items():
        metrics.SECURITY_CONTEXT_POLICIES.labels(what).inc(count)


def show(policies: Policies, held: int) -> None:
    """Set the gauges. `held` is how many of the last replies are held."""
    metrics.SECURITY_CONTEXT_HELD.set(held)
    metrics.SECURITY_CONTEXT_EXPIRY.set(_first_end(policies.by_component.values()) / 1000)


def hide() -> None:
    """Another replica asks."""
    for gauge in (
        metrics.SECURITY_CONTEXT_HELD,
        metrics.SECURITY_CONTEXT_EXPIRY,
        metrics.SECURITY_CONTEXT_ROUND,
    ):
        gauge.set(0)


def _first_end(policies: Iterable[SecurityPolicy]) -> int:
    ends = (p.valid_until for p in policies if p.publisher == PUBLISHER and p.valid_until is not None)
    return min(ends, default=0)
