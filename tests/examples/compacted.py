"""Deletes records of a compacted topic, which a broker does not do on request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource
from examples.ground import Ground, eventually

from processors.stream.io.clients import admin


def forget_below(ground: Ground, topic: str, offsets: Mapping[int, int]) -> None:
    """Delete what is before an offset of each partition."""
    with _deletable(ground, topic):
        for partition, offset in offsets.items():
            eventually(lambda at=partition, below=offset: _is_cut(ground, topic, at, below))


def _is_cut(ground: Ground, topic: str, partition: int, below: int) -> bool:
    """False while the log has not heard of its new policy yet: a broker answers a change before it takes effect."""
    try:
        ground.forget_below(topic, partition, below)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.POLICY_VIOLATION:
            raise
        return False
    return True


@contextmanager
def _deletable(ground: Ground, topic: str) -> Iterator[None]:
    client = admin(ground.settings)

    def be(policy: str) -> None:
        entry = ConfigEntry("cleanup.policy", policy, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
        client.incremental_alter_configs([resource])[resource].result(30)

    be("delete")
    try:
        yield
    finally:
        be("compact")
