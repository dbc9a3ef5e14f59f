"""Cuts an event into runs of fields without decoding them, for answers that repeat parts of the question.

Avro writes fields one after the other without separators, so a run of fields that a request and its answer have in
common is the same bytes in both, and can be copied. Only the structure of the fields is read: how long a text is,
where a number ends, and that an optional field is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from processors.contracts import avro
from processors.stream.wire.schema import Schema, field_run

_TEXT: Final = 0
_NUMBER: Final = 1
_ABSENT: Final = 2
_LONGEST_NUMBER: Final = 10
"""Bytes of a variable-length integer of 64 bits."""


class Run:
    """Consecutive fields of an event as separate bytes: runs joined in order are the event."""

    def __init__(self, schema: Schema, first: str, last: str) -> None:
        self._part = field_run(schema, first, last)

    def encode(self, record: Mapping[str, Any]) -> bytes:
        """The bytes of these fields. Other fields of the record are left out."""
        return self._part.encode({name: record[name] for name in self._part.names})

    def decode(self, raw: bytes) -> dict[str, Any]:
        """Raises EventUnreadable, stage `body`, also if bytes are left over."""
        return self._part.decode(raw)


class Cutter:
    """Cuts the envelope of an event after each of the named fields; the rest is the last piece.

    What follows the last named field is not checked.
    """

    def __init__(self, schema: Schema, behind: Sequence[str]) -> None:
        fields = schema.model.fields[:-1]
        last = max(n for n, field in enumerate(fields) if field.name in behind)
        self._steps = tuple((_step(field.type), field.name in behind) for field in fields[: last + 1])

    def __call__(self, value: bytes, start: int) -> list[bytes] | None:
        """The pieces of a value whose body begins at `start`.

        None for a value that is truncated or unusual, such as one with an optional field: it must be decoded, which
        also reports what is wrong with it. The pieces are checked only for where they end.
        """
        pieces: list[bytes] = []
        begin = at = start
        try:
            for step, cut in self._steps:
                byte = value[at]
                at += 1
                if step == _TEXT:
                    if byte > 0x7F or byte & 1:  # 64 characters and more, or a negative length
                        return None
                    at += byte >> 1
                elif step == _NUMBER:
                    limit = at + _LONGEST_NUMBER - 1
                    while byte > 0x7F:
                        byte = value[at]
                        at += 1
                        if at > limit:
                            return None
                elif byte:
                    return None
                if cut:
                    pieces.append(value[begin:at])
                    begin = at
        except IndexError:
            return None
        if at > len(value):
            return None
        pieces.append(value[begin:])
        return pieces


def _step(declared: avro.Schema) -> int:
    match declared:
        case avro.Primitive("string"):
            return _TEXT
        case avro.Union((avro.Primitive("null"), *_)):
            return _ABSENT
        case avro.Primitive("int" | "long") | avro.Enum():
            return _NUMBER
        case _:
            raise ValueError(f"fields of type `{avro.kind(declared)}` cannot be cut")
