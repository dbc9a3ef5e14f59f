"""From the settings to the real things: the one place where a command gets its clients."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import httpx

from processors.configuration.settings import KafkaSettings, RegistrySettings, Settings
from processors.errors import SettingsInvalid
from processors.observability.logs import silence_unless_configured
from processors.stream.admin.subjects import Subjects
from processors.stream.admin.topics import Cluster
from processors.stream.io.clients import admin, refuse_plaintext
from processors.stream.settings import StreamSettings
from processors.stream.wire.codec import Codec
from processors.stream.wire.registry import SchemaRegistry
from processors.stream.wire.schema import Schemas

REGISTRY_TIMEOUT = 10.0
"""Seconds."""


def stream_settings(of: Settings) -> StreamSettings:
    """What a processor is told about its surroundings. Raises SettingsInvalid that names the variable."""
    _refuse_unsafe(of.kafka)
    silence_unless_configured()
    return StreamSettings(
        bootstrap=of.kafka.bootstrap,
        registry=of.registry.url,
        ordinal=of.ordinal,
        security=_security(of.kafka),
        allow_plaintext=of.kafka.allow_plaintext,
        protocol=of.kafka.protocol,
        batch=of.batch,
        otlp_endpoint=of.otlp_endpoint,
        health_host=of.health_host,
        health_port=of.health_port,
    )


@contextmanager
def cluster(of: Settings) -> Generator[Cluster]:
    """The broker and the registry that the settings name. Nothing is asked of them yet."""
    with registry_client(of.registry) as client:
        yield Cluster(admin(stream_settings(of)), Subjects(client))


@contextmanager
def codec(of: Settings) -> Generator[Codec]:
    """Events as bytes, with ids from the registry. Nothing is asked of it before the first record."""
    with registry_client(of.registry) as client:
        yield Codec(Schemas.load(of.schemas), SchemaRegistry(client))


def registry_client(of: RegistrySettings) -> httpx.Client:
    """Whoever asks for it closes it."""
    user = httpx.BasicAuth(of.username, of.password.get_secret_value()) if of.username else None
    return httpx.Client(base_url=of.url, auth=user, timeout=REGISTRY_TIMEOUT)


def _refuse_unsafe(of: KafkaSettings) -> None:
    """What every client would refuse, said where the variables are known."""
    if not of.bootstrap.strip(" ,"):
        raise SettingsInvalid("GUARD_KAFKA__BOOTSTRAP is empty; set it to the brokers, such as `broker:9093`")
    try:
        if not of.allow_plaintext:
            refuse_plaintext(of.bootstrap, _security(of))
    except SettingsInvalid as error:
        ways = "GUARD_KAFKA__SECURITY=SASL_SSL or GUARD_KAFKA__ALLOW_PLAINTEXT=true"
        raise SettingsInvalid(f"{error}: {ways}") from None


def _security(of: KafkaSettings) -> dict[str, str]:
    """Only what is set: the client refuses an empty path, and takes no user without SASL."""
    files = {
        "ssl.ca.location": of.ca,
        "ssl.certificate.location": of.certificate,
        "ssl.key.location": of.key,
    }
    sasl = {
        "sasl.mechanism": of.mechanism,
        "sasl.username": of.username,
        "sasl.password": of.password.get_secret_value(),
    }
    return {
        "security.protocol": of.security,
        **(sasl if of.security.startswith("SASL") else {}),
        **{key: str(path) for key, path in files.items() if path is not None},
    }
