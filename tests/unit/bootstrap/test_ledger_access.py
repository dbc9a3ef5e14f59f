"""Keys to verify the ledger with, and names to search it for, where the secret keys are and where they are not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from processors.bootstrap.ledger_access import names_of, public_keys
from processors.configuration.settings import settings
from processors.errors import NamesUnreadable, SettingsInvalid, TextRefused
from processors.ledger.keys import new_keys, write_keys

PSEUDONYM = "k1:0123456789abcdef0123456789abcdef"


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the ledger's keys would be."""
    monkeypatch.setenv("GUARD_LEDGER__KEYS", str(tmp_path / "keys.json"))
    settings.cache_clear()
    yield tmp_path / "keys.json"
    settings.cache_clear()


def test_anchors_are_verified_without_the_secret_keys(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys, jwks = new_keys(), secret.with_name("public.json")
    jwks.write_text(json.dumps(keys.public.as_dict(private=False)))
    monkeypatch.setenv("GUARD_LEDGER__PUBLIC_KEYS", str(jwks))

    assert not secret.exists()
    assert public_keys(None).as_dict(private=False) == keys.public.as_dict(private=False)


def test_without_any_keys_it_is_told_which_setting_names_them(secret: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"GUARD_LEDGER__PUBLIC_KEYS .*`compat-guard ledger keys --public`"):
        public_keys(None)


def test_a_name_is_searched_for_under_each_of_its_pseudonyms(secret: Path) -> None:
    write_keys(secret, keys := new_keys())
    assert names_of("alice") == keys.pseudonyms.pseudonyms("alice")
    assert names_of(PSEUDONYM) == [PSEUDONYM]
    assert names_of(None) is None


def test_without_the_secret_keys_people_are_searched_by_pseudonym_only(secret: Path) -> None:
    assert names_of(PSEUDONYM) == [PSEUDONYM]
    for name in ("alice", "k1:alice", PSEUDONYM[:-1], PSEUDONYM + "0"):
        with pytest.raises(NamesUnreadable, match="search for the pseudonym"):
            names_of(name)
    with pytest.raises(TextRefused):
        names_of("a\0b")
