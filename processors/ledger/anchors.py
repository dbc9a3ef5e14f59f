"""Anchors: signed chain heads on a topic outside of the database, which reveal a rewritten database.

A chain alone proves little against somebody who can rewrite all of it. An anchor says how long the chain was and
what its last hash was, signed with a key that the database does not contain.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from processors.documents.canonical import canonical
from processors.events.anchors import LedgerAnchored
from processors.ledger.chain import Head
from processors.ledger.records import MINTED

ALGORITHM = "ES256"


def anchor(topic: str, partition: int, head: Head, next_offset: int, at: int, key: ECKey) -> LedgerAnchored:
    """The event of a chain head, signed at `at`.

    No two signatures are alike, so a head that is anchored again has another event id: two different events with
    one id would count as a forgery, and the same event twice as a replay.
    """
    unsigned = LedgerAnchored(
        anchor_id=str(uuid.uuid5(MINTED, f"{topic}/{partition}/{head.sequence}/{head.hash.hex()}/{at}")),
        at=at,
        topic=topic,
        partition=partition,
        sequence=head.sequence,
        next_offset=next_offset,
        head=f"sha256:{head.hash.hex()}",
        batches=head.batches,
        root=f"sha256:{head.root.hex()}",
    )
    header = {"alg": ALGORITHM, "kid": key.kid}
    signature = jws.serialize_compact(header, canonical(unsigned.facts()), key, algorithms=[ALGORITHM])
    return replace(unsigned, signature=signature)


def is_signed(event: Mapping[str, Any], keys: KeySet) -> bool:
    """Whether one of the keys signed exactly these fields."""
    facts = {name: value for name, value in event.items() if name != "signature"}
    try:
        signed = jws.deserialize_compact(event["signature"], keys, algorithms=[ALGORITHM])
    except (JoseError, ValueError, TypeError, KeyError):
        return False
    return signed.payload == canonical(facts).encode()


class Noted(NamedTuple):
    """A LedgerAnchored event and its offset on the anchors' topic; NOWHERE if that is unknown."""

    offset: int
    event: Mapping[str, Any]


NOWHERE: Final = -1


@dataclass(frozen=True, slots=True)
class Anchor:
    """An anchor for the verifier. `place` orders anchors as they were published; NOWHERE comes first."""

    topic: str
    partition: int
    sequence: int
    head: bytes
    batches: int
    root: bytes
    place: int
    signed: bool
    id: str = ""
    at: int = 0


def read_anchor(noted: Noted, keys: KeySet) -> Anchor:
    """Never fails: an invalid digest counts as a wrong one, which the verifier reports."""
    place, event = noted
    return Anchor(
        event["topic"],
        event["partition"],
        event["sequence"],
        _digest(event["head"]),
        event.get("batches", 0),
        _digest(event.get("root", "")),
        place,
        is_signed(event, keys),
        event["anchor_id"],
        event["at"],
    )


def judged(noted: Iterable[Noted], keys: KeySet) -> list[Anchor]:
    """Anchors in the order of their publication, each place once, whether from the ledger, the topic or a file."""
    known = {(note.offset, note.event.get("signature")): note for note in noted}
    return [read_anchor(note, keys) for note in sorted(known.values(), key=lambda note: note.offset)]


def of_chain(noted: Iterable[Noted], at: tuple[str, int]) -> list[Noted]:
    return [note for note in noted if chain_of(note.event) == at]


def chain_of(event: Mapping[str, Any]) -> tuple[str, int]:
    return event["topic"], event["partition"]


def anchored_offsets(noted: Iterable[Noted], keys: KeySet) -> dict[tuple[str, int], int]:
    """The next offset that each chain must have reached, by the newest anchor with a valid signature."""
    reached: dict[tuple[str, int], int] = {}
    for _, event in sorted(noted, key=lambda note: note.event["next_offset"], reverse=True):
        if chain_of(event) not in reached and is_signed(event, keys):
            reached[chain_of(event)] = event["next_offset"]
    return reached


QUIET: Final = 60.0
"""Seconds after which a ledger that nothing comes to anchors what came last."""


def next_anchor(published: Iterable[Noted], every: float, now: int) -> int:
    """When the next anchor comes, `every` so many seconds after the newest one; times in milliseconds. Where it
    could have come already, the sink publishes it with its next commit."""
    due = max((note.event["at"] for note in published), default=0) + round(every * 1000)
    return due if due > now else now + round(min(every, QUIET) * 1000)


def is_overdue(appended_at: int, every: float, now: int) -> bool:
    """Whether a row has waited for its anchor for so long that nobody seems to publish any."""
    return now - appended_at > round((every + 2 * QUIET) * 1000)


def _digest(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("sha256:"))
    except ValueError:
        return b""
