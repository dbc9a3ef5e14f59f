"""The ids that Kafka gave to a cluster and to its topics when they were created."""

# The client's admin module re-exports its classes and returns bare futures, which strict checking cannot follow.
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, NamedTuple, cast

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from processors.errors import BrokerUnavailable
from processors.stream.denials import unless_denied

ANSWER_WITHIN: Final = 5.0
"""Seconds."""


class Identity(NamedTuple):
    """The ids of a topic and of its cluster. If the broker gives topics no id, that one is empty."""

    cluster: str
    topic: str


def identities(admin: AdminClient, topics: Collection[str]) -> dict[str, Identity]:
    """By name; missing topics are left out. Raises BrokerUnavailable, and AccessDenied if one may not be seen."""
    try:
        cluster = str(cast(Any, admin).list_topics(timeout=ANSWER_WITHIN).cluster_id)
        asked = cast(Any, admin).describe_topics(TopicCollection(sorted(topics)), request_timeout=ANSWER_WITHIN)
        found = {name: _topic_id(name, future) for name, future in asked.items()}
    except KafkaException as error:
        cause: KafkaError = error.args[0]
        raise BrokerUnavailable(f"the broker does not list its topics: {cause.str()}") from error
    return {name: Identity(cluster, id_) for name, id_ in found.items() if id_ is not None}


def _topic_id(name: str, future: Any) -> str | None:
    try:
        found = unless_denied(future.result, name, "DESCRIBE").topic_id
    except KafkaException as error:
        if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return None
        raise
    is_given = found.get_most_significant_bits() or found.get_least_significant_bits()
    return str(found) if is_given else ""
