"""Reads a whole response from a server that may be slow or may send too much."""

from __future__ import annotations

import time

import httpx

PLAIN = {"accept-encoding": "identity"}
"""Request headers: an uncompressed response cannot expand beyond the limit."""


class TooMuch(Exception):
    """The answer is larger than it may be."""


class TooSlow(Exception):
    """The response was not complete in time."""


def read_whole(answer: httpx.Response, largest: int, until: float) -> bytes:
    """The body as it was sent, of at most `largest` bytes, received before `until` on the monotonic clock.

    It may exceed `until` by one wait for a chunk, which the client's own timeout bounds.

    Raises:
        TooMuch, TooSlow: a limit was exceeded; the caller knows the address and names it.
        httpx.HTTPError: the connection was lost.
    """
    content = bytearray()
    for piece in answer.iter_raw():
        content += piece
        if len(content) > largest:
            raise TooMuch(f"sends more than {largest} bytes")
        if time.monotonic() > until:
            raise TooSlow("takes too long to send its answer")
    return bytes(content)
