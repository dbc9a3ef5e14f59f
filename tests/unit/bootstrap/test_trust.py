"""Whose matrices and policies take effect: on one machine its own key's, beyond it only those of named keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from processors.bootstrap import development
from processors.bootstrap.scopes import scopes
from processors.bootstrap.trust import matrix_trust, policy_trust, signer
from processors.configuration.settings import KafkaSettings, Settings
from processors.errors import DocumentRefused, SettingsInvalid
from processors.policies.record import SECURITY
from processors.trust.keys import new_signing_key, public_half, read_public_keys
from processors.trust.scope import Scope
from processors.trust.statements import Untrusted

FAR = KafkaSettings(bootstrap="kafka-1:9093")
TRUSTING = "trust: {sources: [{name: governance, keys: governance.jwks.json, required: true}]}"


@pytest.fixture(autouse=True)
def _machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD_DEVELOPMENT", str(tmp_path / "development"))


def configured(folder: Path, text: str = "version: 1", *keys: dict[str, Any]) -> Settings:
    """A guard whose broker is far away."""
    (folder / "guard.yaml").write_text(text)
    (folder / "governance.jwks.json").write_text(json.dumps({"keys": keys}))
    return Settings(kafka=FAR, config=folder)


def test_beyond_loopback_nothing_starts_without_keys_for_governance(tmp_path: Path) -> None:
    """Whoever may write the topic could publish in its name."""
    of = configured(tmp_path)

    for trust in (matrix_trust, policy_trust):
        with pytest.raises(SettingsInvalid, match="names no keys for the source `governance`"):
            trust(of)
    assert not (tmp_path / "development").exists()


def test_beyond_loopback_only_sources_that_are_named_are_trusted(tmp_path: Path) -> None:
    of = configured(tmp_path, TRUSTING, public_half(new_signing_key("governance")))

    assert matrix_trust(of).required == {"governance"}
    assert policy_trust(of).of(SECURITY) == matrix_trust(of).of("governance")
    with pytest.raises(Untrusted, match="not among the sources"):
        matrix_trust(of).of("vendor")


def test_on_loopback_the_key_of_the_machine_is_trusted_for_sources_that_are_not_named() -> None:
    (key,) = matrix_trust(Settings()).of("vendor").keys

    assert key.kid == signer(Settings()).kid


SCOPED = """
trust:
  sources:
    - {name: acme, speaks_for: {plugins: ["com.acme.*"], hosts: [edge]}}
    - {name: other}
"""


def test_what_a_source_speaks_for_is_the_same_for_refreshes_and_for_files(tmp_path: Path) -> None:
    """The checker and a check of files ask the same sources. On loopback that needs no key."""
    (tmp_path / "guard.yaml").write_text(SCOPED)
    of = Settings(config=tmp_path)

    assert matrix_trust(of).scopes == scopes(of) == {"acme": Scope(("com.acme.*",), frozenset({"edge"}))}
    assert matrix_trust(of).of("acme").keys == matrix_trust(of).of("unnamed").keys


def test_a_folder_without_the_file_states_no_scopes(tmp_path: Path) -> None:
    assert scopes(Settings(config=tmp_path)) == {}


def test_beyond_loopback_every_source_that_is_named_needs_keys(tmp_path: Path) -> None:
    of = configured(tmp_path, SCOPED)

    with pytest.raises(SettingsInvalid, match="names no keys for the source `acme`"):
        matrix_trust(of)


def test_governance_speaks_for_everything_and_is_not_limited(tmp_path: Path) -> None:
    of = configured(tmp_path, "trust: {sources: [{name: governance, speaks_for: {hosts: [corex]}}]}")

    with pytest.raises(DocumentRefused, match="`governance` speaks for everything"):
        scopes(of)


def test_beyond_loopback_nothing_is_signed_with_the_key_of_the_machine(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="has to be signed"):
        signer(configured(tmp_path))


def test_the_key_of_a_machine_is_no_key_of_governance(tmp_path: Path) -> None:
    """Everybody who has worked on that machine may have it."""
    of = configured(tmp_path, TRUSTING, public_half(development.signing_key_path().read_text()))

    with pytest.raises(DocumentRefused, match="good for loopback only"):
        matrix_trust(of)


@pytest.mark.filterwarnings("ignore:Key size should be")
@pytest.mark.parametrize(
    ("key", "words"),
    [
        pytest.param({"kid": "k", "kty": "RSA", "n": "_" * 85 + "w", "e": "AQAB"}, "2048", id="RSA of 512 bits"),
        pytest.param({"kid": "k", "kty": "RSA", "n": "_" * 170 + "8", "e": "AQAB"}, "2048", id="RSA of 1024 bits"),
        pytest.param({"kid": "k", "kty": "oct", "k": "AAAA"}, "found a secret", id="a shared secret"),
        pytest.param(json.loads(new_signing_key("k")), "found a secret", id="a private key"),
    ],
)
def test_a_key_that_others_could_have_or_guess_vouches_for_nothing(key: dict[str, Any], words: str) -> None:
    good = public_half(new_signing_key("good"))

    with pytest.raises(DocumentRefused, match=words):
        read_public_keys(json.dumps({"keys": [good, key]}))
