"""config/security_context.yaml: the platform, the interval, and the validity of an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from processors.documents import yaml_text
from processors.documents.complaints import refusal
from processors.documents.durations import Duration
from processors.documents.files import naming
from processors.documents.scalars import WrittenInt
from processors.outbound.endpoints import Range, SecretPlace, refuse_address, refuse_plain_http

FILE = "security_context.yaml"

_MINUTE, _HOUR = 60_000, 3_600_000


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, WrittenInt) else value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SecurityService(_Strict):
    """The endpoint for policies: `POST /internal/security/scan/context`, or any other path."""

    url: str
    networks: tuple[Range, ...] = Field(min_length=1, description="address ranges that its name may resolve to")
    ca: Path | None = Field(default=None, description="PEM file of the authorities to trust, not the system's")
    token: SecretPlace | None = Field(default=None, description="a bearer token that is sent along")
    allow_plaintext: bool = Field(default=False, strict=True, description="permit http beyond loopback")

    @model_validator(mode="after")
    def _usable(self) -> SecurityService:
        refuse_address(self.url)
        refuse_plain_http(self.url, self.networks, allowed=self.allow_plaintext)
        return self


class SecurityContextConfig(_Strict):
    """The whole file. Without a `platform` no requests are sent.

    `accept` are digests of held replies that are correct.
    """

    version: Annotated[Literal[1], BeforeValidator(_whole)] = 1
    platform: SecurityService | None = None
    every: Duration = 15 * _MINUTE
    valid_for: Duration = 24 * _HOUR
    notify: str = Field(default="role:security", min_length=1, max_length=256)
    accept: tuple[Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")], ...] = ()

    @model_validator(mode="after")
    def _lasts(self) -> SecurityContextConfig:
        if self.valid_for < 4 * self.every:
            raise ValueError(
                "valid_for is at least four times `every`: one missed answer must not block everything"
            )
        return self


def load(folder: Path) -> SecurityContextConfig:
    """Read security_context.yaml of a folder; without the file, no requests are sent.

    Raises DocumentRefused that names the file and the place.
    """
    path = folder / FILE
    if not path.exists():
        return SecurityContextConfig()
    with naming(path):
        return parse(path.read_bytes())


def parse(text: bytes | str) -> SecurityContextConfig:
    """Raises DocumentRefused that names the place."""
    try:
        return SecurityContextConfig.model_validate(yaml_text.load(text).value or {})
    except ValidationError as error:
        raise refusal(error, SecurityContextConfig) from None
