"""How often one caller may ask: per subject, in this replica.

Counted here and by no library, since those that were looked at sweep what has expired in a thread or a task of
their own for every request, which cost a tenth of a check.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple


class Rate(StrEnum):
    """What is counted together."""

    CHECK = "check"
    APPROVE = "approve"
    LEDGER = "ledger"
    READ = "read"


class Quota(NamedTuple):
    """So many requests in so many seconds, wherever these begin."""

    amount: int
    window: int


RATES: Final[Mapping[Rate, Quota]] = {
    Rate.CHECK: Quota(100, 2),
    Rate.APPROVE: Quota(5, 5),
    Rate.LEDGER: Quota(25, 5),
    Rate.READ: Quota(100, 2),
}
"""Each allows its average over the window at once: a burst of 100 checks, and 50 a second in the long run."""

_LONGEST: Final = max(quota.window for quota in RATES.values())


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
            "RateLimit-Policy": f'"{self.rate}";q={item.amount};w={item.window}',
            "RateLimit": f'"{self.rate}";r={self.remaining};t={self.reset}',
        }


class Limits:
    """Counts who asked what in the last seconds. Only verified subjects are counted, so nobody can fill it.

    Belongs to the event loop. `clock` tells seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._granted: dict[tuple[Rate, str], deque[float]] = {}
        self._swept = clock()

    @property
    def callers(self) -> int:
        """How many are remembered, each once for each rate."""
        return len(self._granted)

    def take(self, rate: Rate, caller: str) -> Allowance:
        """Count one request, if it is granted."""
        now, quota = self._clock(), RATES[rate]
        self._sweep(now)
        granted = self._granted.setdefault((rate, caller), deque())
        _forget(granted, now - quota.window)
        if is_granted := len(granted) < quota.amount:
            granted.append(now)
        reset = math.ceil(granted[0] + quota.window - now)
        return Allowance(rate, is_granted, quota.amount - len(granted), max(1, reset))

    def _sweep(self, now: float) -> None:
        """Forget callers who have not asked for a while, now and then."""
        if now - self._swept < _LONGEST:
            return
        self._swept = now
        for known, granted in list(self._granted.items()):
            _forget(granted, now - RATES[known[0]].window)
            if not granted:
                del self._granted[known]


def _forget(granted: deque[float], until: float) -> None:
    while granted and granted[0] <= until:
        granted.popleft()
