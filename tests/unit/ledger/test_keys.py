from __future__ import annotations

from pathlib import Path

import pytest
from joserfc.jwk import ECKey, KeySet

from processors.errors import SettingsInvalid
from processors.ledger.anchors import anchor, is_signed
from processors.ledger.chain import Head
from processors.ledger.keys import LedgerKeys, new_keys, read_keys, read_public, rotated, write_keys
from processors.masking.pseudonyms import PseudonymKeys


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
    assert turned.pseudonyms.current not in keys.pseudonyms.keys
    assert turned.anchors[-1].kid != keys.anchors[-1].kid
    assert [*keys.anchors, turned.anchors[-1]] == list(turned.anchors)


def test_keys_that_replace_lost_ones_bear_other_ids() -> None:
    """The published keys of the lost ones verify beside them, and no id means two keys in one ledger."""
    lost, new = new_keys(), new_keys()
    merged = KeySet([*lost.public.keys, *new.public.keys])

    assert are_signed(lost, new, by=merged)
    assert lost.pseudonyms.keys.keys() & new.pseudonyms.keys.keys() == set()


def test_keys_that_replace_lost_ones_verify_what_those_have_signed(tmp_path: Path) -> None:
    """By the published keys, also after a restart and a rotation; what signs is new."""
    lost, path = new_keys(), tmp_path / "keys.json"
    write_keys(path, new_keys(lost.public))
    new = read_keys(path)
    write_keys(path, rotated(new))

    assert are_signed(lost, new, by=new.public)
    assert are_signed(lost, new, read_keys(path), by=read_public(path))
    assert [key.is_private for key in new.anchors] == [False, True]


def test_a_file_that_can_only_verify_is_no_file_of_keys(tmp_path: Path) -> None:
    """A sink would notice with its first anchor, which is too late."""
    path = tmp_path / "keys.json"
    write_keys(path, LedgerKeys(new_keys().pseudonyms, tuple(new_keys(new_keys().public).anchors[:1])))

    with pytest.raises(SettingsInvalid, match="ledger keys"):
        read_keys(path)


def are_signed(*keys: LedgerKeys, by: KeySet) -> bool:
    return all(is_signed(anchor("t", 0, Head(), 0, 1, of.anchors[-1]).record(), by) for of in keys)


def test_a_file_with_ids_that_count_is_read_and_rotated(tmp_path: Path) -> None:
    """As they were made until 0.2.0: what was written and signed under `k1` and `anchor-1` stays readable."""
    old = LedgerKeys(
        PseudonymKeys("k1", {"k1": b"1" * 32}),
        (ECKey.generate_key("P-256", {"kid": "anchor-1"}, auto_kid=False),),
    )
    write_keys(tmp_path / "keys.json", old)
    turned = rotated(read_keys(tmp_path / "keys.json"))

    assert is_signed(anchor("t", 0, Head(), 0, 1, old.anchors[-1]).record(), turned.public)
    assert old.pseudonyms.pseudonym("alice") in turned.pseudonyms.pseudonyms("alice")
    assert list(turned.pseudonyms.keys) == ["k1", turned.pseudonyms.current]
    assert turned.pseudonyms.current != "k1"


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
