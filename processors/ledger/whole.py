"""Whether the whole ledger fits together: chain after chain, and the tables that searches use.

All of it takes as long as the ledger is large. Whoever waits for an answer has the newest rows verified, within a
time: they have been verified the least often, and whoever cuts off a tail cuts there.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, NamedTuple

import psycopg
from joserfc.jwk import KeySet
from sqlalchemy import Connection, exc, text

from processors.ledger import side_tables
from processors.ledger.anchors import Noted, chain_of, judged, of_chain
from processors.ledger.cancelling import cancelled_after
from processors.ledger.database import is_cancelled
from processors.ledger.filing import At
from processors.ledger.late import on_time_too
from processors.ledger.numbering import is_late
from processors.ledger.reading import Window, chains, ledger_anchors, read_chain, read_rows
from processors.ledger.verify import Inconsistency, StoredRow, verify

MOST: Final = 50_000
WITHIN: Final = 10.0
"""Rows and seconds of a verification that somebody waits for: a second or two mostly."""

_LOOK_EVERY: Final = 200
"""Rows between two looks at the clock."""


class Verified(NamedTuple):
    """How many rows and anchors were read, and all that is wrong with any chain."""

    rows: int
    anchors: int
    found: list[Inconsistency]


class Newest(NamedTuple):
    """What a verification of the newest rows came to.

    `since` is when the oldest of them was filed, in milliseconds, and None where they are all that there are. Where
    time ran out, `unread` are the chains whose end was not reached, and `complete` is false.
    """

    verified: Verified
    since: int | None
    unread: Sequence[At]
    complete: bool


class _OutOfTime(Exception):
    pass


@dataclass(slots=True)
class _Progress:
    """What has been read so far: an answer also where time runs out. `until` is by the monotonic clock."""

    until: float = float("inf")
    rows: int = 0
    anchors: int = 0
    found: list[Inconsistency] = field(default_factory=list[Inconsistency])
    unread: list[At] = field(default_factory=list[At])

    def through(self, rows: Generator[StoredRow]) -> Iterable[StoredRow]:
        with closing(rows):
            for row in rows:
                self.rows += 1
                if self.rows % _LOOK_EVERY == 0:
                    self.look()
                yield row

    def look(self) -> None:
        if monotonic() >= self.until:
            raise _OutOfTime

    @property
    def verified(self) -> Verified:
        return Verified(self.rows, self.anchors, self.found)


def verify_all(connection: Connection, published: Sequence[Noted], keys: KeySet, window: Window) -> Verified:
    """Verify every chain by the anchors that the ledger has and by those that were published; then the tables that
    searches use."""
    progress = _Progress()
    _verify(connection, published, keys, window, progress)
    return progress.verified


def verify_newest(
    connection: Connection, published: Sequence[Noted], keys: KeySet, since: int | None, within: float = WITHIN
) -> Newest:
    """As `verify_all`, of the rows filed `since` (milliseconds; None for all), for so many seconds at most.

    `published` are the anchors that came since then, read before the connection took its view of the database: a
    later one would speak of rows that are not in it.
    """
    progress = _Progress(monotonic() + within)
    try:
        with cancelled_after(connection, within):
            _verify(connection, published, keys, Window(since=since, alone=since is not None), progress)
    except _OutOfTime:
        return Newest(progress.verified, since, progress.unread, complete=False)
    except (exc.OperationalError, psycopg.OperationalError) as error:
        if not is_cancelled(error):
            raise
        return Newest(progress.verified, since, progress.unread, complete=False)
    return Newest(progress.verified, since, (), complete=True)


def newest_since(connection: Connection, most: int = MOST) -> int | None:
    """When the oldest of the newest `most` rows was filed; None where there are no more than those."""
    query = text(
        "SELECT (extract(epoch FROM appended_at) * 1000)::bigint FROM ledger.ledger_events "
        "ORDER BY appended_at DESC OFFSET :most LIMIT 1"
    )
    before = connection.execute(query, {"most": most}).scalar_one_or_none()
    return None if before is None else int(before) + 1


def _verify(
    connection: Connection, published: Sequence[Noted], keys: KeySet, window: Window, progress: _Progress
) -> None:
    progress.unread = chains(connection, window, [chain_of(note.event) for note in published])
    for at in list(progress.unread):
        progress.look()
        anchors = judged([*ledger_anchors(connection, at, window.since or 0), *of_chain(published, at)], keys)
        progress.anchors += len(anchors)
        stretch = read_chain(connection, at, anchors, window)
        progress.found += verify(stretch.chain, progress.through(read_rows(connection, stretch)))
        if is_late(at[1]):
            progress.found += on_time_too(connection, at)
        progress.unread.remove(at)
    progress.look()
    progress.found += side_tables.compare(connection, window)
