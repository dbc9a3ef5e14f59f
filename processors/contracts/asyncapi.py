"""The contract as an AsyncAPI 3.1 document, so that other teams can browse it and generate clients.

It refers to the .avsc files beside it instead of repeating them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from processors.contracts.files import Contract
from processors.contracts.topics import Topic, TopicsFile

Json = dict[str, Any]

_OURS = frozenset(
    {
        *("checker", "exception-workflow", "staleness", "ledger", "gateway", "relay", "security-context"),
        *("cli", "all processors"),
    }
)
"""Writers that belong to the guard; the guard receives from all others."""

_AVRO = "application/vnd.apache.avro+json;version=1.9.0"
"""The newest version that AsyncAPI's own Avro parser reads; it silently skips later ones."""

_CLOUD_EVENTS = {
    "ce_id": "Identity of the event; the same in every repetition of it",
    "ce_type": "Type of the event",
    "ce_source": "Who wrote it",
    "ce_time": "When it came to be, RFC 3339, UTC",
    "ce_specversion": "1.0",
    "traceparent": "W3C trace context, passed on from request to result",
}
_DEAD_LETTER = {
    "__streams.errors.exception": "Kind of the error",
    "__streams.errors.message": "What is wrong with the record",
    "__streams.errors.stacktrace": "Where in the code, if it was not foreseen",
    "__streams.errors.topic": "Topic that the record was read from",
    "__streams.errors.partition": "Partition of it",
    "__streams.errors.offset": "Offset in it",
    "guard.errors.processor": "Processor that could not read it",
    "guard.errors.stage": "How far it came",
}


def document(contract: Contract, version: str) -> Json:
    """The whole document. `version` is the contract's own, such as the distribution's."""
    file, topics = contract.topics, contract.topics.topics
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Compatibility guard",
            "version": version,
            "description": "Decides whether a plugin fits before it is installed. Topics are the only contract.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/vnd.apache.avro",
        "channels": {topic.name: _channel(file, topic) for topic in topics},
        "operations": dict(operation for topic in topics for operation in _operations(topic)),
        "components": {"messages": {_message_name(topic): _message(contract, topic) for topic in topics}},
    }


def _channel(file: TopicsFile, topic: Topic) -> Json:
    name = _message_name(topic)
    config = file.config(topic)
    kept = {
        "cleanup.policy": config["cleanup.policy"].split(","),
        **{
            key: int(config[key])
            for key in ("retention.ms", "delete.retention.ms", "max.message.bytes")
            if key in config
        },
    }
    return {
        "address": topic.name,
        "description": f"Owned by {topic.owner}; written by {', '.join(topic.written_by)}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": file.partitions(topic),
                "topicConfiguration": kept,
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operations(topic: Topic) -> Sequence[tuple[str, Json]]:
    """The operations of the guard on a topic: it sends what its processors write, and receives what others
    write."""
    ours = [writer for writer in topic.written_by if writer in _OURS]
    others = [writer for writer in topic.written_by if writer not in _OURS]
    found = [("send", ours), ("receive", others)]
    return [(f"{action}.{topic.name}", _operation(action, topic, who)) for action, who in found if who]


def _operation(action: str, topic: Topic, writers: Sequence[str]) -> Json:
    name = _message_name(topic)
    return {
        "action": action,
        "summary": f"{name}, from {', '.join(writers)}",
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "messages": [{"$ref": f"#/channels/{topic.name}/messages/{name}"}],
    }


def _message(contract: Contract, topic: Topic) -> Json:
    key = {"key": {"type": "string", "description": f"{topic.key}, UTF-8; partitioned by murmur2 of it"}}
    if topic.empty:
        return {
            "title": _message_name(topic),
            "summary": "A record without a value: only the time at which the broker took it counts",
            "bindings": {"kafka": {**key, "bindingVersion": "0.5.0"}},
        }
    if topic.event is None:
        return {
            "title": _message_name(topic),
            "summary": "A record that could not be processed, byte for byte, and why",
            "contentType": "application/octet-stream",
            "headers": _headers(_DEAD_LETTER),
            "bindings": {"kafka": {**key, "bindingVersion": "0.5.0"}},
        }
    registry = {
        "schemaIdLocation": "payload",
        "schemaIdPayloadEncoding": "confluent",
        "schemaLookupStrategy": "TopicNameStrategy",
    }
    schema: Any = contract.schemas[topic.event]
    return {
        "title": topic.event,
        "summary": schema["doc"],
        "headers": _headers(_CLOUD_EVENTS),
        "payload": {"schemaFormat": _AVRO, "schema": {"$ref": f"./{topic.event}.avsc"}},
        "bindings": {"kafka": {**key, **registry, "bindingVersion": "0.5.0"}},
    }


def _headers(docs: Mapping[str, str]) -> Json:
    return {
        "type": "object",
        "properties": {name: {"type": "string", "description": doc} for name, doc in docs.items()},
    }


def _message_name(topic: Topic) -> str:
    return topic.event or ("Empty" if topic.empty else "DeadLetter")
