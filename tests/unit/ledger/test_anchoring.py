from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from processors.cli.ledger.queries import read_anchors
from processors.errors import BrokerUnavailable, DocumentRefused
from processors.events.topics import LEDGER_ANCHORS
from processors.ledger.anchoring import Anchoring, ChainPosition
from processors.ledger.chain import Head
from processors.ledger.filing import At
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
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(record.value or b"") for record in self.records]

    @property
    def sequences(self) -> list[tuple[str, int]]:
        return [(event["topic"], event["sequence"]) for event in self.events]


@dataclass
class World:
    """Chains as the database has them, the anchors' topic, and sinks that share both."""

    topic: Topic = field(default_factory=Topic)
    chains: dict[At, ChainPosition] = field(default_factory=dict[At, ChainPosition])
    held: set[At] = field(default_factory=set[At])

    @contextmanager
    def hold(self, chains: Iterable[At]) -> Generator[Mapping[At, ChainPosition]]:
        yield {at: self.chains[at] for at in chains if at not in self.held}

    def sink(self, every: float) -> Anchoring:
        return Anchoring(self.hold, lambda event: json.dumps(event).encode(), self.topic, KEY, every)

    def grow(self, topic: str, sequence: int) -> Committed:
        """A commit after which a chain has so many rows."""
        at, head = (topic, 0), Head(sequence, sequence.to_bytes(32, "big"))
        self.chains[at] = ChainPosition(head, sequence)
        return Committed({at: sequence}, {at: head})


def test_a_head_is_published_once_in_a_while() -> None:
    """Not with every commit; and then the newest."""
    world = World()
    after_commit = world.sink(every=3600)
    for sequence in (1, 2, 3):
        after_commit(world.grow("t", sequence))
    after_commit.publish_now()
    after_commit.publish_now()

    assert world.topic.sequences == [("t", 1), ("t", 3)]


def test_what_an_outage_kept_back_comes_later() -> None:
    """The ledger goes on without its anchors, and makes up for them."""
    world = World()
    world.topic.away = True
    after_commit = world.sink(every=0.0)
    after_commit(world.grow("t", 1))
    world.topic.away = False
    after_commit(world.grow("u", 5))

    assert world.topic.sequences == [("t", 1), ("u", 5)]


def test_the_anchors_own_chain_is_not_anchored() -> None:
    """Or each anchor would lead to another for ever."""
    world = World()
    world.sink(every=0.0)(world.grow(LEDGER_ANCHORS, 1))

    assert world.topic.records == []


def test_after_a_handover_the_old_owner_publishes_no_older_head() -> None:
    """It has a head in mind that was the newest when it committed, and the new owner has published since."""
    world = World()
    old, new = world.sink(every=3600), world.sink(every=0.0)
    old(world.grow("t", 10))
    old(world.grow("t", 20))
    new(world.grow("t", 40))
    old.publish_now()

    assert world.topic.sequences == [("t", 10), ("t", 40), ("t", 40)]


def test_a_quiet_chain_is_anchored_by_whoever_takes_it_over() -> None:
    """Also rows whose sink was killed before it told of them, or did not learn that they were committed."""
    world = World()
    world.grow("t", 20)
    quiet = Committed({("t", 0): 20}, {})
    successor = world.sink(every=0.0)
    successor(quiet)
    successor(quiet)

    assert world.topic.sequences == [("t", 20)]


def test_a_chain_that_another_sink_is_anchoring_has_its_turn_later() -> None:
    """Two at a time could overtake each other."""
    world = World()
    after_commit = world.sink(every=0.0)
    world.held = {("t", 0)}
    after_commit(world.grow("t", 1))
    world.held = set()
    after_commit(world.grow("u", 1))

    assert world.topic.sequences == [("t", 1), ("u", 1)]


@pytest.mark.parametrize("line", ["[]", "{}", "nothing", '{"anchor_id": "x"}'])
def test_a_file_that_holds_no_anchors_is_refused(tmp_path: Path, line: str) -> None:
    """With the command that prints some."""
    (tmp_path / "anchors.jsonl").write_text(line)

    with pytest.raises(DocumentRefused, match="ledger anchors"):
        read_anchors(tmp_path / "anchors.jsonl")


def test_a_head_that_is_anchored_again_is_another_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was tried in vain may be on the topic: two signatures under one id would look like a forgery."""
    world = World()
    committed = world.grow("t", 1)
    for second in (1, 2):
        monkeypatch.setattr("processors.ledger.anchoring.time.time_ns", lambda at=second: at * 10**9)
        world.sink(every=0.0)(committed)

    assert len({event["anchor_id"] for event in world.topic.events}) == 2
