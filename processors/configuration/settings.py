"""Where the guard finds its servers and files: one place, read from GUARD_* variables.

Nested names are joined with two underscores: GUARD_KAFKA__BOOTSTRAP, GUARD_POSTGRES__URL. Secrets are SecretStr,
so that no representation of the settings shows them; a secret may also come from a file (GUARD_POSTGRES__URL_FILE).
A variable that begins with GUARD_ and that nobody reads is refused.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from processors.configuration.environment import PREFIX, refuse_unknown, values_of
from processors.documents.shipped import shipped
from processors.errors import SettingsInvalid


def configuration_folder() -> Path:
    """The folder if GUARD_CONFIG names none: `./config` if it contains guard.yaml, else the shipped folder."""
    here = Path.cwd() / "config"
    return here if (here / "guard.yaml").is_file() else shipped("config")


def is_shipped(file: Path) -> bool:
    """Whether a file is one of the guard's own examples and defaults, which no installation has chosen."""
    return file.resolve().is_relative_to(shipped("config").resolve())


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KafkaSettings(_Section):
    bootstrap: str = Field(default="127.0.0.1:9092", description="Bootstrap servers, host:port, comma-separated")
    protocol: Literal["consumer", "classic"] = Field(
        default="consumer", description="Rebalance protocol; `consumer` (KIP-848) needs brokers from 4.0 on"
    )
    security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="How to talk to the brokers"
    )
    mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN", "OAUTHBEARER"] = Field(
        default="SCRAM-SHA-512", description="SASL mechanism"
    )
    username: str = Field(default="", description="SASL user; with OAUTHBEARER the id of the client")
    password: SecretStr = Field(
        default=SecretStr(""), description="SASL password; with OAUTHBEARER the secret of the client"
    )
    token_url: str = Field(default="", description="OAUTHBEARER: token endpoint of the identity provider, https")
    token_ca: Path | None = Field(
        default=None, description="OAUTHBEARER: CA of the token endpoint, PEM; unset trusts the system's"
    )
    scope: str = Field(default="", description="OAUTHBEARER: scope to ask for")
    ca: Path | None = Field(default=None, description="CA certificates, PEM; unset trusts the system's")
    certificate: Path | None = Field(default=None, description="Client certificate, PEM")
    key: Path | None = Field(default=None, description="Client key, PEM")
    allow_plaintext: bool = Field(default=False, description="Permit PLAINTEXT beyond loopback")


class RegistrySettings(_Section):
    url: str = Field(default="http://127.0.0.1:8081", description="Confluent-compatible schema registry")
    username: str = Field(default="", description="Basic authentication: user")
    password: SecretStr = Field(default=SecretStr(""), description="Basic authentication: password")
    ca: Path | None = Field(default=None, description="CA certificates, PEM; unset trusts the system's")


class PostgresSettings(_Section):
    url: SecretStr = Field(
        default=SecretStr("postgresql+psycopg://guard@127.0.0.1:5432/guard"), description="The ledger's database"
    )


class LedgerSettings(_Section):
    keys: Path = Field(
        default=Path("ledger-keys.json"), description="File of the ledger's secret keys; `compat-guard ledger keys`"
    )
    public_keys: Path | None = Field(
        default=None,
        description="JWKS that anchors are verified with, as `compat-guard ledger keys --public` prints it, for "
        "whoever has no secret keys, such as the gateway; print it again after each rotation",
    )
    anchor_every: float = Field(default=60.0, gt=0, description="Seconds between signed heads of a growing chain")
    compare_every: float = Field(
        default=300.0, ge=0, description="Seconds between comparisons of what was filed with the topics; 0 for none"
    )
    retention_days: int = Field(
        default=400, ge=365, description="Days that events stay; never fewer than 365, whatever is set"
    )


class SealSettings(_Section):
    key_file: Path | None = Field(
        default=None,
        description="File of the keys that seal what only our processors say to each other; `compat-guard seals`",
    )


class SigningSettings(_Section):
    key_file: Path | None = Field(
        default=None,
        description="Private key (JWK) that matrices are signed with; `compat-guard matrix keys`",
    )


class GatewaySettings(_Section):
    """Where the gateway listens, and where the command line finds one. config/guard.yaml says whom it trusts."""

    host: str = Field(default="127.0.0.1", description="Address that the gateway listens on")
    port: int = Field(default=8080, ge=0, le=65535, description="Its port; 0 picks one")
    certificate: Path | None = Field(default=None, description="Its TLS certificate chain, PEM")
    private_key: Path | None = Field(default=None, description="The key of that certificate, PEM")
    proxy: str = Field(
        default="",
        description="Address of the proxy in front that does TLS; its X-Forwarded-* are believed",
    )
    signing_keys: Path | None = Field(
        default=None, description="File of the keys that sign what people ask for; `compat-guard gateway keys`"
    )
    issuer: str = Field(default="urn:compat-guard:gateway", description="Name under which it signs")
    profile: Literal["production", "embedded"] = Field(
        default="production",
        description="`embedded` asks for no token and gives every role: on loopback only, for the embedded stack",
    )
    url: str = Field(default="", description="Gateway that the command line asks instead of Kafka")
    token: SecretStr = Field(default=SecretStr(""), description="Access token that it asks with")
    ca: Path | None = Field(default=None, description="CA of that gateway, PEM; unset trusts the system's")


class Settings(_Section):
    """Everything that differs between two installations of the guard."""

    kafka: KafkaSettings = KafkaSettings()
    registry: RegistrySettings = RegistrySettings()
    postgres: PostgresSettings = PostgresSettings()
    ledger: LedgerSettings = LedgerSettings()
    seal: SealSettings = SealSettings()
    signing: SigningSettings = SigningSettings()
    gateway: GatewaySettings = GatewaySettings()
    schemas: Path = Field(default_factory=lambda: shipped("schemas"), description="Folder of the .avsc files")
    config: Path = Field(
        default_factory=configuration_folder,
        description="Folder of the configuration files; unset takes ./config if it holds guard.yaml, else defaults",
    )
    ordinal: int = Field(default=0, ge=0, description="Number of this replica; part of its transactional id")
    batch: int = Field(default=2000, ge=1, le=100_000, description="Most records in one transaction")
    health_port: int = Field(
        default=0, ge=0, le=65535, description="Port of /healthz, /readyz, /metrics; 0 picks one"
    )
    health_host: str = Field(
        default="127.0.0.1",
        description="Address of /healthz, /readyz and /metrics; the image sets 0.0.0.0, for probes and scrapes",
    )
    otlp_endpoint: str = Field(
        default="", description="OTLP over HTTP to send traces to, such as http://127.0.0.1:4318; unset sends none"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level logged"
    )


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once. Raises SettingsInvalid that names each wrong variable."""
    return settings_from(os.environ)


def settings_from(environment: Mapping[str, str]) -> Settings:
    """What the variables say, and defaults. Raises SettingsInvalid as `settings` does."""
    refuse_unknown(environment, Settings)
    try:
        return Settings.model_validate(values_of(environment, Settings))
    except ValidationError as error:
        raise SettingsInvalid("; ".join(map(_complaint, error.errors(include_input=False)))) from None


def _complaint(error: ErrorDetails) -> str:
    """Names the variable, never its value, which may be a password."""
    variable = PREFIX + "__".join(map(str, error["loc"])).upper()
    return f"{variable}: {error['msg'][:1].lower()}{error['msg'][1:]}"
