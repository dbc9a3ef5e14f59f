"""What the gateway hands out to see again comes back unchanged or is refused; its key file is its owner's only."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from processors.errors import DocumentRefused, SettingsInvalid
from processors.gateway.signing import SealBroken, SigningKeys, make_signing_keys, read_signing_keys


@pytest.fixture
def keys(tmp_path: Path) -> SigningKeys:
    make_signing_keys(tmp_path / "keys.json")
    return read_signing_keys(tmp_path / "keys.json", "urn:gateway")


def test_what_was_sealed_is_seen_again(keys: SigningKeys) -> None:
    assert keys.unseal("cursor", keys.seal("cursor", {"at": 1})) == {"at": 1}


def test_a_seal_is_for_one_purpose_and_one_value(keys: SigningKeys) -> None:
    sealed = keys.seal("cursor", [1, "acme"])
    body, _, mac = sealed.partition(".")
    other = keys.seal("cursor", [1, "other"]).partition(".")[0]
    for wrong in (f"{other}.{mac}", body, f"{body}.", f"{body}.{mac[:-2]}", "", ".", "é.é", f"{body}.{mac}."):
        with pytest.raises(SealBroken):
            keys.unseal("cursor", wrong)
    with pytest.raises(SealBroken):
        keys.unseal("ticket", sealed)


def test_a_seal_of_another_installation_is_refused(keys: SigningKeys, tmp_path: Path) -> None:
    make_signing_keys(tmp_path / "others.json")
    others = read_signing_keys(tmp_path / "others.json", "urn:gateway")
    with pytest.raises(SealBroken):
        keys.unseal("cursor", others.seal("cursor", 1))


def test_what_is_published_is_no_secret(keys: SigningKeys) -> None:
    (key,) = keys.public()["keys"]
    assert (key["kid"], key["alg"], "d" in key) == (keys.signer.key.kid, "ES256", False)


def test_a_key_file_is_for_its_owner_and_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    make_signing_keys(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(SettingsInvalid, match="there already"):
        make_signing_keys(file)


@pytest.mark.parametrize("text", ["", "{}", '{"keys": []}', '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}'])
def test_a_file_without_private_keys_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(text)
    with pytest.raises(DocumentRefused):
        read_signing_keys(file, "urn:gateway")
