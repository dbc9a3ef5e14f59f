"""Recognises the parts of a question by their bytes, without decoding them.

In a fleet the combination is new but its parts are not: the same manifests, hosts and installed plugins recur. Avro
writes the fields of a record one after the other, and where the encoding of a record begins, a reader reads exactly
that record. So a part that was decoded once is recognised wherever its bytes occur.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from processors.checker.memory import Memory

KEPT: Final = 4 * 1024 * 1024
"""The most bytes of each kind of part, in each of two generations."""

_ENTRY: Final = 256
"""Bytes that a part takes in addition to its own."""

_ALIKE: Final = 8
"""The most parts with one name and version that are distinguished. Further ones are decoded each time."""

_LONG_OR_NEGATIVE: Final = 0x81
"""The bits of a length that takes more than one byte, or that is invalid."""

_MOST: Final = 8191
"""The most plugins that a two-byte count can state."""

Encode = Callable[[Any], bytes]


class Parts(NamedTuple):
    """A question's bytes in order.

    Only the count of installed plugins and the end of their array lie between them.
    """

    manifest: bytes
    host: bytes
    installed: tuple[bytes, ...]
    rest: bytes
    """Runtimes, database, previous version, and what else is installed in the same step."""


class KnownParts:
    """Cuts questions that consist of known parts. The encoders write one part as it stands in an event."""

    def __init__(self, manifest: Encode, host: Encode, installed: Encode) -> None:
        self._manifests, self._hosts, self._installed = _Kind(manifest), _Kind(host), _Kind(installed)

    def cut(self, subject: bytes) -> Parts | None:
        """None if the question has an unknown part, or is encoded in an unusual way."""
        return self._walked(subject, None)

    def learn(self, subject: bytes, record: Mapping[str, Any]) -> Parts | None:
        """The parts of a question that was decoded as `record`; None if it is encoded in an unusual way."""
        return self._walked(subject, record)

    def _walked(self, subject: bytes, record: Mapping[str, Any] | None) -> Parts | None:
        try:
            manifest = self._manifests.at(subject, 0, record["manifest"] if record else None)
            if manifest is None:
                return None
            host = self._hosts.at(subject, len(manifest), record["host"] if record else None)
            if host is None:
                return None
            found = self._plugins(subject, len(manifest) + len(host), record["installed"] if record else None)
        except IndexError:
            return None
        return None if found is None else Parts(manifest, host, found[0], subject[found[1] :])

    def _plugins(
        self, subject: bytes, at: int, records: Sequence[Mapping[str, Any]] | None
    ) -> tuple[tuple[bytes, ...], int] | None:
        """The installed plugins and where they end: one block of an Avro array, or none."""
        count, at = subject[at], at + 1
        if not count:
            return (), at
        if count & 0x80:
            count, at = count & 0x7F | subject[at] << 7, at + 1
            if count < 0x80:  # longer than necessary: a reader would take the rest for the next value
                return None
        if count & 1 or count > _MOST << 1:
            return None
        pieces: list[bytes] = []
        for n in range(count >> 1):
            piece = self._installed.at(subject, at, records[n] if records else None)
            if piece is None:
                return None
            at += len(piece)
            pieces.append(piece)
        return (tuple(pieces), at + 1) if subject[at] == 0 else None


class _Kind:
    """Parts of one kind. Each begins with two texts, a name and a version, by which it is looked up."""

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._known: Memory[bytes, tuple[bytes, ...]] = Memory(KEPT)

    def at(self, value: bytes, at: int, record: Mapping[str, Any] | None = None) -> bytes | None:
        """The part at this position, if it is known or given as a record. Raises IndexError at the end.

        No encoding is a prefix of another one, so at most one matches.
        """
        name = value[at]
        version = value[middle := at + 1 + (name >> 1)]
        if (name | version) & _LONG_OR_NEGATIVE:
            return None
        named = value[at : middle + 1 + (version >> 1)]
        alike = self._known.get(named) or ()
        for piece in alike:
            if value.startswith(piece, at):
                return piece
        return None if record is None else self._learnt(named, alike, record, value, at)

    def _learnt(
        self, named: bytes, alike: tuple[bytes, ...], record: Mapping[str, Any], value: bytes, at: int
    ) -> bytes | None:
        piece = self._encode(record)
        if not value.startswith(piece, at):
            return None
        alike = (piece, *alike)[:_ALIKE]
        self._known.keep(named, alike, _ENTRY + sum(map(len, alike)))
        return piece
