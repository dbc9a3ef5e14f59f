"""FINDINGS.md is complete, and says what the engine does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import processors.checker
from processors.checker.findings import meaning, sections
from processors.cli.root import app
from processors.errors import SettingsInvalid
from processors.events.vocabulary import Code
from processors.matrix.document import DEFAULT_WEIGHTS

CODES = [code for code in Code if code is not Code.UNKNOWN]


def test_every_code_has_its_section_in_the_order_of_the_vocabulary() -> None:
    """No code without an explanation, no explanation of a code that is gone."""
    assert [*sections()] == [str(code) for code in CODES]


@pytest.mark.parametrize("code", CODES)
def test_a_section_says_what_why_what_to_do_and_how_it_counts(code: Code) -> None:
    """Four parts, always in the same order."""
    parts = re.findall(r"^\*\*(.+?)\*\*", meaning(code), re.MULTILINE)

    assert parts == ["Means", "Why it matters", "What to do", "How it counts"]


def test_the_weights_are_those_of_the_engine() -> None:
    """A page that names other weights would explain another score."""
    page = "\n".join(sections().values())
    told = {(name, int(weight)) for name, weight in re.findall(r"Dimension (\w+), weight (\d+) %", page)}

    assert told == {(dimension.lower(), weight) for dimension, weight in DEFAULT_WEIGHTS.items()}


def test_the_command_prints_the_section() -> None:
    """In any case of letters."""
    said = CliRunner().invoke(app, ["explain", "host-too-old"])

    assert said.exit_code == 0
    assert said.stdout.startswith("HOST_TOO_OLD\n  Means: the host's version is below")


def test_a_code_that_is_none_is_refused_with_the_nearest() -> None:
    """The way out is in the message."""
    said = CliRunner().invoke(app, ["explain", "HOST_TO_OLD"])

    assert isinstance(said.exception, SettingsInvalid)
    assert "did you mean `HOST_TOO_OLD`?" in str(said.exception)


def test_the_room_tells_of_every_rule_and_code() -> None:
    """The table of the README names each code beside the rule that finds it."""
    room = Path(processors.checker.__path__[0])
    table = dict(
        re.findall(r"^\| `(\w+)` \|[^|]+\| ([A-Z_ ]+) \|$", (room / "README.md").read_text("utf-8"), re.MULTILINE)
    )

    assert {path.stem for path in (room / "rules").glob("[a-z]*.py")} == table.keys()
    assert {str(code) for code in CODES} - {"GUARD_OFF"} == set(" ".join(table.values()).split())
