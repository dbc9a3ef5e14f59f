"""Reading an answer whole, from a server that may be slow or talkative."""

from __future__ import annotations

import time

import httpx

PLAIN = {"accept-encoding": "identity"}
"""Headers to ask with: what is not packed cannot unpack to more than was allowed."""


class TooMuch(Exception):
    """The answer is larger than it may be."""


class TooSlow(Exception):
    """The answer is not whole in time."""


def read_whole(answer: httpx.Response, largest: int, until: float) -> bytes:
    """The body as it was sent, of at most `largest` bytes, arrived before `until` on the monotonic clock.

    It is given one more wait for a piece than `until` allows, which the client's own timeout bounds.

    Raises:
        TooMuch, TooSlow: as they say; the caller knows the address and names it.
        httpx.HTTPError: the server went away.
    """
    content = bytearray()
    for piece in answer.iter_raw():
        content += piece
        if len(content) > largest:
            raise TooMuch(f"sends more than {largest} bytes")
        if time.monotonic() > until:
            raise TooSlow("takes too long to send its answer")
    return bytes(content)
