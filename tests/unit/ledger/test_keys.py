from __future__ import annotations

from pathlib import Path

import pytest

from processors.errors import SettingsInvalid
from processors.ledger.anchors import anchor, is_signed
from processors.ledger.chain import Head
from processors.ledger.keys import new_keys, read_keys, read_public, rotated, write_keys


def test_keys_survive_their_file(tmp_path: Path) -> None:
    """What was written under them is found, and what they signed verifies, after a restart."""
    keys, path = new_keys(), tmp_path / "keys.json"
    write_keys(path, keys)
    again = read_keys(path)
    event = anchor("t", 0, Head(3, b"h" * 32), 3, 1, keys.anchors[-1]).record()

    assert again.pseudonyms.pseudonym("alice") == keys.pseudonyms.pseudonym("alice")
    assert is_signed(event, again.public)
    assert is_signed(event, read_public(path))
    assert "d" not in again.public.as_dict(private=False)["keys"][0]


def test_rotation_keeps_what_was_there() -> None:
    """Old anchors verify, old pseudonyms are found, and new ones are written under the new key."""
    keys = new_keys()
    turned = rotated(keys)
    event = anchor("t", 0, Head(), 0, 1, keys.anchors[-1]).record()

    assert is_signed(event, turned.public)
    assert keys.pseudonyms.pseudonym("alice") in turned.pseudonyms.pseudonyms("alice")
    assert turned.pseudonyms.current == "k2"
    assert turned.anchors[-1].kid == "anchor-2"


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """A secret that anybody on the machine can read is none."""
    path = tmp_path / "keys.json"
    write_keys(path, new_keys())
    assert path.stat().st_mode & 0o077 == 0
    path.chmod(0o644)

    with pytest.raises(SettingsInvalid, match="chmod 600"):
        read_keys(path)


def test_its_group_may_read_it_as_kubernetes_mounts_secrets(tmp_path: Path) -> None:
    """The file belongs to root there, and the processor is in its group."""
    path = tmp_path / "keys.json"
    write_keys(path, keys := new_keys())
    path.chmod(0o440)

    assert read_keys(path).pseudonyms == keys.pseudonyms


@pytest.mark.parametrize("content", ["", "{}", '{"pseudonyms": 3}', '{"pseudonyms": {"current": "k", "keys": {}}}'])
def test_what_is_no_file_of_keys_is_a_setting_to_mend(tmp_path: Path, content: str) -> None:
    """Never a traceback, and never a new key in its place."""
    path = tmp_path / "keys.json"
    path.write_text(content)
    path.chmod(0o600)

    with pytest.raises(SettingsInvalid):
        read_keys(path)


def test_missing_keys_name_the_command_that_makes_them(tmp_path: Path) -> None:
    """The way out is in the message."""
    with pytest.raises(SettingsInvalid, match="ledger keys"):
        read_keys(tmp_path / "none.json")


@pytest.mark.parametrize(
    "field", ["topic", "partition", "sequence", "next_offset", "head", "batches", "root", "at"]
)
def test_every_field_of_an_anchor_is_signed(field: str) -> None:
    """A changed anchor is no anchor."""
    keys = new_keys()
    event = anchor("t", 0, Head(3, b"h" * 32), 3, 1, keys.anchors[-1]).record()

    assert not is_signed({**event, field: "other" if isinstance(event[field], str) else 99}, keys.public)
