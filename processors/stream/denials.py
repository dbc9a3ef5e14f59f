"""What a broker denies: which of our errors says so, and who may do it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from confluent_kafka import KafkaError, KafkaException

from processors.contracts.access import Operation, Resource
from processors.contracts.grants import holders
from processors.errors import AccessDenied

T = TypeVar("T")

_OF: Final[Mapping[int, Resource]] = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "TOPIC",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "GROUP",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "TRANSACTIONAL_ID",
}
_CALLED: Final[Mapping[Resource, str]] = {
    "TOPIC": "topic",
    "GROUP": "group",
    "TRANSACTIONAL_ID": "transactional id",
}
_DOES: Final[Mapping[Operation, str]] = {"READ": "read", "WRITE": "write to", "DESCRIBE": "see"}


def denied(error: KafkaError, name: str, operation: Operation) -> AccessDenied | None:
    """What to raise where the broker denies an operation on a resource of that name; None for any other error."""
    resource = _OF.get(error.code())
    if resource is None:
        return None
    does = "use" if resource == "TRANSACTIONAL_ID" else _DOES[operation]
    return AccessDenied(
        f"this principal may not {does} {_CALLED[resource]} `{name}`; {_way_out(resource, name, operation)}"
    )


def unreadable(error: KafkaError, topic: str | None) -> AccessDenied | None:
    """What to raise where the broker denies a reader its topic; None for any other error that came for a record.

    Who reads without a group may lack the right to its name, and reads nevertheless.
    """
    return denied(error, topic, "READ") if topic and error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED else None


def unless_denied(call: Callable[[], T], name: str, operation: Operation) -> T:
    """What a call returns. Raises AccessDenied, and KafkaException for any other error."""
    try:
        return call()
    except KafkaException as error:
        if found := denied(error.args[0], name, operation):
            raise found from error
        raise


def _way_out(resource: Resource, name: str, operation: Operation) -> str:
    roles = holders(resource, name, "READ" if resource == "TOPIC" and operation == "DESCRIBE" else operation)
    if not roles:
        return "no role of `compat-guard acls page` has that right"
    named = ", ".join(f"`{role}`" for role in roles)
    return f"that is for {named}: `compat-guard acls page` shows the roles, `acls diff` what a broker lacks of them"
