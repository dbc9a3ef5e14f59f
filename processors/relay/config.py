"""config/relay.yaml: the targets, their allowed addresses, and the events that they get."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from processors.documents import yaml_text
from processors.documents.complaints import refusal
from processors.documents.files import naming
from processors.documents.scalars import WrittenInt
from processors.outbound.endpoints import Range, SecretPlace, refuse_address, refuse_plain_http

FILE = "relay.yaml"

EventName = Literal["notifications", "results", "blocks", "decisions", "outcomes"]


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, WrittenInt) else value


def _duration(value: object) -> object:
    found = re.fullmatch(r"([1-9][0-9]{0,5})(ms|s|m|h)", value) if isinstance(value, str) else None
    if not found:
        raise ValueError("expected a duration such as `30s`, `5m` or `2h`")
    return int(found[1]) * {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}[found[2]]


def _instant(value: object) -> object:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError("expected a time such as `2026-11-28T09:00:00Z`") from None
    return int(at.replace(tzinfo=at.tzinfo or UTC).timestamp() * 1000)


Duration = Annotated[int, BeforeValidator(_duration)]
"""Milliseconds."""

Instant = Annotated[int, BeforeValidator(_instant)]
MailAddress = Annotated[str, Field(pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}$")]
Port = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=65535, strict=True)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Breaker(_Strict):
    """Pauses of the circuit breaker."""

    first: Duration = 30_000
    longest: Duration = 600_000


class TargetConfig(_Strict):
    """Fields that all kinds of targets share.

    `events` are the events that it gets; `recipients` limits notifications to those whose recipient matches one of
    these patterns.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")
    networks: tuple[Range, ...] = Field(min_length=1, description="address ranges that its name may resolve to")
    events: tuple[EventName, ...] = Field(default=("notifications",), min_length=1)
    recipients: tuple[str, ...] = ("*",)
    since: Instant | None = Field(
        default=None, description="older events are not sent; unset: from its first start"
    )
    ca: Path | None = Field(
        default=None, description="PEM file of the authorities to trust instead of the system's"
    )
    in_flight: Annotated[int, BeforeValidator(_whole), Field(ge=1, le=16, strict=True)] = 16
    retry: tuple[Duration, ...] | None = Field(default=None, description="waits between tries; the last ends them")
    breaker: Breaker = Breaker()


class HttpTarget(TargetConfig):
    """A target whose address is not secret."""

    url: str
    allow_plaintext: bool = Field(default=False, strict=True, description="permit http beyond loopback")

    @model_validator(mode="after")
    def _usable(self) -> HttpTarget:
        refuse_address(self.url)
        refuse_plain_http(self.url, self.networks, allowed=self.allow_plaintext)
        return self


class WebhookTarget(HttpTarget):
    """A platform: `POST /internal/notify/publish`, or any other path."""

    kind: Literal["webhook"]
    secrets: tuple[SecretPlace, ...] = Field(min_length=1, max_length=2, description="two while one is rotated")
    token: SecretPlace | None = None


class AuditTarget(HttpTarget):
    """An audit service: `POST /internal/audit/version`, with one flat record for each event."""

    kind: Literal["audit"]
    events: tuple[EventName, ...] = Field(default=("blocks", "decisions", "outcomes"), min_length=1)
    secrets: tuple[SecretPlace, ...] = Field(min_length=1, max_length=2, description="two while one is rotated")
    token: SecretPlace | None = None


class NoticeTarget(TargetConfig):
    """A target that people read, and that therefore gets only notifications."""

    @model_validator(mode="after")
    def _notices(self) -> NoticeTarget:
        if self.events != ("notifications",):
            raise ValueError("people are told of notifications only; leave `events` out")
        return self


class MailTarget(NoticeTarget):
    """A mail server, with TLS from the beginning (`implicit`) or by STARTTLS.

    `addresses` maps patterns of recipients to mail addresses. The first match counts; without a match no mail is
    sent.
    """

    kind: Literal["smtp"]
    host: str = Field(pattern=r"^[A-Za-z0-9.:-]{1,255}$")
    port: Port = 587
    tls: Literal["starttls", "implicit"] = "starttls"
    sender: MailAddress
    addresses: dict[str, MailAddress] = Field(min_length=1)
    username: str = ""
    password: SecretPlace | None = None


class ChatTarget(NoticeTarget):
    """An incoming webhook. Its URL is a secret; its host is named here and must be the same."""

    kind: Literal["slack", "teams", "mattermost"]
    url: SecretPlace
    host: str = Field(pattern=r"^[A-Za-z0-9.-]{1,255}$")


Target = Annotated[WebhookTarget | AuditTarget | MailTarget | ChatTarget, Field(discriminator="kind")]


class RelayConfig(_Strict):
    """The whole file. `links` is the address of the guard's HTTP interface, for events too large to send."""

    version: Annotated[Literal[1], BeforeValidator(_whole)] = 1
    links: str = Field(default="", pattern=r"^(https?://\S*[^/\s])?$")
    targets: tuple[Target, ...] = ()

    @model_validator(mode="after")
    def _names(self) -> RelayConfig:
        names = [target.name for target in self.targets]
        if len(set(names)) < len(names):
            raise ValueError("two targets have one name")
        return self


def load(folder: Path) -> RelayConfig:
    """Read relay.yaml of a folder. Raises DocumentRefused that names the file and the place."""
    path = folder / FILE
    with naming(path):
        return parse(path.read_bytes())


def parse(text: bytes | str) -> RelayConfig:
    """Raises DocumentRefused that names the place."""
    try:
        return RelayConfig.model_validate(yaml_text.load(text).value or {})
    except ValidationError as error:
        raise refusal(error, RelayConfig) from None
