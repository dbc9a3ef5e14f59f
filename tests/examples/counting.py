"""The smallest processor with state: it numbers the records of each key."""

from __future__ import annotations

from collections.abc import Sequence

from processors.errors import EventUnreadable
from processors.stream.types import Fold, Inbound, Outbound, Outcome, StateSpec, View


class Counting:
    """Answers every record with its number among those of its key. The word `bad` is unreadable to it."""

    tables: tuple[Fold, ...] = ()

    def __init__(self, name: str = "counting") -> None:
        self.name = name
        self.inputs = (f"{name}-in",)
        self.output = f"{name}-out"
        self.state = StateSpec(f"{name}-state", encode=lambda count: str(count).encode(), decode=int)

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        outcome = Outcome()
        for record in batch:
            with outcome.rejecting(record):
                key = (record.key or b"").decode(errors="replace")
                count = (outcome.get(view, record.partition, key) or 0) + 1
                outcome.put(record.partition, key, count)
                if record.value == b"bad":
                    raise EventUnreadable("body", "the word is bad")
                outcome.publish(Outbound(self.output, key.encode(), str(count).encode(), record.headers))
        return outcome

    def tick(self, now: int, view: View) -> Outcome:
        return Outcome()
