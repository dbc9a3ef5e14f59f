"""Between the Avro record of a policy and its typed value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from processors.policies.document import Advisory, SecurityPolicy


def policy_to_record(policy: SecurityPolicy) -> dict[str, Any]:
    """The exact inverse of `policy_from_record`."""
    return asdict(policy)


def policy_from_record(record: Mapping[str, Any]) -> SecurityPolicy:
    """The typed policy of a decoded record. The record must be complete, as our reader schema makes it."""
    return SecurityPolicy(
        component_id=record["component_id"],
        policy_id=record["policy_id"],
        published_at=record["published_at"],
        publisher=record["publisher"],
        required_baseline=record["required_baseline"],
        advisories=tuple(_advisory(advisory) for advisory in record["advisories"]),
        dialect=record["dialect"],
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
