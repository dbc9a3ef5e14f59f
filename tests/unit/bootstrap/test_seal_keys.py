"""The keys of the seals: made once, rotated in two steps, kept from others, and needed beyond loopback."""

from pathlib import Path

import pytest

from processors.bootstrap.seal_keys import (
    new_seals,
    read_seals,
    render_seals,
    with_new_key,
    with_newest_current,
)
from processors.bootstrap.sealing import seals
from processors.configuration.settings import KafkaSettings, SealSettings, Settings
from processors.documents.secrets import make_once, replace_file
from processors.errors import SettingsInvalid


def test_keys_are_read_as_they_were_written(tmp_path: Path) -> None:
    made = new_seals()
    assert make_once(tmp_path / "seals.json", render_seals(made))

    assert read_seals(tmp_path / "seals.json") == made
    assert (tmp_path / "seals.json").stat().st_mode & 0o777 == 0o600


def test_keys_that_are_there_are_never_lost(tmp_path: Path) -> None:
    """Of two that start together one makes the keys, and both use them."""
    file = tmp_path / "seals.json"
    assert make_once(file, render_seals(first := new_seals()))
    assert not make_once(file, render_seals(new_seals()))

    assert read_seals(file) == first
    assert [found.name for found in tmp_path.iterdir()] == ["seals.json"]


def test_a_rotation_first_makes_a_key_known_and_then_uses_it(tmp_path: Path) -> None:
    """Processes are restarted one after the other: none may meet a seal whose key it does not know."""
    file = tmp_path / "seals.json"
    make_once(file, render_seals(old := new_seals()))

    replace_file(file, render_seals(with_new_key(read_seals(file))))
    known = read_seals(file)
    assert (known.current, list(known.keys)) == ("k1", ["k1", "k2"])

    replace_file(file, render_seals(with_newest_current(known)))
    used = read_seals(file)
    assert used.current == "k2"
    assert used.keys["k1"] == old.keys["k1"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"current": "k1", "keys": {}}',
        '{"current": "k1", "keys": {"k1": "c2hvcnQ="}}',
        '{"current": "k1", "keys": {"k1": "not base64"}}',
        '{"current": "k1", "keys": ["k1"]}',
    ],
)
def test_what_are_no_keys_is_refused(tmp_path: Path, text: str) -> None:
    """A short key too: it could be guessed."""
    file = tmp_path / "seals.json"
    make_once(file, text)

    with pytest.raises(SettingsInvalid, match="holds no keys"):
        read_seals(file)


def test_keys_that_everybody_can_read_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "seals.json"
    make_once(file, render_seals(new_seals()))
    file.chmod(0o644)

    with pytest.raises(SettingsInvalid, match="chmod 600"):
        read_seals(file)


def test_keys_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="seals make"):
        seals(Settings(seal=SealSettings(key_file=tmp_path / "nowhere.json")))


def test_on_loopback_keys_are_made_on_first_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every process of this machine then has the same."""
    monkeypatch.setenv("GUARD_DEVELOPMENT", str(tmp_path / "development"))

    assert seals(Settings()) == seals(Settings())


def test_beyond_loopback_nothing_runs_without_keys_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUARD_DEVELOPMENT", str(tmp_path / "development"))

    with pytest.raises(SettingsInvalid, match="GUARD_SEAL__KEY_FILE"):
        seals(Settings(kafka=KafkaSettings(bootstrap="kafka-1:9093")))
    assert not (tmp_path / "development").exists()
