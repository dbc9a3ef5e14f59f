"""Converts librdkafka's messages to ours, cheaply: this runs for every record."""

from __future__ import annotations

from typing import cast

from confluent_kafka import Message

from processors.stream.types import Headers, Inbound

UNREADABLE: Headers = (("guard.headers.unreadable", b""),)
"""Replaces the headers of a record if the name of one is not UTF-8. The record itself is still valid."""


class Polled(Inbound):
    """A record as polled from the broker. Its headers are read on demand: that costs more than everything else."""

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
        """Only called for an unset slot, which can only be that of the headers."""
        if name != "headers":
            raise AttributeError(name)
        try:
            self.headers = tuple(cast("list[tuple[str, bytes | None]]", self._message.headers() or ()))
        except (SystemError, UnicodeDecodeError):  # the client's error for a name that is not UTF-8
            self.headers = UNREADABLE
        return self.headers
