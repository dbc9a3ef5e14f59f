"""Posts a body to a target, and interprets the response."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from processors.outbound.addresses import AddressRefused, Network
from processors.outbound.client import FAILURES, PinnedClient
from processors.relay.delivery import Reception, Reply
from processors.relay.targets.answers import reply_to

LARGEST_ANSWER = 64 * 1024
"""The most bytes of a response body that are read, so that the connection can be reused. They are ignored."""


class HttpPoster:
    """Posts to one URL. Use in one event loop."""

    def __init__(self, url: str, networks: Sequence[Network], ca: Path | None, most: int) -> None:
        """As `PinnedClient`."""
        self._client = PinnedClient(url, networks, ca, most)

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """One attempt. Errors of the network or the target become a Reply; a cancellation does not."""
        try:
            answer = await self._client.post(body, headers, LARGEST_ANSWER)
        except AddressRefused as error:
            return Reply(Reception.FAILED, str(error))
        except FAILURES as error:
            return Reply(Reception.FAILED, type(error).__name__)  # its text may contain the URL, possibly a secret
        return reply_to(answer.status, answer.headers.get("retry-after"), time.time_ns() // 1_000_000)

    async def close(self) -> None:
        await self._client.close()
