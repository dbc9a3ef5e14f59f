"""Creates the clients of a command from the settings."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from processors.configuration.certificates import believed
from processors.configuration.settings import KafkaSettings, RegistrySettings, Settings
from processors.errors import SettingsInvalid
from processors.observability.logs import silence_unless_configured
from processors.stream.admin.access import AccessRules
from processors.stream.admin.subjects import Subjects
from processors.stream.admin.topics import Cluster
from processors.stream.io.clients import admin, is_loopback, refuse_plaintext
from processors.stream.settings import StreamSettings
from processors.stream.wire.codec import Codec
from processors.stream.wire.registry import SchemaRegistry
from processors.stream.wire.schema import Schemas

REGISTRY_TIMEOUT = 10.0
"""Seconds."""


def stream_settings(of: Settings) -> StreamSettings:
    """The settings of a processor's consumer. Raises SettingsInvalid that names the variable."""
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
    """The broker and the registry of the settings. No request is made yet."""
    with registry_client(of.registry) as client:
        yield Cluster(admin(stream_settings(of)), Subjects(client))


def access_rules(of: Settings) -> AccessRules:
    """The access rules of the settings' broker. No request is made yet."""
    return AccessRules(admin(stream_settings(of)))


@contextmanager
def codec(of: Settings) -> Generator[Codec]:
    """Events as bytes, with ids from the registry. No request is made before the first record."""
    with registry_client(of.registry) as client:
        yield Codec(Schemas.load(of.schemas), SchemaRegistry(client))


def registry_client(of: RegistrySettings) -> httpx.Client:
    """The caller closes it. Raises SettingsInvalid if the CA cannot be read.

    A user and password in the address are taken out of it, because errors quote addresses.
    """
    address = httpx.URL(of.url)
    name, password = of.username or address.username, of.password.get_secret_value() or address.password
    user = httpx.BasicAuth(name, password) if name else None
    trusted = believed(of.ca, "GUARD_REGISTRY__CA", of.url)
    base_url = address.copy_with(userinfo=b"")
    return httpx.Client(base_url=base_url, auth=user, timeout=REGISTRY_TIMEOUT, verify=trusted)


def _refuse_unsafe(of: KafkaSettings) -> None:
    """Refuses what every client would refuse, with the names of the variables."""
    if not of.bootstrap.strip(" ,"):
        raise SettingsInvalid("GUARD_KAFKA__BOOTSTRAP is empty; set it to the brokers, such as `broker:9093`")
    try:
        if not of.allow_plaintext:
            refuse_plaintext(of.bootstrap, _security(of))
    except SettingsInvalid as error:
        ways = "GUARD_KAFKA__SECURITY=SASL_SSL or GUARD_KAFKA__ALLOW_PLAINTEXT=true"
        raise SettingsInvalid(f"{error}: {ways}") from None


def _security(of: KafkaSettings) -> dict[str, str]:
    """Only settings with a value: the client refuses an empty path, and accepts no user without SASL."""
    files = {
        "ssl.ca.location": ("GUARD_KAFKA__CA", of.ca),
        "ssl.certificate.location": ("GUARD_KAFKA__CERTIFICATE", of.certificate),
        "ssl.key.location": ("GUARD_KAFKA__KEY", of.key),
    }
    return {
        "security.protocol": of.security,
        **(_sasl(of) if of.security.startswith("SASL") else {}),
        **{key: _existing(*named) for key, named in files.items() if named[1] is not None},
    }


def _sasl(of: KafkaSettings) -> dict[str, str]:
    if not of.username:
        raise SettingsInvalid(f"GUARD_KAFKA__USERNAME is empty; {of.security} needs a user")
    password = of.password.get_secret_value()
    if of.mechanism != "OAUTHBEARER":
        return {"sasl.mechanism": of.mechanism, "sasl.username": of.username, "sasl.password": password}
    if not of.token_url:
        raise SettingsInvalid("GUARD_KAFKA__TOKEN_URL is empty; OAUTHBEARER needs the token endpoint")
    if not of.token_url.startswith("https://") and not is_loopback(urlsplit(of.token_url).hostname or ""):
        raise SettingsInvalid(
            f"GUARD_KAFKA__TOKEN_URL is `{of.token_url}`; a client's secret is sent by https only"
        )
    return {
        "sasl.mechanism": "OAUTHBEARER",
        "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.client.id": of.username,
        "sasl.oauthbearer.client.secret": password,
        "sasl.oauthbearer.token.endpoint.url": of.token_url,
        **({"sasl.oauthbearer.scope": of.scope} if of.scope else {}),
        **({"https.ca.location": _existing("GUARD_KAFKA__TOKEN_CA", of.token_ca)} if of.token_ca else {}),
    }


def _existing(variable: str, file: Path | None) -> str:
    if file is None or not file.is_file():
        raise SettingsInvalid(f"{variable}: there is no file `{file}`")
    return str(file)
