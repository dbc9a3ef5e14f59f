"""A table: loaded whole before the first batch, followed, and never broken by a bad record."""

import time
from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from examples.counting import Counting
from examples.ground import Ground, eventually

from processors.errors import RegistryUnavailable
from processors.stream.types import Inbound, Outbound, Outcome, Reject, View

pytestmark = pytest.mark.stack


class Prices:
    """A fold: the last price of each fruit. A price that is no number is refused."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.unavailable = 0
        self._prices: dict[bytes, int] = {}

    def apply(self, records: Sequence[Inbound]) -> Sequence[Reject]:
        rejects: list[Reject] = []
        for record in records:
            if self.unavailable:
                self.unavailable -= 1
                raise RegistryUnavailable("no schema today")
            try:
                self._prices = {**self._prices, record.key or b"": int(record.value or b"")}
            except ValueError:
                rejects.append(Reject(record, "matrix_refused", "the price is no number", "fold"))
        return rejects

    def snapshot(self) -> Any:
        return MappingProxyType(self._prices)


class Till(Counting):
    """Answers each fruit with its price."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.prices = Prices(f"{name}-prices")
        self.tables = (self.prices,)

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        prices = view.table(self.prices.topic)
        answers = [Outbound(self.output, r.key, str(prices.get(r.key, "none")).encode()) for r in batch]
        return Outcome(outputs=answers)


@pytest.fixture
def till(ground: Ground) -> Till:
    till = Till(ground.name)
    ground.for_processor(till, partitions=1)
    ground.topics(till.prices.topic, partitions=3, **{"cleanup.policy": "compact"})
    return till


def ask(ground: Ground, till: Till, *fruits: bytes) -> None:
    ground.write(till.inputs[0], [(fruit, b"?") for fruit in fruits])


def test_a_table_is_whole_before_the_first_batch(ground: Ground, till: Till) -> None:
    """A thousand prices on three partitions, and the last one is known to the first customer."""
    ground.write(till.prices.topic, [(str(n).encode(), str(n).encode()) for n in range(1000)])
    ask(ground, till, b"999", b"0", b"pear")

    with ground.running(till):
        eventually(lambda: len(ground.values(till.output)) == 3)

    assert ground.values(till.output) == [b"999", b"0", b"none"]


def test_a_table_follows_its_topic(ground: Ground, till: Till) -> None:
    ground.write(till.prices.topic, [(b"pear", b"1")])
    with ground.running(till) as worker:
        eventually(lambda: worker.health.ready)
        ground.write(till.prices.topic, [(b"pear", b"2")])
        eventually(lambda: till.prices.snapshot()[b"pear"] == 2)
        ask(ground, till, b"pear")
        eventually(lambda: ground.values(till.output) == [b"2"])


def test_a_price_that_came_while_nobody_asked_is_the_one_that_counts(ground: Ground, till: Till) -> None:
    """The wait for the first customer may be long; what changed meanwhile is known when he comes."""
    ground.settings = replace(ground.settings, poll=4.0)
    ground.write(till.prices.topic, [(b"pear", b"1")])
    ask(ground, till, b"pear")
    with ground.running(till):
        eventually(lambda: ground.values(till.output) == [b"1"])
        ground.write(till.prices.topic, [(b"pear", b"2")])
        time.sleep(1)  # well within the wait that has begun
        ask(ground, till, b"pear")
        eventually(lambda: ground.values(till.output) == [b"1", b"2"])


def test_a_bad_refresh_leaves_the_last_good_one_standing(ground: Ground, till: Till) -> None:
    """It becomes a dead letter, once, and the till goes on with the old price."""
    ground.write(till.prices.topic, [(b"pear", b"1")])
    with ground.running(till) as worker:
        eventually(lambda: worker.health.ready)
        ground.write(till.prices.topic, [(b"pear", b"dear")])
        eventually(lambda: ground.values(ground.settings.dead_letters))
        ask(ground, till, b"pear")
        eventually(lambda: ground.values(till.output) == [b"1"])

    [letter] = ground.read(ground.settings.dead_letters)
    assert letter.value == b"dear"
    assert dict(letter.headers)["__streams.errors.topic"] == till.prices.topic.encode()


def test_a_table_that_cannot_be_decoded_for_now_makes_everybody_wait(ground: Ground, till: Till) -> None:
    """Its records are kept and folded later; nobody is served from half a table."""
    till.prices.unavailable = 3
    ground.write(till.prices.topic, [(b"pear", b"1")])
    ask(ground, till, b"pear")

    with ground.running(till):
        eventually(lambda: ground.values(till.output) == [b"1"])

    assert till.prices.unavailable == 0


def test_an_empty_table_is_a_table(ground: Ground, till: Till) -> None:
    """Never loaded and loaded empty look different to health, and the fold says what empty means."""
    ask(ground, till, b"pear")
    with ground.running(till) as worker:
        eventually(lambda: ground.values(till.output) == [b"none"])
        assert worker.health.ready


def test_what_a_table_refuses_is_quarantined_once_however_often_it_is_read(ground: Ground, till: Till) -> None:
    """The topic keeps the record, so that each start finds it; what is refused later is quarantined as well."""
    ground.write(till.prices.topic, [(b"pear", b"dear"), (b"plum", b"cheap")])
    for start in range(3):
        fresh = Till(ground.name)
        with ground.running(fresh):
            ask(ground, fresh, b"fig")
            eventually(lambda start=start: len(ground.values(till.output)) == start + 1)
            eventually(lambda: len(ground.values(ground.settings.dead_letters)) >= 2)
    assert sorted(ground.values(ground.settings.dead_letters)) == [b"cheap", b"dear"]

    with ground.running(Till(ground.name)) as worker:
        eventually(lambda: worker.health.ready)
        ground.write(till.prices.topic, [(b"kiwi", b"green")])
        eventually(lambda: len(ground.values(ground.settings.dead_letters)) == 3)
