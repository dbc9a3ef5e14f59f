"""The matrix on its topic, as the commands read and write it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

from processors.bootstrap.clients import registry_client, stream_settings
from processors.configuration.settings import Settings
from processors.errors import MatrixRefused
from processors.matrix.document import MatrixDocument
from processors.matrix.fold import MatrixFold
from processors.matrix.parts import EVENT, TOPIC, key_of, split
from processors.matrix.writing import instant
from processors.stream.io.atomically import publish_atomically
from processors.stream.io.clients import reader
from processors.stream.loop.table import Table
from processors.stream.types import Outbound, Reject
from processors.stream.wire.codec import Codec, Encoder
from processors.stream.wire.headers import event_headers
from processors.stream.wire.registry import SchemaRegistry
from processors.stream.wire.schema import Schemas

_PATIENCE = 30.0
"""Seconds without a record after which the broker counts as unavailable."""


def read_matrix(of: Settings) -> tuple[MatrixFold, Sequence[Reject]]:
    """The matrix in effect, and the records of the topic that were refused.

    Raises BrokerUnavailable, RegistryUnavailable, or SettingsInvalid where there is no such topic.
    """
    with registry_client(of.registry) as client:
        codec = Codec(Schemas.load(of.schemas), SchemaRegistry(client))
        return _read(of, codec)


def publish_matrix(of: Settings, document: MatrixDocument, issued_at: int) -> int:
    """Write all parts of a refresh, and tombstones for what an earlier, larger one left behind, in one transaction.

    Answers with the number of parts. Raises MatrixRefused if readers would ignore the refresh, because a newer one
    is in effect; Unavailable and Fatal as `publish_atomically` does.
    """
    with registry_client(of.registry) as client:
        codec = Codec(Schemas.load(of.schemas), SchemaRegistry(client))
        fold, _ = _read(of, codec)
        _refuse_older(fold, document, issued_at)
        records = refresh_records(document, issued_at, codec.encoder(TOPIC, EVENT))
        surplus = fold.parts(document.source) - set(range(1, len(records) + 1))
        tombstones = [Outbound(TOPIC, key_of(document.source, part), None) for part in sorted(surplus)]
        publish_atomically(stream_settings(of), f"matrix-publish-{document.source}", [*records, *tombstones])
        return len(records)


def refresh_records(document: MatrixDocument, issued_at: int, encode: Encoder) -> list[Outbound]:
    """The parts of a refresh as records. The same refresh gives the same records, but for the time of the event."""
    records: list[Outbound] = []
    for part in split(document, issued_at):
        key = key_of(document.source, part["part"])
        headers = event_headers(
            id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{key.decode()}/{document.digest}/{issued_at}")),
            type="compat.matrix.refreshed",
            source=f"compat-guard/matrix/{document.source}",
            time=time.time_ns() // 1_000_000,
        )
        records.append(Outbound(TOPIC, key, encode(part), headers))
    return records


def _read(of: Settings, codec: Codec) -> tuple[MatrixFold, Sequence[Reject]]:
    fold = MatrixFold(codec.decoder(TOPIC, EVENT))
    table = Table(reader(stream_settings(of), "matrix"), fold)
    try:
        return fold, table.load(_PATIENCE)
    finally:
        table.close()


def _refuse_older(fold: MatrixFold, document: MatrixDocument, issued_at: int) -> None:
    for source in fold.snapshot().sources:
        if source.name == document.source and issued_at < source.issued_at:
            raise MatrixRefused(
                f"a refresh of `{source.name}` issued at {instant(source.issued_at)} is in effect, "
                f"and this one would be issued at {instant(issued_at)}; readers ignore the older one"
            )
