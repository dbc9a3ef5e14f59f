"""Writes a policy in the format of its file, so that the content of the topic can be read and published again."""

from __future__ import annotations

from typing import Any

from processors.matrix.writing import instant
from processors.policies.document import Advisory, SecurityPolicy


def written(policy: SecurityPolicy) -> dict[str, Any]:
    """Values for YAML or JSON, without empty fields. Reading them gives the same policy."""
    return _stated(
        {
            "component": policy.component_id,
            "policy_id": policy.policy_id,
            "published_at": instant(policy.published_at) if policy.published_at else "",
            "valid_until": instant(policy.valid_until) if policy.valid_until is not None else "",
            "publisher": policy.publisher,
            "required_baseline": policy.required_baseline,
            "dialect": policy.dialect,
            "advisories": [_advisory(advisory) for advisory in policy.advisories],
        }
    )


def _advisory(advisory: Advisory) -> dict[str, Any]:
    withdrawn = advisory.withdrawn_at
    return _stated(
        {
            "id": advisory.id,
            "aliases": list(advisory.aliases),
            "summary": advisory.summary,
            "severity": advisory.severity,
            "affected": list(advisory.affected),
            "fixed": list(advisory.fixed),
            "url": advisory.url,
            "withdrawn_at": instant(withdrawn) if withdrawn is not None else "",
        }
    )


def _stated(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in ("", [])}
