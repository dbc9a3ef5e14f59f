"""The least that a test needs of each server."""

from __future__ import annotations

import json
import time
import uuid

import httpx
from confluent_kafka import Consumer, Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic

QUIET = {"log_level": 0}


def a_name(stem: str) -> str:
    return f"{stem}-{uuid.uuid4().hex[:8]}"


def a_topic(bootstrap: str) -> str:
    name = a_name("topic")
    admin = AdminClient({"bootstrap.servers": bootstrap, **QUIET})
    admin.create_topics([NewTopic(name, 1, 1)])[name].result(60)
    return name


def a_producer(bootstrap: str, **settings: str) -> Producer:
    return Producer({"bootstrap.servers": bootstrap, **QUIET, **settings})


def read_committed(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    """The first records of the topic, as a member of a group of the newer consumer protocol."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": a_name("group"),
            "group.protocol": "consumer",
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            **QUIET,
        }
    )
    try:
        consumer.subscribe([topic])
        found: list[Message] = []
        until = time.monotonic() + 90
        while len(found) < count and time.monotonic() < until:
            found += [message for message in consumer.consume(count, timeout=1) if message.error() is None]
        return [message.value() for message in found]
    finally:
        consumer.close()


def a_schema(*fields: tuple[str, str]) -> dict[str, object]:
    record = {"type": "record", "name": "Sample", "fields": [{"name": name, "type": kind} for name, kind in fields]}
    return {"schema": json.dumps(record)}


def register(registry: str, subject: str, schema: dict[str, object]) -> httpx.Response:
    with httpx.Client(trust_env=False, timeout=60) as client:
        return client.post(f"{registry}/subjects/{subject}/versions", json=schema)


def schema_of(registry: str, number: int) -> dict[str, object]:
    with httpx.Client(trust_env=False, timeout=60) as client:
        return json.loads(client.get(f"{registry}/schemas/ids/{number}").raise_for_status().json()["schema"])
