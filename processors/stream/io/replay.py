"""Replays dead letters: reads and selects them, and sends the originals to their first topic again.

Replaying is safe: consumers recognise an event by its id, and one that is still unreadable comes back as another
dead letter that carries `guard.replayed`. Nothing is deleted here; retention does that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

from processors.errors import SettingsInvalid, Undeliverable
from processors.stream.io.follow import Follower
from processors.stream.io.publish import Publisher
from processors.stream.loop.dead_letters import Letter, read_letter
from processors.stream.settings import StreamSettings
from processors.stream.types import Inbound


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which dead letters are wanted. None matches all; `since` is milliseconds since the epoch, inclusive."""

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
    """The present dead letters, partition by partition, each in order.

    Raises:
        BrokerUnavailable: the broker stopped answering.
        SettingsInvalid: there is no such topic.
    """
    with closing(Follower(settings, "dead-letters", brief=True)) as follower:
        follower.from_beginning([settings.dead_letters])
        for record in follower.read():
            letter = read_letter(record)
            if letter is not None and letter in wanted:
                yield letter


def newest(found: Iterable[Letter]) -> list[Letter]:
    """Without those that were replayed and came back: the later one stands for both."""
    found = list(found)
    came_back = {letter.again for letter in found}
    return [letter for letter in found if letter.id not in came_back]


def replay(settings: StreamSettings, chosen: Iterable[Letter], allowed: Collection[str]) -> int:
    """Send the originals again and return how many. All of them have been delivered by then.

    `allowed` are the topics that may be written to: a dead letter's own statement of its origin is not enough.

    Raises:
        SettingsInvalid: a letter names another topic. Nothing is sent.
        BrokerUnavailable: some were not delivered; send all of them again.
    """
    chosen = list(chosen)
    for letter in chosen:
        if letter.reason == Undeliverable.reason:
            raise SettingsInvalid(
                f"dead letter {letter.id} holds what one target of the relay did not take, and its event is on "
                "its topic; use `compat-guard deliveries replay`"
            )
        if letter.topic not in allowed:
            raise SettingsInvalid(f"dead letter {letter.id} names topic `{letter.topic}`, which nobody declares")
    with closing(Publisher(settings, settings.retry_deadline)) as publish:
        publish([letter.original(_source(settings, letter)) for letter in chosen])
    return len(chosen)


def _source(settings: StreamSettings, letter: Letter) -> Inbound:
    """The record with the original's bytes.

    An original that was too large for a dead letter is read from its first place.
    """
    if not letter.truncated:
        return letter.record
    with closing(Follower(settings, "dead-letters", brief=True)) as follower:
        follower.from_offset(letter.topic, letter.partition, letter.offset)
        record = next(follower.read(), None)
    if record is None or record.offset != letter.offset:
        raise SettingsInvalid(f"the original of dead letter {letter.id} has left topic `{letter.topic}`")
    return record
