"""From librdkafka's message to ours, cheaply: this runs for every record."""

from __future__ import annotations

from typing import cast

from confluent_kafka import Message

from processors.stream.types import Headers, Inbound

UNREADABLE: Headers = (("guard.headers.unreadable", b""),)
"""Stands for the headers of a record that has one whose name is not UTF-8. The record itself is as good as any."""


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
        try:
            self.headers = tuple(cast("list[tuple[str, bytes | None]]", self._message.headers() or ()))
        except (SystemError, UnicodeDecodeError):  # what the client raises for a name that is not UTF-8
            self.headers = UNREADABLE
        return self.headers
