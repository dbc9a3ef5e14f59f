"""From the settings to what a Kafka client is told: one profile for each way to prove who one is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from processors.bootstrap.clients import registry_client, stream_settings
from processors.configuration.settings import KafkaSettings, RegistrySettings, Settings
from processors.errors import SettingsInvalid


def client_settings(**kafka: Any) -> dict[str, str]:
    return dict(stream_settings(Settings(kafka=KafkaSettings(bootstrap="kafka:9093", **kafka))).security)


def a_file(folder: Path, name: str) -> Path:
    (folder / name).touch()
    return folder / name


def test_scram_is_a_user_and_a_password_over_tls() -> None:
    """The default mechanism; without a CA of one's own the system's are trusted."""
    assert client_settings(security="SASL_SSL", username="checker", password="secret") == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "checker",
        "sasl.password": "secret",
    }


def test_mutual_tls_is_a_certificate_and_a_key(tmp_path: Path) -> None:
    """The broker takes the name from the certificate, so there is no user."""
    files = {name: a_file(tmp_path, name) for name in ("ca", "certificate", "key")}
    assert client_settings(security="SSL", **files) == {
        "security.protocol": "SSL",
        "ssl.ca.location": str(files["ca"]),
        "ssl.certificate.location": str(files["certificate"]),
        "ssl.key.location": str(files["key"]),
    }


def test_oauthbearer_asks_the_identity_provider_for_a_token(tmp_path: Path) -> None:
    """User and password are the client's id and secret there, so a secret has the same keys in each profile."""
    found = client_settings(
        security="SASL_SSL", mechanism="OAUTHBEARER", username="checker", password="secret",
        token_url="https://idp/token", scope="kafka", token_ca=a_file(tmp_path, "ca"),
    )  # fmt: skip
    assert found == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "OAUTHBEARER",
        "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.client.id": "checker",
        "sasl.oauthbearer.client.secret": "secret",
        "sasl.oauthbearer.token.endpoint.url": "https://idp/token",
        "sasl.oauthbearer.scope": "kafka",
        "https.ca.location": str(tmp_path / "ca"),
    }


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"security": "SASL_SSL"}, "GUARD_KAFKA__USERNAME is empty"),
        (
            {"security": "SASL_SSL", "username": "a", "mechanism": "OAUTHBEARER"},
            "GUARD_KAFKA__TOKEN_URL is empty",
        ),
        (
            {"security": "SASL_SSL", "username": "a", "mechanism": "OAUTHBEARER", "token_url": "http://idp/token"},
            "a client's secret is sent by https only",
        ),
        ({"security": "SSL", "ca": Path("/nowhere")}, "GUARD_KAFKA__CA: there is no file `/nowhere`"),
        ({"security": "SSL", "certificate": Path("/nowhere")}, "GUARD_KAFKA__CERTIFICATE: there is no file"),
        ({"security": "SSL", "key": Path("/nowhere")}, "GUARD_KAFKA__KEY: there is no file"),
    ],
)
def test_a_profile_that_cannot_work_names_its_variable(given: dict[str, Any], named: str) -> None:
    """Before a client is made, which would only say that a handshake failed."""
    with pytest.raises(SettingsInvalid, match=named):
        client_settings(**given)


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_registry_ca_without_certificates_is_refused(content: str | None, tmp_path: Path) -> None:
    """Else every request to the registry would fail, as if the registry were away."""
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsInvalid, match=f"GUARD_REGISTRY__CA: `{file}` holds no certificates"):
        registry_client(RegistrySettings(ca=file))


def test_who_asks_a_registry_is_taken_out_of_its_address() -> None:
    """Errors quote addresses; the settings for it go before."""
    named = "http://guard:hunter2@127.0.0.1:8081/schemas"
    for of in (
        RegistrySettings(url=named),
        RegistrySettings(url=named, username="checker", password=SecretStr("hunter3")),
    ):
        with registry_client(of) as client:
            assert "hunter" not in str(client.base_url)
            assert str(client.base_url) == "http://127.0.0.1:8081/schemas/"
            assert client.auth is not None
