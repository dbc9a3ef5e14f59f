"""From librdkafka's message to ours, cheaply: this runs for every record."""

from __future__ import annotations

from typing import cast

from confluent_kafka import Message

from processors.stream.types import Headers, Inbound


class Polled(Inbound):
    """A record straight from the broker. Its headers are read when asked for: that costs more than all else."""

    __slots__ = ("_message",)

    def __init__(self, message: Message) -> None:
        self.topic = cast(str, message.topic())
        self.partition = cast(int, message.partition())
        self.offset = cast(int, message.offset())
        self.timestamp = message.timestamp()[1]
        self.key = message.key()
        self.value = message.value()
        self._message = message

    def __getattr__(self, name: str) -> Headers:
        """Only called for a slot that is still empty, and the headers' is the only one."""
        if name != "headers":
            raise AttributeError(name)
        self.headers = tuple(cast("list[tuple[str, bytes | None]]", self._message.headers() or ()))
        return self.headers
