from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from processors.errors import BrokerUnavailable
from processors.events.topics import LEDGER_ANCHORS
from processors.ledger.anchoring import Anchoring
from processors.ledger.chain import Head
from processors.ledger.keys import new_keys
from processors.ledger.transaction import Committed
from processors.stream.types import Outbound

KEY = new_keys().anchors[-1]


class Topic:
    """Takes what is published, unless it is away."""

    def __init__(self) -> None:
        self.records: list[Outbound] = []
        self.away = False

    def __call__(self, records: Sequence[Outbound]) -> None:
        if self.away:
            raise BrokerUnavailable("away")
        self.records += records

    @property
    def sequences(self) -> list[tuple[str, int]]:
        events: list[dict[str, Any]] = [json.loads(record.value or b"") for record in self.records]
        return [(event["topic"], event["sequence"]) for event in events]


def anchoring(topic: Topic, every: float) -> Anchoring:
    return Anchoring(lambda event: json.dumps(event).encode(), topic, KEY, every)


def grown(topic: str, sequence: int) -> Committed:
    at = (topic, 0)
    return Committed({at: sequence}, {at: Head(sequence, b"h" * 32)})


def test_a_head_is_published_once_in_a_while() -> None:
    """Not with every commit; and then the newest."""
    topic = Topic()
    after_commit = anchoring(topic, every=3600)
    for sequence in (1, 2, 3):
        after_commit(grown("t", sequence))
    after_commit.publish_now()

    assert topic.sequences == [("t", 1), ("t", 3)]


def test_what_an_outage_kept_back_comes_later() -> None:
    """The ledger goes on without its anchors, and makes up for them."""
    topic = Topic()
    topic.away = True
    after_commit = anchoring(topic, every=0.0)
    after_commit(grown("t", 1))
    topic.away = False
    after_commit(grown("u", 5))

    assert topic.sequences == [("t", 1), ("u", 5)]


def test_the_anchors_own_chain_is_not_anchored() -> None:
    """Or each anchor would lead to another for ever."""
    topic = Topic()
    anchoring(topic, every=0.0)(grown(LEDGER_ANCHORS, 1))

    assert topic.records == []
