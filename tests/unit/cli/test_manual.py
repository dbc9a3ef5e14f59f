"""The manual is made of the commands, and the commands end as it says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from examples import commands
from typer.testing import CliRunner

from processors.cli import completion
from processors.cli.examples import EXAMPLES
from processors.cli.exit_codes import OFFLINE, codes_of, tells_verdict
from processors.cli.manual import page
from processors.cli.root import app, every_command

SAMPLE = str(Path(__file__).parents[3] / "config" / "compat_matrix.yaml")
COMMANDS = dict(every_command())


def test_the_manual_has_every_command_option_and_exit_code() -> None:
    """It is made of the commands, so that it cannot lag behind them."""
    said = page()

    for path, command in COMMANDS.items():
        section = said.partition(f"## compat-guard {path}\n")[2].partition("\n## ")[0]
        options = {name for p in command.params if p.param_type_name == "option" for name in p.opts} - {
            "-h",
            "--help",
        }
        assert options <= set(re.findall(r"`(--?[a-z-]+)`", section)), path
        assert {f"| {code} | {means} |" for code, means in codes_of(path).items()} <= set(section.splitlines())


def test_every_command_that_is_spoken_of_is_there() -> None:
    """A name that was changed in one place only would promise something of nothing."""
    assert set(EXAMPLES) <= set(COMMANDS)
    assert set(OFFLINE) <= set(COMMANDS)


@pytest.mark.parametrize("path", EXAMPLES)
def test_every_example_is_understood(path: str) -> None:
    """Options that are not there, or missing ones, would be the newcomer's first error."""
    COMMANDS[path].make_context(path, shlex.split(EXAMPLES[path]))


@pytest.mark.parametrize("path", COMMANDS)
def test_help_has_the_exit_codes_and_no_python(path: str) -> None:
    """Nobody has to read the source for what 4 means."""
    said = " ".join(CliRunner().invoke(app, [*path.split(), "-h"], env={"COLUMNS": "80"}).stdout.split())

    assert f"Exit codes: {min(codes_of(path))} " in said
    assert "list[" not in said


OFFLINE_RUNS = [
    (("check", "-m", "sound.yaml", "--host", "corex@1.9.0", "--matrix", SAMPLE), 1),
    (("check", "-m", "nope.yaml", "--host", "corex@1.9.0", "--matrix", SAMPLE), 2),
    (("manifest", "lint", "sound.yaml"), 0),
    (("manifest", "lint", "broken.yaml"), 1),
    (("matrix", "lint", SAMPLE), 0),
    (("matrix", "explain", "com.powerx.legacy.reports@1.2.0", "corex@1.9.0", "--matrix", SAMPLE), 1),
    (("satisfies", ">=1", "1.0.0"), 0),
    (("satisfies", ">=2", "1.0.0"), 1),
    (("satisfies", ">>", "1.0.0"), 2),
    (("explain", "HOST_TOO_OLD"), 0),
    (("explain", "HOST_TO_OLD"), 2),
    (("topics", "lint"), 0),
    (("config", "check"), 0),
    (("config", "show"), 0),
    (("acls", "show"), 0),
    (("report", "any"), 3),
    (("ledger", "search"), 3),
]


@pytest.mark.parametrize(("arguments", "code"), OFFLINE_RUNS, ids=[" ".join(a[:2]) for a, _ in OFFLINE_RUNS])
def test_a_command_ends_as_the_manual_says(tmp_path: Path, arguments: tuple[str, ...], code: int) -> None:
    """And with no code that the manual does not name."""
    (tmp_path / "sound.yaml").write_text('id: com.a\nversion: "1.0.0"\ncorex_version: ">=2.0.0"\n')
    (tmp_path / "broken.yaml").write_text("version: 1\n")
    away = {
        "GUARD_KAFKA__BOOTSTRAP": "127.0.0.1:1",
        "GUARD_REGISTRY__URL": "http://127.0.0.1:1",
        "GUARD_POSTGRES__URL": "postgresql+psycopg://guard@127.0.0.1:1/guard",
    }

    done = commands.run(*arguments, environment={**os.environ, **away}, cwd=tmp_path)

    path = next(name for name in (" ".join(arguments[:2]), arguments[0]) if name in COMMANDS)
    assert done.returncode == code, done.stderr
    assert code in codes_of(path)


@pytest.mark.parametrize(
    ("arguments", "code"), [(("explain", "HOST_TOO_OLD"), 0), (("satisfies", ">=1", "1.0.0"), 74)]
)
def test_a_closed_pipe_is_an_error_only_where_a_verdict_is_lost(arguments: tuple[str, ...], code: int) -> None:
    """`list | head` is no failure; a gate whose answer nobody read is one."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "processors.cli", *arguments], stdout=closed, stderr=subprocess.PIPE, check=False
        )

    assert (done.returncode, done.stderr) == (code, b"")
    assert tells_verdict(arguments) is (code != 0)


def test_tab_completes_words_of_closed_lists() -> None:
    assert completion.finding_codes("host-too") == ["HOST_TOO_OLD", "HOST_TOO_NEW"]
    assert completion.processors("ch") == ["checker"]
    assert "petra" in completion.people("p")


def test_the_exit_codes_that_docstrings_name_are_declared() -> None:
    """`Ends with 3` in the text and no 3 in the table would be two truths."""
    for path, command in COMMANDS.items():
        named = {
            int(code) for code in re.findall(r"(?:Ends with|ends with|with|, )(?: code)? (\d{1,3})\b", command.help)
        }
        assert named & {0, 1, 2, 3, 4, 70} <= set(codes_of(path)), path
