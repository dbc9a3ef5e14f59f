"""Commands of operators to one target, read from the relay's own topic. Only sealed commands are accepted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from processors.errors import Refused
from processors.events.topics import RELAY_STATE
from processors.relay.records import COMMAND, DeliveryCommand, from_record
from processors.stream.types import Inbound, Reject


class CommandPlace(NamedTuple):
    """The position of a command. Its partition is that of the delivery it is about."""

    partition: int
    key: str


Commands = Mapping[CommandPlace, DeliveryCommand]


class CommandTable:
    """The commands to one target that have not been carried out yet.

    A command is removed when its record is cleared.
    """

    topic = RELAY_STATE

    def __init__(
        self,
        target: str,
        decode: Callable[[bytes | None], Mapping[str, Any]],
        check_seal: Callable[[Inbound], object],
    ) -> None:
        self._prefix, self._decode, self._check_seal = f"{COMMAND}{target}/".encode(), decode, check_seal
        self._commands: dict[CommandPlace, DeliveryCommand] = {}
        self._snapshot: Commands = MappingProxyType({})

    def snapshot(self) -> Commands:
        return self._snapshot

    def apply(self, records: Sequence[Inbound]) -> Sequence[Reject]:
        ours = [record for record in records if (record.key or b"").startswith(self._prefix)]
        rejects = [reject for record in ours if (reject := self._take(record)) is not None]
        if ours:
            self._snapshot = MappingProxyType(dict(self._commands))
        return rejects

    def _take(self, record: Inbound) -> Reject | None:
        place = CommandPlace(record.partition, (record.key or b"").decode(errors="replace"))
        try:
            self._check_seal(record)
            if record.value is None:
                self._commands.pop(place, None)
                return None
            command = from_record(self._decode(record.value))
        except Refused as error:
            return Reject(record, error.reason, str(error), getattr(error, "stage", "table"))
        if not isinstance(command, DeliveryCommand) or command.key != place.key:
            return Reject(record, "key_mismatch", f"`{place.key}` holds something else", "table")
        self._commands[place] = command
        return None
