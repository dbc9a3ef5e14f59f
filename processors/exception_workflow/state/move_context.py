"""The context of a move: a moment, a partition, and the outcome of the batch to which it adds."""

from __future__ import annotations

from processors.stream.types import Inbound, Outbound, Outcome, View

SOURCE = "/compat-guard/exception-workflow"


class MoveContext:
    """`now` is the broker's time of the record, or the time up to which a tick may look.

    Traces continue from the record.
    """

    __slots__ = ("cause", "headers", "now", "outcome", "partition", "view")

    def __init__(
        self, partition: int, now: int, view: View, outcome: Outcome, record: Inbound | None = None
    ) -> None:
        self.partition, self.now, self.view, self.outcome = partition, now, view, outcome
        self.cause = "clock" if record is None else cause_of(record)
        self.headers = () if record is None else record.headers

    @classmethod
    def of(cls, record: Inbound, view: View, outcome: Outcome) -> MoveContext:
        return cls(record.partition, record.timestamp, view, outcome, record)

    def publish(self, record: Outbound) -> None:
        """Add an event to the outcome."""
        self.outcome.publish(record)


def cause_of(record: Inbound) -> str:
    """How decisions refer to the record that caused them."""
    return f"{record.topic}/{record.partition}/{record.offset}"
