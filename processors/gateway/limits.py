"""How often one caller may ask: per subject, in this replica."""

from __future__ import annotations

import time
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter


class Rate(StrEnum):
    """What is counted together."""

    CHECK = "check"
    APPROVE = "approve"
    LEDGER = "ledger"
    READ = "read"


RATES: Final[Mapping[Rate, RateLimitItem]] = {
    Rate.CHECK: RateLimitItemPerSecond(100, 2),
    Rate.APPROVE: RateLimitItemPerSecond(5, 5),
    Rate.LEDGER: RateLimitItemPerSecond(25, 5),
    Rate.READ: RateLimitItemPerSecond(100, 2),
}
"""Each allows its average over the window at once: a burst of 100 checks, and 50 a second in the long run."""


class Allowance(NamedTuple):
    """What a caller has left. `reset` is seconds until there is more."""

    rate: Rate
    granted: bool
    remaining: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        """As the IETF's draft of RateLimit header fields writes them."""
        item = RATES[self.rate]
        return {
            "RateLimit-Policy": f'"{self.rate}";q={item.amount};w={item.get_expiry()}',
            "RateLimit": f'"{self.rate}";r={self.remaining};t={self.reset}',
        }


class Limits:
    """Counts who asked what in the last seconds. Only verified subjects are counted, so nobody can fill it."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def take(self, rate: Rate, caller: str) -> Allowance:
        """Count one request, if it is granted."""
        granted = self._limiter.hit(RATES[rate], rate, caller)
        reset, remaining = self._limiter.get_window_stats(RATES[rate], rate, caller)
        return Allowance(rate, granted, max(remaining, 0), max(1, round(reset - time.time())))
