"""Consumer groups, as the broker knows them."""

from __future__ import annotations

from typing import Any, cast

from confluent_kafka import ConsumerGroupState, KafkaException

from processors.errors import BrokerUnavailable
from processors.stream.io.clients import admin
from processors.stream.settings import StreamSettings


def has_members(settings: StreamSettings, group: str) -> bool:
    """Whether the group has members now. Raises BrokerUnavailable."""
    try:
        found: Any = cast(Any, admin(settings)).describe_consumer_groups([group])[group].result(10.0)
    except KafkaException as error:
        raise BrokerUnavailable(f"no broker describes group `{group}`: {error.args[0]}") from error
    return found.state not in (ConsumerGroupState.EMPTY, ConsumerGroupState.DEAD)
