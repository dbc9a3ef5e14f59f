"""The way back for dead letters: read them, pick some, and send the originals to where they first came from.

Sending again is safe: consumers know an event by its id, and one that is still unreadable comes back as another
dead letter that carries `guard.replayed`. Nothing is deleted here; retention does that.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from processors.errors import BrokerUnavailable, SettingsInvalid
from processors.stream.io import clients
from processors.stream.loop.dead_letters import Letter, read_letter
from processors.stream.loop.inbound import Polled
from processors.stream.loop.transaction import is_end_of_partition, raise_if_serious
from processors.stream.settings import StreamSettings
from processors.stream.types import Inbound

_QUIET = 50
"""Empty polls of 0.2 s after which a broker counts as away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which dead letters. What is None does not matter; `since` is milliseconds since the epoch, inclusive."""

    topic: str | None = None
    reason: str | None = None
    processor: str | None = None
    since: int | None = None
    ids: Collection[str] | None = None

    def __contains__(self, letter: Letter) -> bool:
        return (
            self.topic in (None, letter.topic)
            and self.reason in (None, letter.reason)
            and self.processor in (None, letter.processor)
            and (self.since is None or letter.record.timestamp >= self.since)
            and (self.ids is None or letter.id in self.ids)
        )


def letters(settings: StreamSettings, wanted: Wanted) -> Iterator[Letter]:
    """The dead letters there are by now, partition by partition as they come, each partition in order.

    Raises:
        BrokerUnavailable: the broker fell silent.
        SettingsInvalid: there is no such topic.
    """
    with _reading(settings) as reader:
        count = clients.partition_count(reader, settings.dead_letters)
        for record in _to_the_end(reader, settings.dead_letters, range(count)):
            letter = read_letter(record)
            if letter is not None and letter in wanted:
                yield letter


def newest(found: Iterable[Letter]) -> list[Letter]:
    """Without those that were sent again and came back: the later one stands for both."""
    found = list(found)
    came_back = {letter.again for letter in found}
    return [letter for letter in found if letter.id not in came_back]


def replay(settings: StreamSettings, chosen: Iterable[Letter], allowed: Collection[str]) -> int:
    """Send the originals again and return how many. All of them have arrived by then.

    `allowed` are the topics that may be written to: a dead letter's own word on where it came from is not enough.

    Raises:
        SettingsInvalid: a letter wants to go to another topic. Nothing is sent.
        BrokerUnavailable: some did not arrive; send all of them again.
    """
    chosen = list(chosen)
    for letter in chosen:
        if letter.topic not in allowed:
            raise SettingsInvalid(f"dead letter {letter.id} names topic `{letter.topic}`, which nobody declares")
    failures: list[str] = []

    def note(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append(error.str())

    producer = clients.plain_producer(settings)
    for letter in chosen:
        topic, key, value, headers, _ = letter.original(_source(settings, letter))
        producer.produce(topic, value, key, headers=cast(Any, list(headers)), on_delivery=note)
    left = producer.flush(settings.retry_deadline)
    producer.close()
    if left or failures:
        raise BrokerUnavailable(f"not every record arrived: {(failures or ['no answer in time'])[0]}")
    return len(chosen)


def _source(settings: StreamSettings, letter: Letter) -> Inbound:
    """What holds the original's bytes; one too large for a dead letter is fetched from where it first lay."""
    if not letter.truncated:
        return letter.record
    with _reading(settings) as reader:
        at = TopicPartition(letter.topic, letter.partition, letter.offset)
        for record in _records(reader, [at]):
            if record.offset == letter.offset:
                return record
            break
    raise SettingsInvalid(f"the original of dead letter {letter.id} has left topic `{letter.topic}`")


def _to_the_end(reader: Consumer, topic: str, partitions: Iterable[int]) -> Iterator[Inbound]:
    return _records(reader, [TopicPartition(topic, n, OFFSET_BEGINNING) for n in partitions])


def _records(reader: Consumer, starts: list[TopicPartition]) -> Iterator[Inbound]:
    reader.assign(starts)
    unread, silence = {start.partition for start in starts}, 0
    while unread:
        messages = reader.consume(1000, 0.2)
        silence = 0 if messages else silence + 1
        if silence > _QUIET:
            raise BrokerUnavailable("the broker fell silent while dead letters were read")
        for message in messages:
            if (error := message.error()) is None:
                yield Polled(message)
                continue
            raise_if_serious(error)
            if is_end_of_partition(error):
                unread.discard(cast(int, message.partition()))


@contextmanager
def _reading(settings: StreamSettings) -> Generator[Consumer]:
    reader = clients.reader(settings, "dead-letters")
    try:
        yield reader
    finally:
        reader.close()
