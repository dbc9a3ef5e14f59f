"""The command line as a shell sees it: what it says, where, and how it ends."""

import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from examples import commands

from processors.cli.exit_codes import FAULT
from processors.configuration.settings import shipped

COMMAND = (sys.executable, "-m", "processors.cli")
MATRIX = str(shipped("config") / "compat_matrix.yaml")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it with nobody at stdin and no terminal; as a fork, which the last test compares with a process."""
    return commands.run(*arguments, environment=_environment(environment))


def checked(manifest: str, option: str, value: str) -> subprocess.CompletedProcess[str]:
    """An ordinary check but for one option."""
    options = {"--manifest": manifest, "--host": "corex@1.9.0", "--matrix": MATRIX, option: value}
    return run("check", *(word for pair in options.items() for word in pair))


@pytest.fixture
def manifest(tmp_path: Path) -> str:
    file = tmp_path / "plugin.yaml"
    file.write_text('id: com.example.unheard-of\nversion: "1.0.0"\ncorex_version: ">=2.0.0"\n')
    return str(file)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("chekc",), "No such command 'chekc'. Did you mean 'check', 'recheck'? (see --help)"),
        (("check",), "Missing option '--manifest' / '-m' (see --help)"),
        (("explain", "HOST_TO_OLD"), "`HOST_TO_OLD` is not a finding code; did you mean `HOST_TOO_OLD`?"),
        (
            ("check", "-m", "nope.yaml", "--host", "corex@1.9.0"),
            "nope.yaml: cannot be opened: no such file or directory",
        ),
        (
            (
                "request",
                "-m",
                "nope.yaml",
                "--host",
                "corex@1.9.0",
                "--acknowledge-risk=I know",
                "--monitoring=basic",
            ),
            (
                "without --exception, --acknowledge-risk and --monitoring would be ignored; "
                "name the exception or drop it"
            ),
        ),
        (("matrix", "lint", "nope.yaml"), "nope.yaml: cannot be opened: no such file or directory"),
        (
            ("matrix", "explain", "com.powerx.legacy.reports@1.2.0", "corx@1.9.0", "--matrix", MATRIX),
            "no source names the host `corx`, so a check there is blocked; did you mean `corex`?",
        ),
        (("policies", "lint", "nope.yaml"), "nope.yaml: cannot be opened: no such file or directory"),
        (("accuracy", "nope.jsonl"), "nope.jsonl: cannot be opened: no such file or directory"),
        (("accuracy", "nope.yaml"), "nope.yaml: cannot be opened: no such file or directory"),
    ],
)
def test_a_mistake_is_answered_in_one_line_and_ends_with_2(arguments: tuple[str, ...], said: str) -> None:
    """A log or a `grep` must find the message as it is, however long its line."""
    done = run(*arguments)

    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {said}\n")


@pytest.mark.parametrize("option", ["--matrix", "--policies", "--manifest"])
def test_of_several_files_the_one_that_is_wrong_is_named(tmp_path: Path, manifest: str, option: str) -> None:
    """A line number without its file sends people to the wrong one."""
    broken = tmp_path / "broken.yaml"
    broken.write_text("id: [\n")

    done = checked(manifest, option, str(broken))

    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {broken}: line 2")


@pytest.mark.parametrize("command", [("matrix", "lint"), ("policies", "lint"), ("accuracy",)])
def test_a_file_in_another_encoding_is_named(tmp_path: Path, command: tuple[str, ...]) -> None:
    """In a pipeline over many files, "byte 0" alone helps nobody."""
    garbled = tmp_path / "garbled.yaml"
    garbled.write_bytes(b"\xff\xfe")

    done = run(*command, str(garbled))

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {garbled}: expected UTF-8, found another encoding at byte 0\n"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"# installed\na@1.0.0\n\nbare\n", "line 4: `bare` is not ID@VERSION, such as "),
        (b'[{"id": "a", "version": "1.0.0"}, "b@1.0.0"]', "[1]: expected an object with `id` and `version`"),
        (b"[{", "line 1: this is not JSON"),
        (b"\xff", "expected UTF-8, found another encoding at byte 0"),
    ],
)
def test_a_bad_list_of_plugins_is_named_with_the_place(
    tmp_path: Path, manifest: str, content: bytes, problem: str
) -> None:
    """A host has hundreds of them."""
    listed = tmp_path / "installed"
    listed.write_bytes(content)

    done = run("check", "--manifest", manifest, "--host", "corex@1.9.0", "--installed-from", str(listed))

    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {listed}: {problem}")


@pytest.mark.parametrize(
    ("option", "hidden"),
    [
        *((option, "\udcff") for option in ("--host", "--installed", "--runtime", "--database", "--previous")),
        *(("--host", hidden) for hidden in ("\x1b", "\n", "\u202e")),
    ],
)
def test_an_option_with_hidden_characters_is_refused(manifest: str, option: str, hidden: str) -> None:
    """Half a character can be sent nowhere, and one that is not seen makes another id: neither is a verdict."""
    done = checked(manifest, option, f"cor{hidden}ex@1.9.0")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {option} `cor\ufffdex@1.9.0` holds hidden or broken characters")


@pytest.mark.parametrize("option", ["--tenant", "--operator", "--environment", "--target", "--exception"])
def test_a_request_with_half_a_character_is_refused_before_a_server_is_asked(manifest: str, option: str) -> None:
    """A stack trace would end with the exit code of a block."""
    done = run("request", "--manifest", manifest, "--host", "corex@1.9.0", option, "a\udcff")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {option} `a\ufffd` holds hidden or broken characters; type it anew\n"


@pytest.mark.parametrize(
    ("option", "form"),
    [("--host", "corex@1.9.0"), ("--runtime", "go@1.22"), ("--installed", "com.powerx.plugins.crm@0.6.0")],
)
def test_the_example_is_one_of_what_was_asked_for(manifest: str, option: str, form: str) -> None:
    """An id is not a host."""
    done = checked(manifest, option, "bare")

    assert done.returncode == 2
    assert f"{option} `bare` is not " in done.stderr
    assert done.stderr.endswith(f"such as {form}\n")


def test_a_server_that_is_not_there_is_named_with_its_variable() -> None:
    """At two in the morning the first question is: which one, and who said so?"""
    done = run(
        "report",
        "any",
        GUARD_REGISTRY__URL="http://someone:secret@127.0.0.1:1",
        GUARD_KAFKA__BOOTSTRAP="127.0.0.1:1",
    )

    assert done.returncode == 3
    assert "GUARD_KAFKA__BOOTSTRAP is `127.0.0.1:1`" in done.stderr
    assert "secret" not in done.stderr


def test_a_database_that_is_not_there_is_named_with_its_variable() -> None:
    """Host and port are enough to find it; the password stays where it is."""
    done = run("ledger", "migrate", GUARD_POSTGRES__URL="postgresql+psycopg://guard:secret@127.0.0.1:1/guard")

    assert done.returncode == 3
    assert done.stderr.endswith("; GUARD_POSTGRES__URL leads to `127.0.0.1:1`\n")
    assert "secret" not in done.stderr


@pytest.mark.parametrize(
    ("bootstrap", "variables"),
    [
        ("kafka.example.com:9092", {"GUARD_KAFKA__SECURITY", "GUARD_KAFKA__ALLOW_PLAINTEXT"}),
        ("", {"GUARD_KAFKA__BOOTSTRAP"}),
        (" ,", {"GUARD_KAFKA__BOOTSTRAP"}),
    ],
)
def test_brokers_that_cannot_be_used_are_refused_with_the_variable_to_set(
    bootstrap: str, variables: set[str]
) -> None:
    """Nobody should have to read the source to find its name."""
    done = run("dead-letters", "list", GUARD_KAFKA__BOOTSTRAP=bootstrap)

    assert done.returncode == 2
    assert set(re.findall("GUARD_[A-Z_]+", done.stderr)) == variables


def test_the_matrix_explains_what_a_check_would_decide() -> None:
    """Where no row speaks, `undeclared` does, and the shipped matrix warns."""
    done = run("matrix", "explain", "com.example.unheard-of@1.0.0", "corex@1.9.0", "--matrix", MATRIX)

    assert (done.returncode, done.stdout.split(";")[0]) == (0, "warn")


def test_a_second_manifest_or_host_is_refused(manifest: str) -> None:
    """The last one would be judged, and the first one pass unseen."""
    for twice in (("-m", manifest), ("--host", "corex@2.0.0")):
        done = run("check", "-m", manifest, "--host", "corex@1.9.0", *twice)

        assert (done.returncode, done.stdout) == (2, "")
        assert "is given 2 times; a question has one; ask for each" in done.stderr


def test_a_verdict_that_nobody_reads_is_neither_a_pass_nor_a_block(manifest: str) -> None:
    """`check | head` under pipefail is a gate, too, and 1 would say that the plugin does not fit."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        done = subprocess.run(
            [*COMMAND, "check", "--manifest", manifest, "--host", "corex@1.9.0", "--matrix", MATRIX],
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert (done.returncode, done.stderr) == (74, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full to write to")
def test_a_full_disk_is_told_in_one_line() -> None:
    """The answer alone would be yes."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "satisfies", ">=1", "1.0.0"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert (done.returncode, done.stderr) == (74, "error: No space left on device\n")


def test_a_verdict_stands_without_anywhere_to_write_it() -> None:
    """As with `>&-`: whoever asks like this looks at the exit code alone."""
    for version, code in (("1.0.0", 0), ("0.9.0", 1)):
        words = shlex.join([*COMMAND, "satisfies", ">=1", version])
        done = subprocess.run(
            ["/bin/sh", "-c", f"exec {words} >&-"], stderr=subprocess.PIPE, text=True, check=False
        )

        assert (done.returncode, done.stderr) == (code, "")


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_report_has_colour_on_a_terminal_unless_it_is_not_wanted(
    manifest: str, environment: dict[str, str], coloured: bool
) -> None:
    """NO_COLOR is what people set who cannot or will not see it."""
    ours, theirs = pty.openpty()
    try:
        check = [*COMMAND, "check", "--manifest", manifest, "--host", "corex@1.9.0", "--matrix", MATRIX]
        subprocess.run(check, env=_environment(environment), stdout=theirs, check=False)
        shown = os.read(ours, 65_536)
    finally:
        os.close(ours)
        os.close(theirs)

    assert (b"\x1b[" in shown) is coloured


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """That of the tests without what changes how things look."""
    inherited = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    return {**inherited, **given}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("satisfies", ">=1", "-"), 2),
        (
            ("check", "-m", "scripts/demo.plugins/billing-3.1.0.yaml", "--host", "corex@1.9.0", "--matrix", MATRIX),
            1,
        ),
        (("config", "show", "--output", "json"), 0),
        (("chekc",), 2),
    ],
)
def test_a_fork_ends_and_says_what_a_process_does(words: tuple[str, ...], code: int) -> None:
    """So that other tests may type many commands without waiting for Python."""
    forked = commands.run(*words, environment=_environment({}))
    process = subprocess.run(
        [*COMMAND, *words],
        env=_environment({}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (forked.returncode, forked.stdout, forked.stderr) == (code, process.stdout, process.stderr)
    assert process.returncode == code


BROKEN = """
import sys
from processors.cli import main
from processors.cli.manifests import commands
commands.lint = None
sys.argv[1:] = ["manifest", "lint", sys.argv[1]]
main()
"""


def test_a_fault_of_a_command_is_no_verdict(manifest: str) -> None:
    """1 would say that there are errors in the manifest; the fault is shown where it is."""
    done = subprocess.run(
        (sys.executable, "-c", BROKEN, manifest), capture_output=True, text=True, check=False, env=_environment({})
    )

    assert (done.returncode, done.stdout) == (FAULT, "")
    assert "TypeError" in done.stderr
    assert "lint_files" in done.stderr


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("info.xml", '<?xml version="1.0" encoding="foo"?><info><id>a</id></info>'),
        ("mods.toml", "a = 0x" + "f" * 5_000),
    ],
)
@pytest.mark.parametrize("command", ["check", "lint"])
def test_a_manifest_that_cannot_be_read_is_a_mistake_in_what_was_given(
    tmp_path: Path, command: str, name: str, content: str
) -> None:
    """2, and no traceback, whatever is in it."""
    file = tmp_path / name
    file.write_text(content)

    said = checked(str(file), "--host", "corex@1.9.0") if command == "check" else run("manifest", "lint", str(file))

    assert said.returncode == 2
    assert "Traceback" not in said.stderr
