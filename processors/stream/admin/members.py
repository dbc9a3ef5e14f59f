"""The brokers of a cluster, and the members of its consumer groups."""

# The client's admin module re-exports its classes and returns bare futures, which strict checking cannot follow.
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from processors.errors import BrokerUnavailable
from processors.stream.denials import unless_denied

ANSWER_WITHIN = 10.0
"""Seconds."""


def broker_count(admin: AdminClient, patience: float = ANSWER_WITHIN) -> int:
    """How many brokers the cluster has. Raises BrokerUnavailable."""
    try:
        return len(admin.list_topics(timeout=patience).brokers)
    except KafkaException as error:
        cause: KafkaError = error.args[0]
        raise BrokerUnavailable(f"no broker has answered for {patience:g} s: {cause.str()}") from error


def members(admin: AdminClient, groups: Sequence[str]) -> dict[str, int]:
    """How many members each group has now; 0 for one that is empty or never existed.

    Raises BrokerUnavailable, and AccessDenied if a group may not be seen.
    """
    asked = cast(Any, admin).describe_consumer_groups(list(groups), request_timeout=ANSWER_WITHIN)
    return {name: _count(name, future) for name, future in asked.items()}


def _count(name: str, future: Any) -> int:
    try:
        return len(unless_denied(future.result, name, "DESCRIBE").members)
    except KafkaException as error:
        cause: KafkaError = error.args[0]
        if cause.code() == KafkaError.GROUP_ID_NOT_FOUND:
            return 0
        raise BrokerUnavailable(f"the broker does not describe its consumer groups: {cause.str()}") from error
