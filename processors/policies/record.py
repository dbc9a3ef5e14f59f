"""Converts policies to and from their Avro records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from processors.policies.document import Advisory, SecurityPolicy
from processors.trust.statements import Statement

SECURITY: Final = "security"
"""The signer of policies, whichever team or database they come from."""


def statement_of(policy: SecurityPolicy, serial: int) -> Statement:
    """The statement that security signs to put a policy in force."""
    at, until = policy.published_at, policy.valid_until
    return Statement(
        "security-policy", SECURITY, policy.component_id, policy.digest, at, at if until is None else until, serial
    )


def withdrawal_of(component: str, at: int, serial: int) -> Statement:
    """The statement that security signs to withdraw the policy of a component."""
    return Statement("security-policy-withdrawal", SECURITY, component, "", at, at, serial)


def policy_to_record(policy: SecurityPolicy, statement: Statement, signature: str) -> dict[str, Any]:
    """The inverse of `policy_from_record`, with its signature."""
    return {**asdict(policy), "serial": statement.serial, "withdrawn": False, "signature": signature}


def withdrawal_to_record(statement: Statement, signature: str) -> dict[str, Any]:
    """The record that withdraws a policy: an empty policy, marked as withdrawal."""
    empty = SecurityPolicy(component_id=statement.subject, policy_id="", published_at=statement.issued_at)
    return {**policy_to_record(empty, statement, signature), "withdrawn": True}


def statement_from_record(record: Mapping[str, Any]) -> Statement:
    """The statement that the signature of a decoded record must cover."""
    policy = policy_from_record(record)
    if record["withdrawn"]:
        return withdrawal_of(policy.component_id, policy.published_at, record["serial"])
    return statement_of(policy, record["serial"])


def floor_name(component: str) -> str:
    """The name of a component among the floors. No source of a matrix has such a name."""
    return f"policy/{component}"


def policy_from_record(record: Mapping[str, Any]) -> SecurityPolicy:
    """The policy of a decoded record. The record must be complete, as our reader schema makes it."""
    return SecurityPolicy(
        component_id=record["component_id"],
        policy_id=record["policy_id"],
        published_at=record["published_at"],
        publisher=record["publisher"],
        required_baseline=record["required_baseline"],
        advisories=tuple(_advisory(advisory) for advisory in record["advisories"]),
        dialect=record["dialect"],
        valid_until=record["valid_until"],
    )


def _advisory(record: Mapping[str, Any]) -> Advisory:
    return Advisory(
        id=record["id"],
        aliases=tuple(record["aliases"]),
        summary=record["summary"],
        severity=record["severity"],
        affected=tuple(record["affected"]),
        fixed=tuple(record["fixed"]),
        url=record["url"],
        withdrawn_at=record["withdrawn_at"],
    )
