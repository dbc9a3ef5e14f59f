"""Tables: what stands in a cell can be copied, however narrow the terminal."""

import pytest

from processors.cli import tables, talk
from processors.errors import SettingsInvalid

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("columns", ["30", "60"])
def test_where_a_table_is_too_narrow_values_stand_whole_below_each_other(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str, header: bool
) -> None:
    """A digest that ends in dots, or on the next line of its cell, is no digest that anybody can copy."""
    monkeypatch.setenv("COLUMNS", columns)

    tables.show(("name", "digest", "note"), [("governance", DIGEST, ""), ("vendor", "none", "late")], header=header)

    shown = capsys.readouterr().out
    assert DIGEST in shown
    assert "vendor" in shown
    assert "│" not in shown
    assert shown.count("note") == int(header)  # what is empty needs no line


def test_words_are_not_broken(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the sentence beside an id is."""
    monkeypatch.setenv("COLUMNS", "70")
    id, sentence = "dd4ab3d8-6d8a-4e26-9a4a-b24dd6fd4c32", "it was approved for another host " * 5

    tables.show(("id", "why"), [(id, sentence)])

    assert id in capsys.readouterr().out


def test_a_pipe_has_no_width(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever greps for a digest finds it in one line."""
    monkeypatch.delenv("COLUMNS", raising=False)

    tables.show(("name", "digest"), [("governance", DIGEST)])

    assert DIGEST in capsys.readouterr().out


def test_what_is_one_word_is_never_cut(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where sentences and ids share a width that is just enough, the sentences give way."""
    monkeypatch.setenv("COLUMNS", "240")
    ids = [f"{n}d4ab3d8-6d8a-4e26-9a4a-b24dd6fd4c32" for n in range(5)]
    why = "it was approved for another host version on another day"

    tables.show(("why", "what", "one", "two", "three", "four", "five"), [(why, why, *ids)])

    shown = capsys.readouterr().out
    assert all(id in shown for id in ids)
    assert max(map(len, shown.splitlines())) <= 240


ID = "dd4ab3d8-6d8a-4e26-9a4a-b24dd6fd4c32"
EVENT = {
    "time": "2026-11-28 22:10:01",
    "who": "p… 3f2a",
    "event": "asked to install",
    "outcome": "ALLOW BY EXCEPTION",
    "reason": "HOST_PRERELEASE_EXCLUDED",
    "event_id": ID,
}
SHORT = ("time", "who", "event", "outcome", "event_id")


@pytest.mark.parametrize("event", ["asked to install", "step_approved", "refused"])
@pytest.mark.parametrize(("width", "has_reason"), [("80", False), ("160", True)])
def test_a_listing_fits_its_terminal_and_cuts_no_id(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: str, has_reason: bool, event: str
) -> None:
    """Eighty columns have a short form, and where there is room for all columns they are there."""
    monkeypatch.setenv("COLUMNS", width)

    rows = [{**EVENT, "event": event}, EVENT]
    tables.listing(rows, SHORT, tuple(EVENT), tables.Asked())

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= int(width)
    assert sum(ID in line for line in lines) == 2
    assert any("reason" in line for line in lines) is has_reason


def test_columns_can_be_chosen(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    tables.listing([EVENT], SHORT, tuple(EVENT), tables.Asked.of("event-id, reason", False))

    assert capsys.readouterr().out.split() == ["event", "id", "reason", ID, "HOST_PRERELEASE_EXCLUDED"]


def test_a_column_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(SettingsInvalid, match="--columns `outcom`: did you mean `outcome`"):
        tables.listing([EVENT], SHORT, tuple(EVENT), tables.Asked.of("outcom", False))


def test_a_name_between_colons_is_no_emoji(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show(("name", "note"), [("urn:lock:x", "")])
    talk().print("urn:lock:y", markup=False)
    said = capsys.readouterr()
    assert "urn:lock:x" in said.out
    assert "urn:lock:y" in said.err
