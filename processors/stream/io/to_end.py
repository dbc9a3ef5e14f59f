"""Reads assigned partitions to their end: shared by tables, changelogs and commands."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import cast

from confluent_kafka import Consumer, Message

from processors.errors import BrokerUnavailable
from processors.stream.denials import unreadable
from processors.stream.loop.inbound import Polled
from processors.stream.loop.transaction import At, is_end_of_partition, raise_if_serious
from processors.stream.types import Inbound

MOST_AT_ONCE = 1_000
"""Records of one batch, unless the caller chooses another number."""


def available(consumer: Consumer, most: int, patience: float) -> list[Message]:
    """The messages that have come; if there are none, those that come first within `patience` seconds.

    `consume` alone would wait that long for the last of `most`, also at the end of a topic.
    """
    first = consumer.poll(patience)
    return [] if first is None else [first, *consumer.consume(most - 1, 0)]


def to_end(
    consumer: Consumer,
    unread: dict[At, int],
    patience: float,
    silent: str,
    alive: Callable[[], None] = lambda: None,
    most: int = MOST_AT_ONCE,
    *,
    persistent: bool = False,
) -> Iterator[Sequence[Inbound]]:
    """Batches of records, until every partition of `unread` is read up to at least the given offset.

    Finished partitions are removed from `unread`, so that a second call continues where the first was interrupted.
    `alive` is called before each wait. The time between two batches does not count as silence. A `persistent` one
    waits on where a topic is denied: a broker that has just started may not know its access rules yet.

    Raises:
        AccessDenied: a topic may not be read.
        BrokerUnavailable: nothing came for `patience` seconds; it begins with `silent`, and says what is denied.
        OffsetsLost, Fatal: as for every consumer.
    """
    heard, refusal = time.monotonic(), None
    while unread:
        alive()
        messages = available(consumer, most, 0.2)
        if not messages and time.monotonic() - heard > patience:
            raise BrokerUnavailable(f"{silent} for {patience:g} s" + (f": {refusal}" if refusal else ""))
        records: list[Inbound] = []
        for message in messages:
            if (error := message.error()) is None:
                records.append(Polled(message))
            elif is_end_of_partition(error):
                at = (str(message.topic()), cast(int, message.partition()))
                if cast(int, message.offset()) >= unread.get(at, 0):
                    unread.pop(at, None)
            elif (found := unreadable(error, message.topic())) is None:
                raise_if_serious(error)
            elif persistent:
                refusal = found
            else:
                raise found
        if records:
            yield records
        heard = time.monotonic() if messages else heard
