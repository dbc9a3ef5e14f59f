"""The caller: a person or service at an issuer, their tenants, and the roles from the configuration."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from processors.configuration.gateway import GatewayConfig, Role, TokenIssuer

_NAME = re.compile(r"[\w.:@/-]{1,255}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Principal:
    """The subject of a verified token. `roles` and `tenants` may be empty, which permits nothing."""

    issuer: str
    subject: str
    tenants: frozenset[str]
    roles: frozenset[Role]

    @property
    def key(self) -> str:
        """One text for this person, whatever characters the names contain."""
        return json.dumps([self.issuer, self.subject])


def principal(claims: Mapping[str, Any], issuer: TokenIssuer, config: GatewayConfig) -> Principal:
    """The principal of a verified token under the rules of the configuration."""
    tenants = frozenset(issuer.tenants or texts(claims, issuer.tenant))
    return Principal(
        issuer=issuer.issuer,
        subject=claims["sub"],
        tenants=frozenset(tenant for tenant in tenants if _NAME.fullmatch(tenant)),
        roles=roles(claims, issuer.issuer, config),
    )


def roles(claims: Mapping[str, Any], issuer: str, config: GatewayConfig) -> frozenset[Role]:
    """The roles of which at least one rule matches. A rule never matches a missing claim."""
    return frozenset(
        role
        for role, rules in config.roles.items()
        for rule in rules
        if rule.issuer in (None, issuer) and texts(claims, rule.claim) & set(rule.any_of)
    )


def texts(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    """The texts of a claim: one, or a list of them.

    A dot selects a field of an object, unless it is part of the name.
    """
    value: Any = claims.get(name)
    if value is None and "." in name:
        value = claims
        for step in name.split("."):
            value = cast("dict[str, Any]", value).get(step) if isinstance(value, dict) else None
    if isinstance(value, str):
        return frozenset({value})
    if isinstance(value, list):
        return frozenset(item for item in cast("list[Any]", value) if isinstance(item, str))
    return frozenset()
