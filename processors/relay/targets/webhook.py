"""A platform that accepts CloudEvents over HTTP, signed as Standard Webhooks."""

from __future__ import annotations

import time
from collections.abc import Sequence

from processors.relay.delivery import Delivery, Reply
from processors.relay.envelope import CONTENT_TYPE
from processors.relay.targets.http import HttpPoster
from processors.relay.targets.signing import signed


class WebhookSender:
    """Signs each attempt with the present time, because a receiver refuses an old timestamp.

    Id and body stay the same.
    """

    def __init__(self, poster: HttpPoster, keys: Sequence[bytes], token: str = "") -> None:
        """`token` is sent as a bearer token, if there is one."""
        self._poster, self._keys = poster, keys
        self._always = {"content-type": CONTENT_TYPE, **({"authorization": f"Bearer {token}"} if token else {})}

    async def send(self, delivery: Delivery) -> Reply:
        signature = signed(self._keys, delivery.id, int(time.time()), delivery.body)
        return await self._poster.post(delivery.body, {**self._always, **signature})

    async def close(self) -> None:
        await self._poster.close()
