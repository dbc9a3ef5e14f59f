"""The pending deliveries of the relay, as its topic has them, and commands of operators to it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from processors.bootstrap.clients import codec, stream_settings
from processors.bootstrap.sealing import seals
from processors.configuration.settings import Settings
from processors.errors import Refused, Unavailable
from processors.events.topics import RELAY_STATE
from processors.matrix.writing import instant
from processors.relay.delivery import Delivery
from processors.relay.records import COMMAND, DeliveryCommand, from_record, to_record
from processors.relay.target_status import TargetStatus
from processors.stream.io.atomically import publish_atomically
from processors.stream.io.follow import Follower
from processors.stream.seals import Seals
from processors.stream.types import Outbound
from processors.stream.wire.codec import Codec

EVENT = "RelayState"

_TRANSACTIONAL_ID = "deliveries-replay"

RESUME_PARTITION = 0
"""The partition of commands about a whole target: every process reads it."""


class NobodyObeyed(Unavailable):
    """No relay carried out the command. One will, once it runs."""


@dataclass(frozen=True, slots=True)
class Relayed:
    """Undelivered events, oldest first, and the status of each target."""

    deliveries: Sequence[Delivery]
    standings: Mapping[str, TargetStatus]


def read_relayed(of: Settings) -> Relayed:
    """Everything that waits or was given up. Unreadable records can only come from a newer relay.

    Raises BrokerUnavailable, RegistryUnavailable, or SettingsInvalid if there is no such topic.
    """
    with codec(of) as events, closing(Follower(stream_settings(of), "deliveries", brief=True)) as follower:
        follower.from_beginning([RELAY_STATE])
        held: dict[tuple[int, bytes], bytes | None] = {}
        for record in follower.read():
            held[record.partition, record.key or b""] = record.value
        return _relayed(held, events)


def delivery_facts(delivery: Delivery) -> dict[str, Any]:
    """What operators see of a delivery, without its body."""
    return {
        "target": delivery.target,
        "id": delivery.id,
        "type": delivery.type,
        "status": delivery.status.value.lower(),
        "attempts": delivery.attempts,
        "next": instant(delivery.next_at) if delivery.pending else "never",
        "message": delivery.message,
        "at": instant(delivery.at),
        "from": f"{delivery.topic}/{delivery.partition}@{delivery.offset}",
        "urgent": delivery.urgent,
        "bytes": len(delivery.body),
    }


def target_facts(standings: Mapping[str, TargetStatus]) -> dict[str, Any]:
    """The status of each target, by name."""
    return {name: {"mode": of.mode, "message": of.message} for name, of in standings.items()}


def replay_commands(found: Sequence[Delivery], operator: str) -> dict[DeliveryCommand, int]:
    """Commands to retry these deliveries, each with the partition where its relay looks for it."""
    now = time.time_ns() // 1_000_000
    return {
        DeliveryCommand(target=d.target, topic=d.topic, id=d.id, at=now, operator=operator): d.partition
        for d in found
    }


def command_record(events: Codec, by: Seals, command: DeliveryCommand, partition: int) -> Outbound:
    """A command in the form that the relay accepts: sealed with the keys of `by`."""
    encode, key = events.encoder(RELAY_STATE, EVENT), command.key.encode()
    value = encode(to_record(command.target, command))
    return Outbound(RELAY_STATE, key, value, (by.seal(RELAY_STATE, key, value),), partition)


def ask_relay(
    of: Settings, commands: Mapping[DeliveryCommand, int], patience: float, identity: str = _TRANSACTIONAL_ID
) -> None:
    """Send commands to the relay, each to the partition of its delivery, and wait until they are carried out.

    Commands to resume a target stay on the topic and are not waited for. `identity` is the transactional id. Raises
    NobodyObeyed after `patience` seconds, Unavailable, AccessDenied and Fatal as `publish_atomically` does, and
    SettingsInvalid if this program has no keys to seal with.
    """
    by = seals(of)
    with codec(of) as events, closing(Follower(stream_settings(of), "deliveries")) as follower:
        follower.from_end([RELAY_STATE])
        records = [command_record(events, by, command, partition) for command, partition in commands.items()]
        publish_atomically(stream_settings(of), identity, records)
        open_ = {command.key.encode() for command in commands if command.id}
        for record in follower.follow(time.monotonic() + patience) if open_ else ():
            if record.value is None:
                open_.discard(record.key or b"")
            if not open_:
                return
    if open_:
        raise NobodyObeyed(
            f"no relay has answered within {patience:g} s; is one running? `compat-guard run relay`. What was "
            "asked is kept, and is carried out when one starts"
        )


def _relayed(held: Mapping[tuple[int, bytes], bytes | None], events: Codec) -> Relayed:
    read = events.decoder(RELAY_STATE, EVENT)
    deliveries: list[Delivery] = []
    standings: dict[str, TargetStatus] = {}
    for (_, key), value in held.items():
        if value is None or key.startswith(COMMAND.encode()):
            continue
        try:
            record = read(value)
            found = from_record(record)
        except Refused:
            continue
        if isinstance(found, Delivery):
            deliveries.append(found)
        elif isinstance(found, TargetStatus):
            standings[record["target"]] = _newer(found, standings.get(record["target"]))
    return Relayed(sorted(deliveries, key=lambda d: (d.at, d.target, d.id)), standings)


def _newer(one: TargetStatus, other: TargetStatus | None) -> TargetStatus:
    return one if other is None or one.changed_at >= other.changed_at else other
