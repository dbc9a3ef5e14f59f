"""When a consumer last received anything from a broker, without asking."""

from __future__ import annotations

import json
import time
from typing import Any, Final

from confluent_kafka import Consumer

EVERY_MS: Final = 1000
"""Milliseconds between two reports of librdkafka's statistics."""


class _LastHeard:
    """Takes the reports. Not the consumer itself: that would be a circle, which only the collector frees."""

    at = float("-inf")

    def __call__(self, statistics: str) -> None:
        idle = [broker["rxidle"] for broker in json.loads(statistics)["brokers"].values()]
        if since := [microseconds for microseconds in idle if microseconds >= 0]:
            self.at = max(self.at, time.monotonic() - min(since) / 1e6)


class HearingConsumer(Consumer):
    """A consumer that knows for how long it has heard nothing. One of an idle topic gets empty answers.

    It learns that in its calls of `poll` and `consume`.
    """

    def __init__(self, keys: dict[str, Any], **more: Any) -> None:
        self._last_heard = _LastHeard()
        super().__init__(
            {**keys, "statistics.interval.ms": EVERY_MS, "stats_cb": self._last_heard},
            **more,
        )

    @property
    def silence(self) -> float:
        """Seconds since a broker last sent it anything, as of the newest report. Infinite before the first."""
        return time.monotonic() - self._last_heard.at
