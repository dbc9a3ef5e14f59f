"""`compat-guard satisfies`: one question with a sentence, or a stream of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from processors.cli.manifests.satisfies import answers, satisfies

app = typer.Typer()
app.command()(satisfies)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([">=2.0.0", "1.9.0"], 1, "1.9.0 does not satisfy >=2.0.0: it needs 2.0.0 or newer"),
        ([">=2.0.0", "2.0.0"], 0, "2.0.0 satisfies >=2.0.0"),
        (
            [">=2.0.0", "2.1.0-rc.1"],
            1,
            "2.1.0-rc.1 does not satisfy >=2.0.0: it needs 2.0.0 or newer, and no pre-release counts",
        ),
        (
            ["--dialect", "jetbrains", "since=231 until=241.*", "242.1"],
            1,
            "242.1 does not satisfy since=231 until=241.*: it needs from 231 up to 241.*",
        ),
    ],
)
def test_the_answer_is_a_sentence_and_an_exit_code(arguments: list[str], code: int, words: str) -> None:
    """0 for yes, 1 for no, and the reason on stdout."""
    result = CliRunner().invoke(app, arguments)

    assert (code, words) == (result.exit_code, result.stdout.strip())


@pytest.mark.parametrize("arguments", [[">=2.0.0"], [">=2.0.0", "--stdin"], ["--dialect", "rpm", "1", "2"]])
def test_a_question_that_is_not_one_is_a_usage_error(arguments: list[str]) -> None:
    """Half a question ends with 2."""
    assert CliRunner().invoke(app, arguments, input="").exit_code == 2


def ask(*lines: Any) -> list[dict[str, Any]]:
    raw = (line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    return [json.loads(answer) for answer in answers(raw)]


def test_each_line_comes_back_with_its_answer() -> None:
    """The same object, in the same order, with what else it held."""
    row = {"dialect": "maven", "range": "[1,2)", "version": "1.5", "ecosystem": ["neoforge"]}

    assert ask(row) == [{**row, "satisfies": True, "error": None}]


def test_what_cannot_be_read_is_null_and_says_why() -> None:
    """Null is not false: an unreadable range is no answer."""
    unread = {"dialect": "npm", "range": "^1a", "version": "1.0.0"}
    (answer,) = ask(unread)

    assert answer["satisfies"] is None
    assert "`^1a` is not a range in dialect npm" in answer["error"]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"foo",
        b"[1]",
        b"\xff\n",
        b'{"a": NaN}',
        b"[" * 100_000,
        {"dialect": "rpm", "range": "1", "version": "1"},
        {"range": 1, "version": "1"},
        {"range": "1"},
    ],
)
def test_a_broken_line_does_not_stop_the_others(line: Any) -> None:
    """The broken one is null with a reason; the next one is answered."""
    broken, whole = ask(line, {"dialect": "npm", "range": "^1", "version": "1.0.0"})

    assert broken["satisfies"] is None
    assert broken["error"]
    assert whole["satisfies"] is True


def test_the_stream_goes_through_stdin_and_stdout() -> None:
    """One line out for each line in, and exit code 0 whatever the answers are."""
    lines = '{"range": "^1", "version": "2.0.0"}\nnonsense\n'
    result = CliRunner().invoke(app, ["--stdin"], input=lines)

    assert result.exit_code == 0
    assert [json.loads(line)["satisfies"] for line in result.stdout.splitlines()] == [False, None]
