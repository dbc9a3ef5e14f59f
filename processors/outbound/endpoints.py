"""HTTP endpoints as configuration files state them."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _network(value: object) -> object:
    try:
        return ip_network(str(value))
    except ValueError:
        raise ValueError("expected addresses such as `10.20.0.0/16` or `192.0.2.7/32`") from None


Range = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
"""Addresses that a name may resolve to."""


class SecretPlace(BaseModel):
    """The place of a secret: an environment variable, or a file. Never a configuration file itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    file: Path | None = None

    @model_validator(mode="after")
    def _one(self) -> SecretPlace:
        if (self.env is None) == (self.file is None):
            raise ValueError("a secret is in exactly one of env and file")
        return self


def refuse_address(url: str) -> None:
    """Raises ValueError for an address that is not simply a host and a path."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("expected a URL such as `https://platform.internal/internal/notify/publish`") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError("expected a URL such as `https://platform.internal/internal/notify/publish`")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a URL holds no credentials; they would be logged. Use `token`")
    if parts.fragment or any(c.isspace() or not c.isprintable() for c in url):
        raise ValueError("a URL of a target has no fragment and no spaces")


def refuse_plain_http(url: str, networks: tuple[IPv4Network | IPv6Network, ...], *, allowed: bool) -> None:
    """Raises ValueError for http beyond loopback, unless it is allowed."""
    if urlsplit(url).scheme == "http" and not allowed and not all(network.is_loopback for network in networks):
        raise ValueError("http would send everything in the clear; use https, or set allow_plaintext")
