"""What a consumer must be told about its surroundings. Plain data; the settings build it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from processors.errors import SettingsInvalid
from processors.stream.seals import Seals


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """How one process reaches the broker and the registry, and how it paces itself. Times in seconds.

    `ordinal` tells the replicas of one processor apart and must survive a restart (a StatefulSet's ordinal): it
    makes `transactional.id` = `<processor>-<ordinal>`, by which a restarted process aborts its own zombie.
    `security` is handed to every Kafka client as it is: `security.protocol`, `sasl.*`, `ssl.*`.
    """

    bootstrap: str
    registry: str
    ordinal: int = 0
    security: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)  # holds passwords
    allow_plaintext: bool = False
    """Unencrypted brokers beyond loopback are refused unless this says otherwise."""

    protocol: Literal["consumer", "classic"] = "consumer"
    """`consumer` is KIP-848 (brokers >= 4.0); `classic` for brokers that lack it."""

    seals: Seals | None = None
    """What changelogs are sealed with. A processor that keeps state does not run without."""

    batch: int = 2000
    poll: float = 0.5
    """Also the longest that an idle loop sleeps, so how soon it sees a stop."""

    tick: float = 1.0
    transaction_timeout: float = 15.0
    """How long a dead process can hold up the readers of its topics. The grace period must exceed it."""

    retry_deadline: float = 60.0
    """After this long without an answer inside a transaction its outcome is unknown, and the process exits."""

    dead_letters: str = "compat.dead-letters"
    clock: str = "compat.clock"
    """The topic by which the broker is asked for the time. Its records have the broker's append time."""

    otlp_endpoint: str = ""
    """Where traces go, by OTLP over HTTP; empty sends none."""

    health_host: str = "127.0.0.1"
    health_port: int | None = None
    """None serves no health; 0 picks a free port."""


def required_seals(settings: StreamSettings) -> Seals:
    """Raises SettingsInvalid: state that nobody can vouch for is neither written nor believed."""
    if settings.seals is None:
        raise SettingsInvalid("a processor that keeps state needs keys to seal its changelog with")
    return settings.seals
