"""How far the ledger is sealed by anchors, and whether its newest rows follow each other without a gap.

Quickly told, and no proof: `whole.py` recomputes what this takes as it is stated.
"""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from joserfc import jws
from joserfc.errors import JoseError
from sqlalchemy import Connection, text

from processors.events.topics import LEDGER_ANCHORS

LOOKED_AT: Final = 10_000
"""Newest rows among which gaps are looked for: each chain has its share."""


class LastAnchor(NamedTuple):
    """The newest anchor that was filed: when it was signed, in milliseconds, and by which key, as it says."""

    at: int
    key_id: str


class Sealed(NamedTuple):
    """`rows` are all that were ever filed, `anchored` those that the newest anchor of their chain covers. Anchors
    themselves are not counted: nothing anchors them.

    `waiting_since` is when the first row came that no anchor can cover yet, in milliseconds. `missing` are rows
    that are not where the numbers of their neighbours say they should be, of the newest `seen`.
    """

    last: LastAnchor | None
    rows: int
    anchored: int
    seen: int
    missing: int
    waiting_since: int | None = None

    @property
    def open(self) -> int:
        """Rows that were filed since, and that only the next anchor seals."""
        return max(0, self.rows - self.anchored)


def sealed(connection: Connection, most: int = LOOKED_AT) -> Sealed:
    """As the ledger states it at this moment; gaps are looked for among `most` rows."""
    rows, anchored = connection.execute(_ROWS, {"anchors": LEDGER_ANCHORS}).one()
    chains = connection.execute(text("SELECT count(*) FROM ledger.chain_head")).scalar_one()
    seen, missing = connection.execute(_GAPS, {"most": max(1, most // max(1, chains))}).one()
    last = _last(connection)
    waiting = connection.execute(_WAITING, {"anchors": LEDGER_ANCHORS, "at": 0 if last is None else last.at})
    since = waiting.scalar_one_or_none()
    return Sealed(last, int(rows), int(anchored), int(seen), int(missing), None if since is None else int(since))


_ROWS: Final = text(
    "SELECT coalesce(sum(h.sequence), 0), coalesce(sum(least(h.sequence, coalesce(a.sequence, 0))), 0) "
    "FROM ledger.chain_head h LEFT JOIN LATERAL (SELECT (e.payload->>'sequence')::bigint AS sequence "
    "FROM ledger.ledger_events e "
    "WHERE e.topic = :anchors AND e.kind = 'LedgerAnchored' AND e.status = 'recorded' "
    "AND e.payload->>'topic' = h.topic AND e.payload->>'partition' = h.partition::text "
    "ORDER BY e.appended_at DESC LIMIT 1) a ON true WHERE h.topic <> :anchors"
)

_WAITING: Final = text(
    "SELECT (extract(epoch FROM appended_at) * 1000)::bigint FROM ledger.ledger_events WHERE topic <> :anchors "
    "AND appended_at > to_timestamp(CAST(:at AS float8) / 1000) ORDER BY appended_at LIMIT 1"
)

_GAPS: Final = text(
    "SELECT coalesce(sum(c.rows), 0), coalesce(sum(greatest(c.last, h.sequence) - c.before - c.rows), 0) "
    "FROM ledger.chain_head h CROSS JOIN LATERAL (SELECT count(*) AS rows, max(n.sequence) AS last, "
    "coalesce(min(n.sequence) - 1, (SELECT max(p.sequence) FROM ledger.pruned p "
    "WHERE (p.topic, p.partition) = (h.topic, h.partition)), 0) AS before "
    "FROM (SELECT e.sequence FROM ledger.ledger_events e WHERE e.topic = h.topic AND e.partition = h.partition "
    'ORDER BY e."offset" DESC LIMIT :most) n) c'
)
"""By offsets, in whose order a chain grows: many rows have one time, and the clocks of brokers differ."""


_LAST: Final = text(
    "SELECT a.payload::text FROM ledger.chain_head h CROSS JOIN LATERAL (SELECT e.payload, e.appended_at "
    "FROM ledger.ledger_events e WHERE e.topic = h.topic AND e.partition = h.partition "
    "AND e.kind = 'LedgerAnchored' AND e.status = 'recorded' ORDER BY e.\"offset\" DESC LIMIT 1) a "
    "WHERE h.topic = :anchors ORDER BY a.appended_at DESC LIMIT 1"
)
"""By the end of each of their chains: where anchors stopped long ago, all rows since are newer."""


def _last(connection: Connection) -> LastAnchor | None:
    found = connection.execute(_LAST, {"anchors": LEDGER_ANCHORS}).scalar_one_or_none()
    if found is None:
        return None
    anchor: dict[str, Any] = json.loads(found)
    return LastAnchor(int(anchor["at"]), _key_of(str(anchor["signature"])))


def _key_of(signature: str) -> str:
    """As the signature names it; nothing is verified. Empty where it is none."""
    try:
        return str(jws.extract_compact(signature.encode()).headers().get("kid", ""))
    except (JoseError, ValueError):
        return ""
