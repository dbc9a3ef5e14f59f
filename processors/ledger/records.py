"""Converts a record of a topic to a row of the ledger: searchable columns, and the masked payload.

Pure: the same record under the same pseudonym keys gives the same row, to the byte.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final

from processors.documents.canonical import canonical, canonical_with, digest_of
from processors.events.kinds import BY_SCHEMA
from processors.masking.masker import Masker, claims_of
from processors.masking.texts import labelled_all, scrub, word
from processors.stream.types import Inbound

RECORDED: Final = "recorded"
UNREADABLE: Final = "unreadable"
ID_CONFLICT: Final = "id_conflict"
"""What became of a record: recorded as an event; only its address and digest; or kept apart in full, because
another event has its id."""

RECHECK: Final = "RECHECK"
"""The state of a question that the guard itself asked again."""

MINTED: Final = uuid.UUID("6f1f4a5c-3a53-5c0b-8c39-3f3ec0b1d6a7")
"""Namespace of generated ids, for events without an id."""


@dataclass(slots=True, kw_only=True)
class Row:
    """A row of `ledger_events`, without its place in the chain. Times in milliseconds since the epoch, UTC.

    Treat it as frozen; a mutable class saves the sink three microseconds a row. `same` is not stored with the row:
    two records with one event id and equal `same` are one event sent twice. It is empty for an event without an id.
    """

    topic: str
    partition: int
    offset: int
    appended_at: int
    kind: str
    status: str = RECORDED
    event_id: str
    tenant: str | None = None
    environment: str | None = None
    plugin_id: str | None = None
    plugin_version: str | None = None
    host: str | None = None
    host_version: str | None = None
    operator: str | None = None
    approver: str | None = None
    request_id: str | None = None
    exception_id: str | None = None
    approval_id: str | None = None
    verdict: str | None = None
    band: str | None = None
    state: str | None = None
    monitoring: str | None = None
    monitoring_profile: str | None = None
    reason: str | None = None
    input_digest: str | None = None
    finding_codes: tuple[str, ...] = ()
    value_digest: bytes
    payload: str
    same: bytes = b""

    @property
    def sames(self) -> tuple[bytes, bytes]:
        """All values that may have been noted for this event: 0.1.0 noted the digest of the whole value."""
        return self.same, self.value_digest

    @property
    def seen_key(self) -> str:
        """16 bytes in hex that identify the event id within its topic."""
        return hashlib.sha256(f"{self.topic}\n{self.event_id}".encode("utf-8", "replace")).hexdigest()[:32]


COLUMNS: Final = tuple(name for name in Row.__slots__ if name not in ("same",))
"""The stored columns of a row, in this order; `sequence` and `row_hash` follow them."""

HASHED: Final = tuple(sorted(name for name in COLUMNS if name != "payload"))
_hashed_values = attrgetter(*HASHED)


def canonical_row(row: Row) -> bytes:
    """The bytes whose hash is the row's leaf: its columns by name as canonical JSON, a line end, its payload.

    Null columns are left out. Canonical JSON contains no raw line end, so no two rows have the same bytes.
    """
    return canonical_columns(zip(HASHED, _hashed_values(row), strict=True), row.payload)


def canonical_columns(columns: Iterable[tuple[str, Any]], payload: str) -> bytes:
    return f"{canonical({name: value for name, value in columns if value is not None})}\n{payload}".encode()


@dataclass(frozen=True, slots=True)
class Tail:
    """The last field of an event, which recurs with equal bytes: masked and serialised once."""

    name: str
    digest: bytes
    masked: Mapping[str, Any]
    text: str


def tail_of(name: str, raw: bytes, value: Mapping[str, Any], masker: Masker) -> Tail:
    masked = masker.event({name: value})[name]
    return Tail(name, hashlib.sha256(raw).digest(), masked, canonical(masked))


def row_of(record: Inbound, event: Mapping[str, Any], kind: str, masker: Masker, tail: Tail | None = None) -> Row:
    """The row of a record that was read as the event `kind`. With a `tail`, `event` lacks that field."""
    shape = SHAPES.get(kind, _ANY)
    masked = masker.event(shape.open(event) if shape.open else event)
    payload = canonical_with(masked, tail.name, tail.text) if tail else canonical(masked)
    found = shape.find(event, {**masked, tail.name: tail.masked} if tail else masked, masker)
    if tail and shape.asks:
        found["input_digest"] = f"sha256:{tail.digest.hex()}"
    event_id = _id_of(event, kind, shape)
    return Row(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        appended_at=record.timestamp,
        kind=kind,
        event_id=word(event_id) if event_id else minted_id(record),
        value_digest=hashlib.sha256(record.value or b"").digest(),
        payload=payload,
        same=_sameness(record, event, kind, tail) if event_id else b"",
        **found,
    )


def unreadable_row(record: Inbound, reason: str, why: str, *, kind: str = "Unreadable") -> Row:
    """The row of an unreadable record: its address, the digest of its bytes, and the reason.

    The bytes are left out, because they cannot be masked. They stay on the topic as long as it keeps them.
    """
    value = record.value
    facts = {
        "reason": word(reason),
        "why": scrub(why, 500),
        "size": None if value is None else len(value),
        "key_digest": None if record.key is None else digest_of(record.key),
        "headers": _headers(record),
    }
    digest = hashlib.sha256(value or b"").digest()
    return Row(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        appended_at=record.timestamp,
        kind=kind,
        status=UNREADABLE,
        event_id=minted_id(record),
        reason=word(reason),
        value_digest=digest,
        payload=canonical(facts),
    )


def tombstone_row(record: Inbound) -> Row:
    """The row of a deletion on a compacted topic, which is valid input."""
    return _foreign_row(record, "Tombstone", {"key_digest": digest_of(record.key or b"")})


def dead_letter_row(record: Inbound) -> Row:
    """The row of a dead letter.

    Its bytes can be anything, so the row has its masked headers, and digests of the rest.
    """
    facts = _headers(record)
    original = {
        "headers": facts,
        "key_digest": digest_of(record.key or b""),
        "size": None if record.value is None else len(record.value),
    }
    return _foreign_row(record, "DeadLetter", original, reason=facts.get("guard.errors.reason"))


def _headers(record: Inbound) -> dict[str, str]:
    """The sender chooses names and contents."""
    return labelled_all(((name, (text or b"").decode("utf-8", "replace")) for name, text in record.headers), 500)


def _foreign_row(record: Inbound, kind: str, facts: Mapping[str, Any], reason: str | None = None) -> Row:
    digest = hashlib.sha256(record.value or b"").digest()
    return Row(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        appended_at=record.timestamp,
        kind=kind,
        event_id=minted_id(record),
        reason=word(reason) if reason else None,
        value_digest=digest,
        payload=canonical(facts),
    )


def minted_id(record: Inbound) -> str:
    """The same for every run: derived from the position of the record."""
    return _minted(record.topic, record.partition, record.offset)


def _minted(topic: str, partition: int, offset: int) -> str:
    return str(uuid.uuid5(MINTED, f"{topic}/{partition}/{offset}"))


def _sameness(record: Inbound, event: Mapping[str, Any], kind: str, tail: Tail | None) -> bytes:
    """Copies of one event may differ in their time and what follows from it; everything else must be equal.

    A sender that publishes a request twice gets two answers.
    """
    circumstances = CIRCUMSTANCES.get(kind)
    if circumstances is None:
        return hashlib.sha256(record.value or b"").digest()
    said: Any
    if kind == "InstallRequested":  # as 0.1.0 noted it, so that a retry across the upgrade is recognised
        said = {**event, "requested_at": 0, "subject": tail.digest if tail else event["subject"]}
    else:
        said = [value for name, value in event.items() if name not in circumstances]  # in the order of the schema
        said += [tail.digest] if tail else []
    return hashlib.sha256(canonical(said).encode("utf-8", "replace")).digest()


Event = Mapping[str, Any]
Found = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """How an event fills the columns: `same_names` are copied, `find_more` extracts the rest.

    `open` adds signed content to the event. If `asks`, the tail is a question that is identified by the digest of
    its bytes. `joined` are the fields that form the id of an event without one.
    """

    same_names: Sequence[str] = ()
    find_more: Callable[[Event, Event, Masker], Found] | None = None
    open: Callable[[Event], Event] | None = None
    asks: bool = False
    joined: Sequence[str] = ()

    def find(self, event: Event, masked: Event, masker: Masker) -> Found:
        found: Found = {name: masked[name] or None for name in self.same_names}
        return found | self.find_more(event, masked, masker) if self.find_more else found


def _id_of(event: Event, kind: str, shape: Shape) -> str:
    """The id of an event; empty if it has none."""
    if shape.joined:
        return str(uuid.uuid5(MINTED, "\n".join(str(event[name]) for name in shape.joined)))
    named = BY_SCHEMA.get(kind)
    return str(event[named.id]) if named and named.id else ""


def _codes(report: Event | None, *, blocking: bool) -> tuple[str, ...]:
    findings: Sequence[Event] = report["findings"] if report else ()
    return tuple(sorted({word(str(f["code"])) for f in findings if not blocking or f["effect"] != "WARN"}))


def _of_request(event: Event, masked: Event, masker: Masker) -> Found:
    manifest, host = masked["subject"]["manifest"], masked["subject"]["host"]
    return {
        "operator": masker.pseudonym(event["operator"]) or None,
        "plugin_id": manifest["id"],
        "plugin_version": manifest["version"],
        "host": host["name"],
        "host_version": host["version"],
        "state": RECHECK if event["recheck_of"] else None,
    }


def _of_answer(event: Event, masked: Event, masker: Masker) -> Found:
    return {
        "operator": masker.pseudonym(event["operator"]) or None,
        "finding_codes": _codes(masked["report"], blocking=False),
        "state": RECHECK if event["recheck_of"] else None,
        "reason": ",".join(masked["refusals"])[:500] or None,
        "input_digest": word(masked["report"]["input_digest"]) or None,
    }


def _of_exception_request(event: Event, masked: Event, masker: Masker) -> Found:
    return {
        "operator": masker.pseudonym(event["requester"]) or None,
        "state": masked["kind"],
        "finding_codes": _codes(masked["report"], blocking=True),
    }


def _of_approval(event: Event, _masked: Event, masker: Masker) -> Found:
    """The claimed approver. Whether the proof is valid is for the workflow to say, in ExceptionDecided."""
    claims = claims_of(event["proof"])
    who, what = claims.get("sub"), claims.get("decision")
    return {
        "approver": masker.pseudonym(who) if isinstance(who, str) else None,
        "state": word(what) if isinstance(what, str) else None,
    }


def _with_claims(event: Event) -> Event:
    return {**event, "claims": claims_of(event["proof"])}


_PEOPLES_STEPS = ("approved", "denied", "rejected", "revoked")


def _of_exception_decision(event: Event, masked: Event, masker: Masker) -> Found:
    """The actor is an approver if a step was decided; if a timer or a rule acted, there is none."""
    decided = bool(event["step"]) or any(event["event"].endswith(end) for end in _PEOPLES_STEPS)
    return {
        "approver": masker.pseudonym(event["actor"]) or None if decided else None,
        "operator": None if decided else masker.pseudonym(event["actor"]) or None,
        "state": masked["to_state"],
        "reason": masked["reason_code"] or None,
    }


def _of_outcome(event: Event, masked: Event, masker: Masker) -> Found:
    return {"operator": masker.pseudonym(event["operator"]) or None, "state": masked["outcome"]}


def _of_notification(_event: Event, masked: Event, _masker: Masker) -> Found:
    return {"state": masked["kind"]}


_SCOPE = ("tenant", "environment", "plugin_id", "plugin_version", "host", "host_version")
_ANSWER = (*_SCOPE, "request_id", "exception_id", "approval_id", "verdict", "band", "monitoring_profile")

SHAPES: Final[Mapping[str, Shape]] = {
    "InstallRequested": Shape(("tenant", "environment", "request_id", "exception_id"), _of_request, asks=True),
    "CompatibilityChecked": Shape(_ANSWER, _of_answer),
    "InstallBlocked": Shape(_ANSWER, _of_answer),
    "ExceptionUseRequested": Shape(_ANSWER, _of_answer),
    "ExceptionRequested": Shape((*_SCOPE, "request_id", "exception_id"), _of_exception_request),
    "ApprovalDecided": Shape(("exception_id",), _of_approval, _with_claims),
    "ExceptionDecided": Shape(
        (*_SCOPE, "request_id", "exception_id", "approval_id", "band", "monitoring_profile"),
        _of_exception_decision,
    ),
    "InstallFinished": Shape(
        (
            *("tenant", "environment", "plugin_id", "plugin_version", "request_id", "exception_id"),
            *("monitoring", "monitoring_profile"),
        ),
        _of_outcome,
    ),
    "MatrixRefreshed": Shape(joined=("source", "revision", "digest", "issued_at", "part")),
    "SecurityPolicyPublished": Shape(joined=("component_id", "policy_id", "published_at")),
    "NotificationRequested": Shape(("tenant", "request_id", "exception_id"), _of_notification),
    "LedgerAnchored": Shape(),
    "ExceptionState": Shape(("exception_id",)),
    "StalenessState": Shape(),
}
"""How events become rows. An event that is not listed is filed all the same, without searchable columns."""

_ANY: Final = Shape()

_OF_AN_ANSWER = frozenset({"decided_at", "report_url", "matrix_expires_at", "exception_possible"})

CIRCUMSTANCES: Final[Mapping[str, frozenset[str]]] = {
    "InstallRequested": frozenset({"requested_at"}),
    "CompatibilityChecked": _OF_AN_ANSWER,
    "InstallBlocked": _OF_AN_ANSWER,
    "ExceptionUseRequested": frozenset({"requested_at", "matrix_expires_at", "exception_possible"}),
    "NotificationRequested": frozenset({"at", "link"}),
}
"""Fields that distinguish two copies of one event, and are not part of its content."""


def as_conflict(row: Row) -> Row:
    """The row, kept apart: another event has its id, and that one is kept as recorded."""
    return replace(row, status=ID_CONFLICT, reason=ID_CONFLICT)


def as_refused(row: Row, why: str) -> Row:
    """The row, reduced to what any database accepts: for a record that Postgres refuses."""
    return Row(
        topic=row.topic,
        partition=row.partition,
        offset=row.offset,
        appended_at=row.appended_at,
        kind="Unreadable",
        status=UNREADABLE,
        event_id=_minted(row.topic, row.partition, row.offset),
        reason="refused_by_database",
        value_digest=row.value_digest,
        payload=canonical({"reason": "refused_by_database", "why": scrub(why, 500)}),
    )


EARLIEST: Final = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp() * 1000)
AHEAD: Final = 24 * 3600 * 1000


def is_possible(timestamp: int, now: int) -> bool:
    """Whether a broker can have appended a record at that time: not before the guard existed, and not tomorrow."""
    return EARLIEST <= timestamp <= now + AHEAD


def at_a_possible_time(row: Row, now: int) -> Row:
    """A record with an impossible time is filed under the present time, because a partition of that month must
    exist."""
    return row if is_possible(row.appended_at, now) else replace(row, appended_at=now)
