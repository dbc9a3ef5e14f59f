"""Whom the gateway trusts and what they may do: the section `gateway` of config/guard.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Algorithm = Literal["ES256", "EdDSA", "Ed25519", "PS256", "RS256"]
"""The algorithms for tokens. Never a shared secret, and never none."""


class Role(StrEnum):
    """The roles over HTTP. Nobody has a role without a matching rule."""

    REQUESTER = "requester"
    APPROVER = "approver"
    READER = "reader"
    AUDITOR = "auditor"
    OPERATOR = "operator"


def _safe_address(jwks: str) -> str:
    if "://" not in jwks:
        return jwks
    parts = urlsplit(jwks)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        return jwks
    raise ValueError("expected an https URL, or http on loopback; keys may also come from a file")


def _safe_page(address: str) -> str:
    """An address to which browsers are sent, without a trailing slash."""
    if "://" not in address:
        raise ValueError("expected an https URL, or http on loopback")
    return _safe_address(address).rstrip("/")


def _is_loopback(host: str) -> bool:
    """Only numeric addresses count: a name could later resolve to another machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TokenIssuer(_Part):
    """An identity provider whose access tokens are trusted."""

    issuer: str = Field(min_length=1, max_length=512, description="`iss`, compared exactly")
    audiences: tuple[str, ...] = Field(min_length=1, description="one of them must be in `aud`")
    jwks: Annotated[str, AfterValidator(_safe_address)] = Field(description="URL of its keys, or a file")
    ca: Path | None = Field(default=None, description="CA of that URL, PEM; the system's if unset")
    algorithms: tuple[Algorithm, ...] = Field(default=("ES256", "EdDSA", "PS256", "RS256"), min_length=1)
    types: tuple[str, ...] = Field(default=("at+jwt", "JWT"), description="`typ` of an access token")
    tenant: str = Field(default="tenant", min_length=1, description="claim that names the tenants of a person")
    tenants: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="everybody's tenants, for an issuer that names none in its tokens"
    )


class RoleRule(_Part):
    """Gives a role to everybody whose claim has one of the values. A missing claim never matches."""

    claim: str = Field(min_length=1)
    any_of: tuple[str, ...] = Field(min_length=1)
    issuer: str | None = Field(default=None, description="only for tokens of this issuer")


class ConsoleConfig(_Part):
    """Pages for people: their address, and the identity provider. Addresses are https, or on loopback."""

    url: Annotated[str, AfterValidator(_safe_page)] = Field(
        description="address of the gateway, as browsers see it"
    )
    issuer: str = Field(min_length=1, description="one of `issuers`: its keys verify ID tokens")
    client_id: str = Field(min_length=1, max_length=255, description="under which the issuer knows the console")
    client_secret: Path | None = Field(default=None, description="file with its secret; a public client has none")
    authorize: Annotated[str, AfterValidator(_safe_page)] = Field(description="authorization endpoint")
    token: Annotated[str, AfterValidator(_safe_page)] = Field(description="token endpoint")
    scopes: tuple[str, ...] = Field(default=("openid", "profile"), min_length=1)
    acr_values: str = Field(default="", description="asked for when somebody approves, such as one for two factors")
    approvals: Annotated[str, AfterValidator(_safe_page)] | None = Field(
        default=None, description="approval service for bands that demand one; `{exception_id}` is filled in"
    )
    dashboards: Mapping[str, Annotated[str, AfterValidator(_safe_page)]] = Field(
        default_factory=dict[str, str], description="dashboards to link to, by what they are called"
    )


class GatewayConfig(_Part):
    """Nobody is trusted, and nothing is permitted, by default."""

    issuers: tuple[TokenIssuer, ...] = ()
    roles: Mapping[Role, tuple[RoleRule, ...]] = Field(default_factory=dict[Role, tuple[RoleRule, ...]])
    console: ConsoleConfig | None = None

    @property
    def pages(self) -> str:
        """The address of the pages for browsers; empty if nobody can log in to them."""
        return self.console.url if self.console is not None else ""

    @model_validator(mode="after")
    def _consistent(self) -> GatewayConfig:
        named = [issuer.issuer for issuer in self.issuers]
        if len(set(named)) < len(named):
            raise ValueError("one issuer is named twice")
        for rules in self.roles.values():
            for rule in rules:
                if rule.issuer is not None and rule.issuer not in named:
                    raise ValueError(f"a role names the issuer `{rule.issuer}`, which is not among the issuers")
        if self.console is not None and self.console.issuer not in named:
            raise ValueError(
                f"the console names the issuer `{self.console.issuer}`, which is not among the issuers"
            )
        return self
