"""What commands write as JSON is as the schemas say that `compat-guard schema` prints."""

from __future__ import annotations

import json
import os
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from examples import commands
from examples.outputs import valid
from jsonschema_rs import Draft202012Validator

from processors.cli.json_outputs import OUTPUTS, schema_of
from processors.cli.root import every_command

ROOT = Path(__file__).parents[3]
SAMPLE = str(ROOT / "config" / "compat_matrix.yaml")
BLOCKED = str(ROOT / "scripts" / "demo.plugins" / "inventory-sync-1.5.0.yaml")


def writes_json() -> set[str]:
    """Every command with an `--output` that offers JSON."""
    found: set[str] = set()
    for path, command in every_command():
        for parameter in command.params:
            if "--output" in parameter.opts and "json" in getattr(
                parameter.type_descriptor.annotation, "__members__", ()
            ):
                found.add(path)
    return found


def test_every_command_that_writes_json_has_a_schema() -> None:
    assert len(writes_json()) > 25
    assert writes_json() <= set(OUTPUTS) <= {path for path, _ in every_command()}


@pytest.mark.parametrize("command", OUTPUTS)
def test_a_schema_is_one(command: str) -> None:
    Draft202012Validator(schema_of(command))


def run(*words: str) -> CompletedProcess[str]:
    return commands.run(*words, environment=os.environ)


OFFLINE = [
    ("check", ("-m", BLOCKED, "--host", "corex@1.9.0", "--matrix", SAMPLE)),
    ("plan", ("--host", "corex@2.0.0", "--installed", "com.powerx.plugins.crm@0.6.0", "--matrix", SAMPLE)),
    ("matrix lint", (SAMPLE,)),
    ("matrix explain", ("com.powerx.legacy.reports@1.2.0", "corex@1.9.0", "--matrix", SAMPLE)),
    ("manifest lint", (BLOCKED,)),
    ("manifest show", (BLOCKED,)),
    ("topics lint", ()),
    ("config show", ()),
]


@pytest.mark.parametrize(("command", "words"), OFFLINE, ids=[command for command, _ in OFFLINE])
def test_json_of_a_command_without_servers_is_as_its_schema_says(command: str, words: tuple[str, ...]) -> None:
    done = run(*command.split(), *words, "--output", "json")

    assert done.returncode in (0, 1), done.stderr
    assert valid(command, done.stdout) is not None


def test_the_schema_of_a_command_is_printed_and_a_slip_is_told() -> None:
    assert json.loads(run("schema", "matrix", "status").stdout) == schema_of("matrix status")
    assert run("schema").stdout.split("\n")[0] in OUTPUTS
    assert "did you mean `matrix status`?" in run("schema", "matrix", "statsu").stderr
