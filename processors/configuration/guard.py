"""config/guard.yaml: feature flags, monitoring of the matrix, and the sources of matrices.

`Watched` reads the file again when it changes, so that a feature is switched without a restart.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any, Literal

import structlog
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from processors.configuration.gateway import GatewayConfig
from processors.documents import yaml_text
from processors.documents.complaints import refusal
from processors.documents.durations import Duration
from processors.documents.files import naming
from processors.documents.scalars import WrittenInt
from processors.errors import DocumentRefused

FILE = "guard.yaml"
SOURCE_NAME = r"^[a-z0-9][a-z0-9._-]{0,63}$"
LONGEST_VALIDITY = 31 * 86_400_000
"""The longest validity of a refresh or policy in milliseconds, unless configured otherwise."""

_LOOK_EVERY = 1.0
"""Seconds between two checks of the file."""

_log = structlog.get_logger(__name__)


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, WrittenInt) else value


Percent = Annotated[int, BeforeValidator(_number), Field(ge=1, le=100, strict=True)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Features(_Part):
    """The feature flags, by the names that operators use."""

    guard: bool = Field(default=True, alias="plugin-compat-guard", strict=True)
    exceptions: bool = Field(default=True, alias="plugin-compat-exception", strict=True)


class Staleness(_Part):
    """`warn_at` is percent of a source's allowed age; `notify` a recipient of notifications."""

    warn_at: Percent = 80
    notify: str = Field(default="role:matrix-ops", min_length=1)


class Signature(_Part):
    """A detached signature of the document's bytes, raw or base64, and the public key (PEM: Ed25519 or ECDSA)."""

    url: str
    key: Path


class SourceConfig(_Part):
    """One source: a file, a file in a Git repository, or a document on a web server."""

    name: str = Field(pattern=SOURCE_NAME, description="what the document must call itself")
    file: Path | None = None
    git: str | None = None
    ref: str = "HEAD"
    path: str = "compat_matrix.yaml"
    url: str | None = Field(default=None, pattern=r"^https?://")
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    signature: Signature | None = None

    @model_validator(mode="after")
    def _one_place(self) -> SourceConfig:
        if sum(place is not None for place in (self.file, self.git, self.url)) != 1:
            raise ValueError("a source has exactly one of file, git and url")
        if self.url and self.sha256 is None and self.signature is None:
            raise ValueError("a document from the web needs a sha256 or a signature")
        if self.url is None and (self.sha256 or self.signature):
            raise ValueError("only a document from the web has a sha256 or a signature")
        return self


class Sync(_Part):
    """`renew_at` is percent of the allowed age, from which on an unchanged matrix is published again."""

    renew_at: Percent = 50
    sources: tuple[SourceConfig, ...] = ()


class SpeaksFor(_Part):
    """What a source of the matrix speaks for: plugins on any host, and hosts with every plugin on them."""

    plugins: tuple[Annotated[str, Field(min_length=1, max_length=256)], ...] = ()
    hosts: tuple[Annotated[str, Field(min_length=1, max_length=256)], ...] = ()


class Trusted(_Part):
    """A trusted source of the matrix. `keys` is a JWKS file of its public keys; without it, on loopback, the key of
    this machine is trusted.

    Without a `required` source nothing is judged. No refresh is valid for longer than `longest_validity`, whatever
    it states. What a source states outside what it `speaks_for` can only tighten.
    """

    name: str = Field(pattern=SOURCE_NAME)
    keys: Path | None = None
    required: bool = Field(default=False, strict=True)
    longest_validity: Duration = LONGEST_VALIDITY
    speaks_for: SpeaksFor | None = None

    @model_validator(mode="after")
    def _governance_is_not_limited(self) -> Trusted:
        if self.name == "governance" and self.speaks_for is not None:
            raise ValueError("`governance` speaks for everything; leave `speaks_for` out")
        return self


class Authority(_Part):
    """The publishers of security policies: the keys of a JWKS file."""

    keys: Path


class TrustConfig(_Part):
    """Who may publish what. On loopback a key of this machine is trusted for everything that is not listed here."""

    sources: tuple[Trusted, ...] = ()
    policies: Authority | None = None

    @model_validator(mode="after")
    def _named_once(self) -> TrustConfig:
        names = [source.name for source in self.sources]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"the source `{min(twice)}` is named twice")
        return self


class GuardConfig(_Part):
    """The whole file."""

    version: Annotated[Literal[1], BeforeValidator(_number)] = 1
    features: Features = Features()
    staleness: Staleness = Staleness()
    sync: Sync = Sync()
    trust: TrustConfig = TrustConfig()
    gateway: GatewayConfig = GatewayConfig()


def load(folder: Path) -> GuardConfig:
    """Read guard.yaml of a folder. Raises DocumentRefused that names the file and the place."""
    path = folder / FILE
    with naming(path):
        return parse(path.read_bytes())


def parse(text: bytes | str) -> GuardConfig:
    """Raises DocumentRefused that names the place."""
    try:
        return GuardConfig.model_validate(yaml_text.load(text).value or {})
    except ValidationError as error:
        raise refusal(error, GuardConfig) from None


class Watched:
    """The present configuration of the file. Call it; the file is checked once a second at most.

    The first reading raises DocumentRefused. Later ones keep the last valid version and log errors: a typing
    mistake must neither stop installations nor switch a feature.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / FILE
        self._seen = self._stamp()
        self._config = load(folder)
        self._next = time.monotonic() + _LOOK_EVERY

    def __call__(self) -> GuardConfig:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _LOOK_EVERY
            self._look()
        return self._config

    def _look(self) -> None:
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._config = load(self._folder)
        except DocumentRefused as error:
            _log.error("configuration kept as it was", file=str(self._path), message=str(error))
        else:
            _log.info("configuration read again", file=str(self._path), features=self._config.features.model_dump())

    def _stamp(self) -> tuple[int, int, int] | None:
        """Changes whenever the file does, also if another file replaces it."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino
