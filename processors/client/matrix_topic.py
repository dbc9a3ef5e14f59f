"""Reads, publishes and withdraws the matrix on its topic."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from processors.bootstrap.clients import codec, stream_settings
from processors.bootstrap.trust import matrix_trust, signer
from processors.client.tables import load
from processors.configuration.settings import Settings
from processors.errors import MatrixRefused, SettingsInvalid, shorten
from processors.events.ids import minted
from processors.events.kinds import MATRIX_REFRESHED, MATRIX_WITHDRAWN
from processors.events.topics import MATRIX_FLOORS
from processors.matrix.document import MatrixDocument
from processors.matrix.floors import EVENT as FLOOR
from processors.matrix.floors import Floor, FloorFold
from processors.matrix.fold import MatrixFold
from processors.matrix.parts import EVENT, TOPIC, key_of, split, statement_of, withdrawal, withdrawal_of
from processors.stream.io.atomically import publish_atomically
from processors.stream.types import Outbound, Reject
from processors.stream.wire.codec import Codec, Encoder
from processors.stream.wire.headers import event_headers
from processors.trust.signatures import sign, verify
from processors.trust.statements import Statement


class Signed(NamedTuple):
    """A statement about a matrix, and its source's signature."""

    statement: Statement
    signature: str


def read_matrix(of: Settings) -> tuple[MatrixFold, Sequence[Reject]]:
    """The matrix in effect, and the refused records of the topic.

    Raises BrokerUnavailable, RegistryUnavailable, or SettingsInvalid if there is no such topic or no trusted key.
    """
    with codec(of) as events:
        return _read(of, events)


def publish_matrix(
    of: Settings, document: MatrixDocument, issued_at: int, *, key: Path | None = None, serial: int | None = None
) -> int:
    """Sign a refresh, and publish it as `publish_signed` does. The serial defaults to the time of issue."""
    return publish_signed(of, document, signed(of, document, issued_at, key=key, serial=serial))


def signed(
    of: Settings, document: MatrixDocument, issued_at: int, *, key: Path | None = None, serial: int | None = None
) -> Signed:
    """The statement that puts a document in effect, signed with the given key or that of the settings."""
    statement = statement_of(document, issued_at, issued_at if serial is None else serial)
    return Signed(statement, sign(statement, signer(of, key)))


def publish_signed(of: Settings, document: MatrixDocument, said: Signed) -> int:
    """Write all parts of a refresh, and tombstones for the remaining parts of a larger earlier one, in one
    transaction.

    Returns the number of parts. Raises Untrusted or MatrixRefused if readers would refuse it, because of its
    signature or because something newer is in effect; Unavailable and Fatal as `publish_atomically` does.
    """
    with codec(of) as events:
        fold, _ = _read(of, events)
        _require_taken(of, fold, said)
        records = refresh_records(document, said, events.encoder(TOPIC, EVENT))
        _write(of, fold, document.source, records)
        return len(records)


def withdraw_matrix(of: Settings, source: str, *, key: Path | None = None, serial: int | None = None) -> Statement:
    """Withdraw a source: a signed withdrawal in the place of its first part, tombstones for the others.

    Raises SettingsInvalid for a source that never published anything, and as `publish_signed` does.
    """
    with codec(of) as events:
        fold, _ = _read(of, events)
        floor, now = fold.floor(source), _now()
        if floor is None and not fold.parts(source):
            raise SettingsInvalid(f"the source `{shorten(source)}` has never published anything")
        lowest = max(now, floor.serial + 1 if floor else 0)
        statement = withdrawal_of(source, now, lowest if serial is None else serial)
        said = Signed(statement, sign(statement, signer(of, key)))
        _require_taken(of, fold, said)
        value = events.encoder(TOPIC, EVENT)(withdrawal(*said))
        id = minted("withdrawal", source, str(statement.serial))
        headers = event_headers(id=id, type=MATRIX_WITHDRAWN.type, source=_by(source), time=now)
        _write(of, fold, source, [Outbound(TOPIC, key_of(source, 1), value, headers)])
        return statement


def refresh_records(document: MatrixDocument, said: Signed, encode: Encoder) -> list[Outbound]:
    """The parts of a refresh as records.

    The same refresh gives the same records, except for the time of the event.
    """
    return list(_records(document, said, encode))


def _records(document: MatrixDocument, said: Signed, encode: Encoder) -> Iterator[Outbound]:
    for part in split(document, said.statement, said.signature):
        key = key_of(document.source, part["part"])
        id = minted("refresh", key.decode(), document.digest, str(said.statement.serial))
        headers = event_headers(id=id, type=MATRIX_REFRESHED.type, source=_by(document.source), time=_now())
        yield Outbound(TOPIC, key, encode(part), headers)


def _write(of: Settings, fold: MatrixFold, source: str, records: Sequence[Outbound]) -> None:
    surplus = fold.parts(source) - set(range(1, len(records) + 1))
    tombstones = [Outbound(TOPIC, key_of(source, part), None) for part in sorted(surplus)]
    publish_atomically(stream_settings(of), f"matrix-publish-{source}", [*records, *tombstones])


def _read(of: Settings, events: Codec) -> tuple[MatrixFold, Sequence[Reject]]:
    """A command has no seal keys and accepts the floors without them: nothing is allowed because of that."""
    floors = FloorFold(events.decoder(MATRIX_FLOORS, FLOOR), lambda record: record)
    fold = MatrixFold(events.decoder(TOPIC, EVENT), matrix_trust(of), floors.snapshot)
    load(of, floors, "matrix")
    return fold, load(of, fold, "matrix")


def _require_taken(of: Settings, fold: MatrixFold, said: Signed) -> None:
    """Refuses what every reader would refuse."""
    statement = said.statement
    verify(statement, said.signature, matrix_trust(of).of(statement.source).keys, _now())
    floor = fold.floor(statement.source)
    wanted = Floor(statement.serial, statement.digest, statement.purpose == "matrix-withdrawal")
    if floor is not None and not floor.admits(wanted):
        raise MatrixRefused(
            f"`{statement.source}` has come to serial {floor.serial}, and this one has {statement.serial}; readers "
            f"ignore what is older, and would take --serial {floor.serial + 1}"
        )


def _by(source: str) -> str:
    return f"compat-guard/matrix/{source}"


def _now() -> int:
    return time.time_ns() // 1_000_000
