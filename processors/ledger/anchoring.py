"""Publishes anchors after commits, about once a minute for each chain that has grown."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

import structlog
from joserfc.jwk import ECKey
from sqlalchemy import Engine

from processors.errors import AccessDenied, Unavailable
from processors.events.anchors import LedgerAnchored
from processors.events.kinds import ANCHORED
from processors.events.topics import LEDGER_ANCHORS
from processors.ledger import chain
from processors.ledger.anchors import anchor
from processors.ledger.chain import Head
from processors.ledger.database import cursor_of, writing
from processors.ledger.filing import At, columns_of
from processors.ledger.transaction import Committed
from processors.observability import metrics
from processors.stream.types import Outbound
from processors.stream.wire.headers import EventHeaders

_log = structlog.get_logger(__name__)

_HEADERS = EventHeaders(ANCHORED.type, "/compat-guard/ledger")


class ChainPosition(NamedTuple):
    """The head of a chain, and the next offset that it expects."""

    head: Head
    next_offset: int


Encode = Callable[[Mapping[str, Any]], bytes]
Publish = Callable[[Sequence[Outbound]], object]
Hold = Callable[[Iterable[At]], AbstractContextManager[Mapping[At, ChainPosition]]]
"""Reads the present heads of chains and locks them against others.

Chains that another process has locked are left out.
"""


class Anchoring:
    """Call it after every commit. What cannot be published now is published later.

    A head is read from the database when it is signed, whichever process has moved it there: another sink may own
    the partition by now, and a commit with unknown outcome may have succeeded. So a sink also anchors what its
    predecessor left behind. The chain of the anchors' own topic is not anchored, since each anchor would lead to
    another one.
    """

    def __init__(self, hold: Hold, encode: Encode, publish: Publish, key: ECKey, every: float) -> None:
        self._hold, self._encode, self._publish, self._key, self._every = hold, encode, publish, key, every
        self._touched: set[At] = set()
        self._anchored: dict[At, bytes] = {}
        self._next = 0.0

    def __call__(self, committed: Committed) -> None:
        self._touched |= {at for at in committed.positions if at[0] != LEDGER_ANCHORS}
        if self._touched and time.monotonic() >= self._next:
            self.publish_now()

    def publish_now(self) -> None:
        """Publish anchors of all chains that have grown. Outages and denials are logged, and stop no ledger."""
        self._next = time.monotonic() + self._every
        if not self._touched:
            return
        try:
            with self._hold(sorted(self._touched)) as standings:
                self._publish_heads(standings)
        except (Unavailable, AccessDenied) as error:
            _log.warning("anchors cannot be published", error=type(error).__name__, message=str(error))

    def _publish_heads(self, standings: Mapping[At, ChainPosition]) -> None:
        grown = {at: s for at, s in standings.items() if s.head.sequence and s.head.hash != self._anchored.get(at)}
        if grown:
            publish_anchors(grown, self._encode, self._publish, self._key)
            metrics.LEDGER_ANCHORS.inc(len(grown))
            metrics.LEDGER_ANCHORED.set_to_current_time()
        self._touched -= set(standings)
        self._anchored |= {at: standing.head.hash for at, standing in grown.items()}


def publish_anchors(standings: Mapping[At, ChainPosition], encode: Encode, publish: Publish, key: ECKey) -> None:
    """Sign the heads of chains and publish them. Raises what `publish` raises."""
    now = time.time_ns() // 1_000_000
    events = [anchor(*at, head, offset, now, key) for at, (head, offset) in standings.items()]
    publish([_record(event, encode) for event in events])


def _record(event: LedgerAnchored, encode: Encode) -> Outbound:
    return Outbound(ANCHORED.topic, event.key.encode(), encode(event.record()), _HEADERS(event.id, event.at))


def holding(engine: Engine) -> Hold:
    """Locks chains by advisory locks in Postgres, which end with the connection.

    Filing goes on meanwhile, and the anchors of a chain are published in the order of its growth, even by two sinks
    at a handover.
    """

    @contextmanager
    def hold(chains: Iterable[At]) -> Generator[Mapping[At, ChainPosition]]:
        with writing(engine) as connection:
            cursor = cursor_of(connection)
            cursor.execute(
                "SELECT topic, partition FROM unnest(%s::text[], %s::int[]) AS wanted(topic, partition) WHERE "
                "pg_try_advisory_xact_lock(hashtextextended(format('anchor of %%s/%%s', topic, partition), 0))",
                columns_of(chains),
            )
            held: list[At] = cursor.fetchall()
            cursor.execute(
                "SELECT topic, partition, next_offset, sequence, hash, batches, frontier FROM ledger.chain_head "
                "JOIN unnest(%s::text[], %s::int[]) AS held(topic, partition) USING (topic, partition)",
                columns_of(held),
            )
            yield {
                (topic, partition): ChainPosition(
                    Head(sequence, bytes(hash_), batches, chain.unpack(bytes(frontier))), offset
                )
                for topic, partition, offset, sequence, hash_, batches, frontier in cursor.fetchall()
            }

    return hold
