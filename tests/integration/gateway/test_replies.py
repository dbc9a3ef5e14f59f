"""The reader of answers, on a real broker."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import pytest
from examples.ground import eventually
from examples.guard import Guard

from processors.embedded import Addresses
from processors.events.topics import RESULTS
from processors.gateway.replies import Replies
from processors.stream.io import clients
from processors.stream.io.contact import Contact
from processors.stream.io.follow import Follower
from processors.stream.types import Inbound

pytestmark = pytest.mark.stack

NOBODY = "127.0.0.1:1"


@pytest.fixture
def guard(guarded: Addresses) -> Iterator[Guard]:
    guard = Guard(guarded)
    yield guard
    guard.close()


def test_a_reader_that_has_lost_every_broker_is_replaced(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that callers who wait keep their connections, and get what has come meanwhile."""
    keys, failures, readers = list[bytes | None](), list[BaseException](), list[Follower]()
    settings, contact, key = guard.ground.settings, Follower.contact, str(uuid.uuid4())

    def deliver(_: object, results: Sequence[Inbound]) -> None:
        keys.extend(record.key for record in results)

    with closing(clients.reader(replace(settings, bootstrap=NOBODY), "lost")) as lost:

        def contact_of(follower: Follower, topic: str) -> Contact:
            readers.append(follower)
            return Contact(settings, {topic: lost}, every=0) if len(readers) == 1 else contact(follower, topic)

        monkeypatch.setattr(Follower, "contact", contact_of)
        replies = Replies(settings, guard.codec, deliver, lambda _: None, failures.append)
        replies.start()
        try:
            eventually(lambda: len(readers) > 1)
            guard.send(RESULTS, key, b"")
            eventually(lambda: key.encode() in keys)
        finally:
            replies.stop()
            guard.take_away(RESULTS)  # no other reader can decode it

    assert failures == []
