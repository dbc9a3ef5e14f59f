"""A chat room: JSON, posted to an incoming webhook with a secret URL. Chat rooms do not detect repetitions."""

from __future__ import annotations

from processors.relay.delivery import Delivery, Reply
from processors.relay.targets.http import HttpPoster


class ChatSender:
    def __init__(self, poster: HttpPoster) -> None:
        self._poster = poster

    async def send(self, delivery: Delivery) -> Reply:
        return await self._poster.post(delivery.body, {"content-type": "application/json"})

    async def close(self) -> None:
        await self._poster.close()
