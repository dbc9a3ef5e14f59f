"""Keys that rotate in a file, a laptop's keys, and where those are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from examples.exceptions import policy, public_jwk

from processors.bootstrap import development, trusted_keys
from processors.bootstrap.exception_workflow import workflow
from processors.bootstrap.trusted_keys import TrustedKeys
from processors.configuration.settings import KafkaSettings, Settings, shipped
from processors.errors import SettingsInvalid
from processors.events.exceptions import ProofKind
from processors.exception_workflow.config import ExceptionPolicy, Issuer
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas

ISSUER = Issuer(issuer="https://tool.example", kinds=(ProofKind.SERVICE_JWS,), audience="a", jwks="tool.json")
NO_WAIT = -1.0


def trusting(*issuers: Issuer) -> ExceptionPolicy:
    proof = policy().proof.model_copy(update={"issuers": issuers})
    return policy().model_copy(update={"proof": proof})


def publish(folder: Path, *kids: str) -> None:
    (folder / "tool.json").write_text(json.dumps({"keys": [public_jwk(kid) for kid in kids]}))


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrustedKeys:
    monkeypatch.setattr(trusted_keys, "LOOK_EVERY", NO_WAIT)
    publish(tmp_path, "old")
    return TrustedKeys(trusting(ISSUER), tmp_path)


def test_a_rotated_key_is_found_without_a_restart(keys: TrustedKeys, tmp_path: Path) -> None:
    """The old one stays for as long as it is published."""
    publish(tmp_path, "old", "new")
    keys.look()

    assert [len(keys().find(kid)) for kid in ("old", "new", "other")] == [1, 1, 0]


@pytest.mark.parametrize("text", ["", "{}", '{"keys": [{"kid": "x", "kty": "oct", "k": "AA"}]}'])
def test_a_set_that_cannot_be_read_leaves_the_keys_that_were(keys: TrustedKeys, tmp_path: Path, text: str) -> None:
    """Half a file must not lock every approver out."""
    (tmp_path / "tool.json").write_text(text)
    keys.look()

    assert keys().find("old")


def test_without_any_keys_nothing_starts(tmp_path: Path) -> None:
    """A workflow that could verify nobody would refuse everybody."""
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        TrustedKeys(trusting(ISSUER), tmp_path)


def test_a_laptop_has_one_key_and_three_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made once, readable by its owner only, and marked for what it is."""
    monkeypatch.setenv("GUARD_DEVELOPMENT", str(tmp_path / "development"))
    first, again = development.tool(), development.tool()
    public = json.loads(development.jwks_path().read_text())["keys"]

    assert first.key.kid == again.key.kid == public[0]["kid"]
    assert set(first.people) == {"petra", "sabine", "samir", "lena"}
    assert public[0]["compat_guard_development"] is True
    assert "d" not in public[0]
    assert (tmp_path / "development" / "private.json").stat().st_mode & 0o077 == 0


def test_a_laptops_key_is_refused_beyond_loopback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has that key approves everything, so a real broker never meets it."""
    monkeypatch.setenv("GUARD_DEVELOPMENT", str(tmp_path))
    codec = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())
    far = Settings(kafka=KafkaSettings(bootstrap="127.0.0.1:9092,kafka.example:9092"))

    with pytest.raises(SettingsInvalid, match=r"`kafka\.example` is not on loopback"):
        workflow(far, codec)
