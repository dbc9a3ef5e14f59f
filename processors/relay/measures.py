"""Metrics of the relay, by target."""

from __future__ import annotations

from collections.abc import Sequence

from processors.observability import metrics
from processors.relay.delivery import Delivery, Reception, Reply
from processors.relay.target_status import Mode, TargetStatus


class DeliveryMeasures:
    """The metrics of one target, labelled with its name."""

    def __init__(self, target: str) -> None:
        self._target = target
        for reception in Reception:  # a rate cannot see the first increment of a new series
            metrics.RELAY_ATTEMPTS.labels(target, reception.value)
        metrics.RELAY_DEAD.labels(target)

    def tried(self, seconds: float, reply: Reply) -> None:
        metrics.RELAY_ATTEMPTS.labels(self._target, reply.reception.value).inc()
        metrics.RELAY_ATTEMPT_SECONDS.labels(self._target).observe(seconds)

    def accepted(self, delivery: Delivery, now: int) -> None:
        """Counted once it is committed."""
        metrics.RELAY_SECONDS.labels(self._target).observe(max(now - delivery.at, 0) / 1000)

    def died(self) -> None:
        metrics.RELAY_DEAD.labels(self._target).inc()

    def show(self, waiting: Sequence[Delivery], standing: TargetStatus) -> None:
        """Set every gauge."""
        metrics.RELAY_PENDING.labels(self._target).set(len(waiting))
        for pace, urgent in (("urgent", True), ("ordinary", False)):
            oldest = min((delivery.at for delivery in waiting if delivery.urgent is urgent), default=0)
            metrics.RELAY_OLDEST.labels(self._target, pace).set(oldest / 1000)
        for mode in Mode:
            metrics.RELAY_TARGET.labels(self._target, mode.value).set(standing.mode is mode)
