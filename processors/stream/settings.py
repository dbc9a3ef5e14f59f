"""The settings of a consumer, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from processors.errors import SettingsInvalid
from processors.stream.seals import Seals


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """How one process reaches the broker and the registry, and its limits. Times in seconds.

    `ordinal` distinguishes the replicas of one processor and must survive a restart (a StatefulSet's ordinal): it
    makes `transactional.id` = `<processor>-<ordinal>`, by which a restarted process aborts its own zombie.
    `security` is passed to every Kafka client unchanged: `security.protocol`, `sasl.*`, `ssl.*`.
    """

    bootstrap: str
    registry: str
    ordinal: int = 0
    security: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)  # holds passwords
    allow_plaintext: bool = False
    """Unencrypted brokers beyond loopback are refused unless this is set."""

    protocol: Literal["consumer", "classic"] = "consumer"
    """`consumer` is KIP-848 (brokers >= 4.0); `classic` for brokers that lack it."""

    seals: Seals | None = None
    """The keys that seal changelogs. A processor with state needs them."""

    batch: int = 2000
    poll: float = 0.5
    """Also the longest sleep of an idle loop, and so the delay of a stop."""

    tick: float = 1.0
    transaction_timeout: float = 15.0
    """How long a dead process can hold up the readers of its topics. The grace period must exceed it."""

    retry_deadline: float = 60.0
    """After this long without an answer inside a transaction its outcome is unknown, and the process exits."""

    dead_letters: str = "compat.dead-letters"
    clock: str = "compat.clock"
    """The topic by which the broker is asked for the time. Its records have the broker's append time."""

    otlp_endpoint: str = ""
    """The OTLP endpoint (HTTP) for traces; empty sends none."""

    health_host: str = "127.0.0.1"
    health_port: int | None = None
    """None serves no health endpoints; 0 picks a free port."""


def required_seals(settings: StreamSettings) -> Seals:
    """Raises SettingsInvalid: unsealed state is neither written nor trusted."""
    if settings.seals is None:
        raise SettingsInvalid("a processor that keeps state needs keys to seal its changelog with")
    return settings.seals
