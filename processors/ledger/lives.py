"""The ledger's transaction for partitions as Kafka numbers them; below it, chains have numbers of their life."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from sqlalchemy import Engine

from processors.errors import DatabaseUnavailable, OriginChanged, Unavailable
from processors.ledger import metrics
from processors.ledger.database import writing
from processors.ledger.filing import At
from processors.ledger.numbering import of_life, partition_of
from processors.ledger.origins import Identify, lives, note
from processors.ledger.records import Row
from processors.ledger.transaction import Entries, PostgresTransaction
from processors.stream.types import Outbound, Outcome

LOOK_EVERY: Final = 30.0
"""Seconds between two looks at whether topics are still the same."""


class LivingTransaction:
    """Satisfies `stream.transaction.Transaction` by way of the ledger's own.

    Where a topic was created anew, or is found on another cluster, it waits for as long as there is patience for
    somebody to take it up, and shows why; then the process ends, and starts afresh. A sink files many topics in one
    transaction, so until then it files nothing of any topic; the records wait on theirs.
    """

    def __init__(
        self, inner: PostgresTransaction, engine: Engine, identify: Identify, patience: float = 30.0
    ) -> None:
        self._inner, self._engine, self._identify, self._patience = inner, engine, identify, patience
        self._lives: dict[str, int] = {}
        self._next_look = 0.0

    def committed(self, partitions: Sequence[At]) -> Mapping[At, int]:
        """Raises OriginChanged, DatabaseUnavailable, BrokerUnavailable once patience has ended."""
        if not partitions:
            return {}
        self._look({topic for topic, _ in partitions}, time.monotonic() + self._patience)
        chains = {at: self._chain(at) for at in partitions}
        found = self._inner.committed(list(chains.values()))
        return {at: found[chain] for at, chain in chains.items() if chain in found}

    def begin(self) -> None:
        """Raises OriginChanged where a topic has become another one meanwhile. A server that does not say is asked
        again later."""
        if time.monotonic() >= self._next_look:
            with suppress(Unavailable):
                self._look(self._lives.keys(), until=0.0)
        self._inner.begin()

    def write(self, outcome: Outcome, records: Sequence[Outbound]) -> None:
        if isinstance(outcome, Entries) and any(self._lives.values()):
            outcome.rows = [self._placed(row) for row in outcome.rows]
        self._inner.write(outcome, records)

    def advance(self, positions: Mapping[At, int]) -> None:
        self._inner.advance({self._chain(at): offset for at, offset in positions.items()})

    def commit(self) -> None:
        self._inner.commit()

    def abort(self) -> None:
        self._inner.abort()

    def _chain(self, at: At) -> At:
        return at[0], of_life(at[1], self._lives.get(at[0], 0))

    def _placed(self, row: Row) -> Row:
        life = self._lives.get(row.topic, 0)
        return replace(row, partition=of_life(partition_of(row.partition), life)) if life else row

    def _look(self, topics: Collection[str], until: float) -> None:
        while True:
            self._next_look = time.monotonic() + LOOK_EVERY
            failure = self._try_to_look(topics)
            if failure is None:
                return
            if time.monotonic() >= until:
                raise failure
            time.sleep(min(2.0, self._patience / 10))

    def _try_to_look(self, topics: Collection[str]) -> OriginChanged | Unavailable | None:
        try:
            found = self._identify(topics)
            with writing(self._engine) as connection:
                changed = note(connection, found)
                self._lives |= {name: life.number for name, life in lives(connection).items() if name in found}
        except Unavailable as error:
            if isinstance(error, DatabaseUnavailable):
                metrics.waits(error)
            return error
        metrics.waits(None)
        metrics.changed(topics, changed)
        return OriginChanged("; ".join(change.message for change in changed)) if changed else None
