"""Writes the beginning of an answer as an Avro writer would: its ids, the time of decision, and where its report
is.

These fields are all that differs between two answers to one question. An Avro writer would take longer for them
than everything else about a known answer takes, so this module writes them by hand.
"""

from __future__ import annotations

from functools import lru_cache


def ids(id: str, request_id: str) -> bytes:
    """The two ids at the beginning of every answer. `id` is a UUID."""
    return b"\x48" + id.encode() + _text(request_id)


def circumstances(decided_at: int, address: str) -> bytes:
    """The fields that follow the ids in results and blocks."""
    return b"\x02" + _number(decided_at) + _text(address)


@lru_cache(maxsize=4096)
def bare_circumstances(decided_at: int) -> bytes:
    """The same without a report address. Cached by time, because records of one batch share few times."""
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
