"""A client of the guard that another team could have written: schemas/, config/topics.yaml, and nothing of ours.

It partitions by CRC32 as librdkafka does by default, and sends no headers. Whatever it needs to know beyond the two
folders is a flaw of the contract.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import httpx
import yaml
from confluent_kafka import Consumer, Producer, TopicPartition

Record = dict[str, Any]


class ForeignClient:
    """Publishes install requests and reads what comes of them."""

    def __init__(self, contract: Path, bootstrap: str, registry: str) -> None:
        """`contract` is the folder that holds `schemas/` and `config/`."""
        self._bootstrap, self._registry, self._contract = bootstrap, registry, contract
        self._writers: dict[int, Any] = {}
        declared = yaml.safe_load((contract / "config" / "topics.yaml").read_text())["topics"]
        self._topics = {topic["event"]: topic["name"] for topic in declared if "event" in topic}
        self._producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "consistent"})

    def publish(self, event: str, key: str, record: Record) -> None:
        """Returns when the broker has it."""
        topic, out = self._topics[event], BytesIO()
        out.write(b"\0" + self._id_of(event, f"{topic}-value").to_bytes(4, "big"))
        fastavro.schemaless_writer(out, self._schema(event), record, strict_allow_default=True)
        self._producer.produce(topic, key=key, value=out.getvalue())
        if self._producer.flush(30):
            raise TimeoutError(f"nobody took the record for {topic}")

    def listen(self, *events: str) -> Listener:
        """Hear everything that is said from here on."""
        return Listener(self, [self._topics[event] for event in events])

    def consumer(self) -> Consumer:
        keys = {"group.id": "foreign", "enable.auto.commit": False, "isolation.level": "read_committed"}
        return Consumer({"bootstrap.servers": self._bootstrap, **keys})

    def decode(self, value: bytes) -> Record:
        """A record as its writer wrote it, whatever version of the schema that was."""
        if value[0] != 0:
            raise ValueError("not in Confluent's wire format")
        schema_id, body = int.from_bytes(value[1:5], "big"), BytesIO(value[5:])
        if schema_id not in self._writers:
            text = self._ask(f"/schemas/ids/{schema_id}")["schema"]
            self._writers[schema_id] = fastavro.parse_schema(json.loads(text))
        record = fastavro.schemaless_reader(body, self._writers[schema_id], None)
        if body.read(1):
            raise ValueError("bytes are left over behind the record")
        return dict(record)  # type: ignore[call-overload]

    def digest(self, event: str, field: str, value: Record) -> str:
        """sha256 of the bytes of a record's last field, as the contract writes digests."""
        schema: Any = json.loads((self._contract / "schemas" / f"{event}.avsc").read_text())
        envelope = {**schema, "fields": [f for f in schema["fields"] if f["name"] != field]}
        whole, rest = BytesIO(), BytesIO()
        fastavro.schemaless_writer(whole, fastavro.parse_schema(schema), value)
        fastavro.schemaless_writer(rest, fastavro.parse_schema(envelope), value)
        return f"sha256:{hashlib.sha256(whole.getvalue()[len(rest.getvalue()) :]).hexdigest()}"

    def _schema(self, event: str) -> Any:
        return fastavro.parse_schema(json.loads((self._contract / "schemas" / f"{event}.avsc").read_text()))

    def _id_of(self, event: str, subject: str) -> int:
        """The id of the schema that it writes with: another team may have registered a newer one since."""
        text = (self._contract / "schemas" / f"{event}.avsc").read_text()
        return int(self._ask(f"/subjects/{subject}", {"schema": text})["id"])

    def _ask(self, path: str, body: Record | None = None) -> Any:
        with httpx.Client(base_url=self._registry, trust_env=False) as client:
            answer = client.get(path) if body is None else client.post(path, json=body)
        return answer.raise_for_status().json()


class Listener:
    """Every record of some topics from now on, by what it answers."""

    def __init__(self, client: ForeignClient, topics: Sequence[str]) -> None:
        self._client, self._consumer = client, client.consumer()
        self._heard: list[tuple[str, str, Record]] = []
        here = [
            TopicPartition(
                topic, number, self._consumer.get_watermark_offsets(TopicPartition(topic, number), 30)[1]
            )
            for topic in topics
            for number in self._consumer.list_topics(topic, 30).topics[topic].partitions
        ]
        self._consumer.assign(here)

    def answers(self, request_id: str, count: int, within: float = 60.0) -> list[Record]:
        """What was said with that key, as soon as it is `count` records. Fewer if the time runs out."""
        deadline = time.monotonic() + within
        while len(self.so_far(request_id)) < count and time.monotonic() < deadline:
            for message in self._consumer.consume(100, 0.5):
                key, value = message.key(), message.value()
                if message.error() is None and key is not None and value is not None:
                    self._heard.append((message.topic() or "", key.decode(), self._client.decode(value)))
        return self.so_far(request_id)

    def so_far(self, request_id: str) -> list[Record]:
        return [record for _, key, record in self._heard if key == request_id]

    def close(self) -> None:
        self._consumer.close()
