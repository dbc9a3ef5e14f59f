"""Maps Kafka's partitions to chains whose numbers include the topic's incarnation."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from sqlalchemy import Engine

from processors.errors import AccessDenied, BrokerUnavailable, DatabaseUnavailable, OriginChanged, Unavailable
from processors.ledger import metrics
from processors.ledger.database import writing
from processors.ledger.filing import At
from processors.ledger.numbering import of_life, partition_of
from processors.ledger.origins import Identify, lives, note
from processors.ledger.records import Row
from processors.ledger.transaction import Entries, PostgresTransaction
from processors.stream.types import Outbound, Outcome

LOOK_EVERY: Final = 30.0
"""Seconds between two checks whether topics are still the same."""


class LivingTransaction:
    """Satisfies `stream.transaction.Transaction` by means of the ledger's own transaction.

    If a topic was created again, or belongs to another cluster, the transaction waits for a limited time until
    somebody takes the topic up, and reports why; then the process ends and is restarted. A sink files many topics
    in one transaction, so until then it files nothing of any topic; the records wait on their topics.
    """

    def __init__(
        self, inner: PostgresTransaction, engine: Engine, identify: Identify, patience: float = 30.0
    ) -> None:
        self._inner, self._engine, self._identify, self._patience = inner, engine, identify, patience
        self._lives: dict[str, int] = {}
        self._next_look = 0.0

    def committed(self, partitions: Sequence[At]) -> Mapping[At, int]:
        """Raises OriginChanged or BrokerUnavailable after a limited wait, and DatabaseUnavailable."""
        if not partitions:
            return {}
        self._look({topic for topic, _ in partitions}, time.monotonic() + self._patience)
        chains = {at: self._chain(at) for at in partitions}
        found = self._inner.committed(list(chains.values()))
        return {at: found[chain] for at, chain in chains.items() if chain in found}

    def given_up(self, partitions: Collection[At]) -> Mapping[At, int]:
        """Raises DatabaseUnavailable."""
        chains = {self._chain(at): at for at in partitions}
        return {chains[chain]: behind for chain, behind in self._inner.given_up(list(chains)).items()}

    def way_on(self, partitions: Collection[At], to: str) -> str:
        return self._inner.way_on(partitions, to)

    def begin(self) -> None:
        """Raises OriginChanged if a topic has become another one meanwhile.

        If a server does not answer, the check is repeated later.
        """
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
            if (
                isinstance(failure, DatabaseUnavailable) or time.monotonic() >= until
            ):  # the loop waits for databases
                raise failure
            time.sleep(min(2.0, self._patience / 10))

    def _try_to_look(self, topics: Collection[str]) -> OriginChanged | Unavailable | None:
        try:
            found = self._identify(topics)
            with writing(self._engine) as connection:
                changed = note(connection, found)
                self._lives |= {name: life.number for name, life in lives(connection).items() if name in found}
        except AccessDenied as error:
            return BrokerUnavailable(str(error))  # one that has just started may not know its access rules yet
        except Unavailable as error:
            if isinstance(error, DatabaseUnavailable):
                metrics.waits(error)
            return error
        metrics.waits(None)
        metrics.changed(topics, changed)
        return OriginChanged("; ".join(change.message for change in changed)) if changed else None
