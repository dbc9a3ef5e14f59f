"""How an answer begins: its ids, when it was decided and where its report is, as an Avro writer makes it.

These are all that differs between two answers to one question, so they are written by hand: a writer takes longer
for them than all the rest of a known answer does.
"""

from __future__ import annotations

from functools import lru_cache


def ids(id: str, request_id: str) -> bytes:
    """The two ids that every answer begins with. `id` is a UUID."""
    return b"\x48" + id.encode() + _text(request_id)


def circumstances(decided_at: int, address: str) -> bytes:
    """What follows the ids of results and blocks."""
    return b"\x02" + _number(decided_at) + _text(address)


@lru_cache(maxsize=4096)
def bare_circumstances(decided_at: int) -> bytes:
    """The same without an address: records that come together have few times."""
    return circumstances(decided_at, "")


def _text(text: str) -> bytes:
    encoded = text.encode()
    size = len(encoded)
    return (bytes((size << 1,)) if size < 64 else _number(size)) + encoded


def _number(number: int) -> bytes:
    left = (number << 1) ^ (number >> 63)
    written = bytearray()
    while left > 0x7F:
        written.append(left & 0x7F | 0x80)
        left >>= 7
    written.append(left)
    return bytes(written)
