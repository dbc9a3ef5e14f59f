"""The sink's own comparison of the ledger with the topics, one range at a time.

Every record is compared once, soon after it was filed, with the content of the database. The database stores how
far the comparison has come, so a restart leaves nothing out. At a difference it stops: the next run finds the same
one again, until it is repaired. `ledger verify` finds what is changed in the database later.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, text

from processors.contracts.topics import Topic
from processors.errors import GuardError, Unavailable
from processors.ledger import metrics
from processors.ledger.database import reading, writing
from processors.ledger.filing import At
from processors.ledger.numbering import of_life
from processors.ledger.origins import Identify, changes, life_of, lives
from processors.ledger.reconcile import Comparison, Difference, Filed, Stretch, filed
from processors.stream.io.follow import Follower
from processors.stream.settings import StreamSettings

STRETCH: Final = 20_000
"""Offsets that are compared at once: some 2 MB of digests."""

STRETCHES: Final = 20
"""Ranges of one partition before the others are compared again."""

_log = structlog.get_logger(__name__)


class Watch:
    """Compares every `every` seconds in its own thread, until it is stopped. Only one sink at a time compares a
    topic.

    An unavailable server is waited for; the metric of the last comparison shows for how long. Topics that do not
    exist yet, or are not those from which the ledger was filed, are left out.
    """

    def __init__(
        self, engine: Engine, settings: StreamSettings, topics: Sequence[Topic], identify: Identify, every: float
    ) -> None:
        self._engine, self._settings, self._topics, self._every = engine, settings, topics, every
        self._identify = identify
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ledger-watch", daemon=True)

    def start(self) -> None:
        metrics.compared()  # it counts from here
        self._thread.start()

    def stop(self, patience: float = 5.0) -> None:
        self._stopped.set()
        self._thread.join(patience)

    def _run(self) -> None:
        while not self._stopped.wait(self._every):
            started = time.monotonic()
            try:
                self.compare()
            except Exception as error:  # noqa: BLE001 - the edge: the sink goes on filing, and an alert tells the silence
                _log.error("filed records cannot be compared", error=type(error).__name__, message=str(error))
            else:
                _log.debug("filed records were compared", seconds=time.monotonic() - started)

    def compare(self) -> list[Difference]:
        """Compare what was filed since the last time, and report differences.

        An error with one topic is logged and does not prevent the others, but then the comparison does not count as
        complete.
        """
        found: list[Difference] = []
        is_whole = True
        follower = Follower(self._settings, "ledger")
        try:
            for topic in self._comparable():
                try:
                    of_topic = self._compare_topic(topic, follower)
                except Unavailable:
                    raise
                except GuardError as error:
                    is_whole = False
                    why = {"error": type(error).__name__, "message": str(error)}
                    _log.error("filed records of a topic cannot be compared", topic=topic.name, **why)
                else:
                    metrics.differ(topic.name, of_topic)
                    found += of_topic
        finally:
            follower.close()
        if is_whole:
            metrics.compared()
        return found

    def _comparable(self) -> list[Topic]:
        """Topics that exist and from which the ledger was filed."""
        there = self._identify([topic.name for topic in self._topics])
        with reading(self._engine) as connection:
            others = {change.topic for change in changes(lives(connection), there)}
        return [topic for topic in self._topics if topic.name in there and topic.name not in others]

    def _compare_topic(self, topic: Topic, follower: Follower) -> list[Difference]:
        found: list[Difference] = []
        for partition in range(follower.partitions(topic.name)):
            for _ in range(STRETCHES):
                with writing(self._engine) as connection:
                    differences, is_done = _next_stretch(connection, topic, partition, follower)
                found += differences
                if is_done or self._stopped.is_set():
                    break
        return found


def _next_stretch(
    connection: Connection, topic: Topic, partition: int, follower: Follower
) -> tuple[Sequence[Difference], bool]:
    """The differences in the next range of a partition, and whether that was everything for now."""
    life = life_of(connection, topic.name)
    at = (topic.name, of_life(partition, life))
    if not _hold(connection, at):
        return (), True
    first = _compared(connection, at)
    chains = filed(connection, topic.name, {}, life, Stretch(partition, first, first + STRETCH))
    end = chains[partition].next_offset if partition in chains else 0
    if end <= first:
        return (), True
    stretch = Stretch(partition, first, min(end, first + STRETCH))
    faults, reached = _compare(topic, stretch, chains, follower)
    reached = min([reached, end, *(fault.offset for fault in faults)])
    _note(connection, at, reached)
    return faults, bool(faults) or reached >= end


def _compare(
    topic: Topic, stretch: Stretch, chains: Mapping[int, Filed], follower: Follower
) -> tuple[list[Difference], int]:
    """The differences of a range, and the offset up to which there are no others: the end of the range, or more
    if the topic begins later by now."""
    comparison = Comparison(chains, topic.retention == "compacted")
    found: list[Difference] = []
    reached = stretch.last
    follower.from_offset(topic.name, stretch.partition, stretch.first)
    for record in follower.read():
        if record.offset >= stretch.last:
            reached = stretch.last if comparison.has_begun else record.offset
            break
        found += comparison.compare(record)
    return [*found, *comparison.end(topic.name)], reached


def _hold(connection: Connection, at: At) -> bool:
    """Whether no other process compares this chain until the transaction ends."""
    query = "SELECT pg_try_advisory_xact_lock(hashtextextended('comparing ' || :topic || '/' || :number, 0))"
    return connection.execute(text(query), {"topic": at[0], "number": str(at[1])}).scalar_one()


def _compared(connection: Connection, at: At) -> int:
    query = "SELECT next_offset FROM ledger.compared WHERE topic = :topic AND partition = :number"
    return connection.execute(text(query), {"topic": at[0], "number": at[1]}).scalar_one_or_none() or 0


def _note(connection: Connection, at: At, next_offset: int) -> None:
    connection.execute(
        text(
            "INSERT INTO ledger.compared (topic, partition, next_offset) VALUES (:topic, :number, :offset) "
            "ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset, compared_at = now()"
        ),
        {"topic": at[0], "number": at[1], "offset": next_offset},
    )
