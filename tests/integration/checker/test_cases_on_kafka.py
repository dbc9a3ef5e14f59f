"""The same question has the same answer on the command line and through Kafka, to the last byte."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from examples import commands
from examples.outputs import valid

from processors.cli.demo.commands import environment_of
from processors.cli.requests.answers import KNOWN
from processors.embedded import Addresses

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[3]
PLUGINS = ROOT / "scripts" / "demo.plugins"
RUNTIMES = ("--runtime", "go@1.22", "--runtime", "node@20.11")
THERE = ("--host", "corex@1.9.0", "--installed", "com.powerx.plugins.crm@0.6.0", *RUNTIMES)
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def command(guarded: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """`compat-guard` beside a checker that runs, where a copy of the sample matrix alone is published."""
    environment = {**os.environ, **environment_of(guarded), "GUARD_HEALTH_PORT": "0"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return commands.run(*arguments, environment=environment, cwd=ROOT)

    sample = ROOT / "config" / "compat_matrix.yaml"
    done = run("matrix", "publish", shutil.copy(sample, tmp_path_factory.mktemp("matrix")))
    assert done.returncode == 0, done.stderr
    checker = commands.start("run", "checker", environment=environment, cwd=ROOT)
    yield run
    checker.terminate()
    assert checker.wait(60) == 0


def answer(said: subprocess.CompletedProcess[str]) -> tuple[int, dict[str, Any]]:
    assert said.stdout, said.stderr
    return said.returncode, valid("request", said.stdout)


@pytest.mark.parametrize(
    ("manifest", "verdict"),
    [
        pytest.param("inventory-sync-1.5.0.yaml", "BLOCK", id="c-1"),
        pytest.param("audit-log-4.0.1.yaml", "ALLOW", id="allowed"),
        pytest.param("chat-2.3.1.yaml", "WARN", id="warned"),
        pytest.param("legacy-reports-1.2.0.yaml", "BLOCK", id="blocked by a row"),
    ],
)
def test_kafka_and_the_command_line_give_the_same_report(command: Command, manifest: str, verdict: str) -> None:
    """Findings, ways out, score and digests: the digest of the report's bytes is part of what is compared."""
    question = ("--manifest", str(PLUGINS / manifest), *THERE, "--output", "json")
    code, offline = answer(command("check", *question, "--matrix", "config/compat_matrix.yaml"))
    code_of_request, asked = answer(command("request", *question, "--timeout", "120"))

    assert offline.pop("matrix_files") == ["config/compat_matrix.yaml"]
    assert offline["verdict"] == verdict
    assert code == code_of_request
    assert offline.items() <= asked.items()
    assert asked.keys() - offline.keys() == {*KNOWN, "decided"}
    assert (asked["decided_at"][-1], asked["exception_possible"]) == ("Z", verdict == "BLOCK")
