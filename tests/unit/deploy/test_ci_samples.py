"""Samples for a build server, and hooks for pre-commit: they install what was approved, and run what there is."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from processors.cli.root import app

ROOT = Path(__file__).parents[3]
SAMPLES = sorted((ROOT / "deploy" / "ci").glob("*.yaml"))
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
PLUGIN = 'id: com.acme.crm\nversion: "1.0.0"\nlicense: MIT\ncorex_version: ">=1.0.0"\nruntime: {go: ">=1.21"}\n'
MATRIX = """
source: governance
revision: "1"
expires_after: 3650d
undeclared: {host: block, runtime: allow, matrix: allow}
hosts: {corex: {dialect: npm, releases: ["1.9.0", "2.0.0"]}}
"""


JOB = {"github", "needs", "strategy", "matrix", "vars", "inputs"}
STEP = JOB | {"job", "runner", "env", "steps"}
CONTEXTS: list[tuple[str, set[str]]] = [
    (r"jobs\.[\w-]+\.steps\.\d+\.if", STEP),
    (r"jobs\.[\w-]+\.steps\..*", STEP | {"secrets"}),
    (r"jobs\.[\w-]+\.env\..*", JOB | {"secrets"}),
    (r"jobs\.[\w-]+\.if", {"github", "needs", "vars", "inputs"}),
    (r"jobs\..*", JOB),
    (r"env\..*", {"github", "secrets", "vars", "inputs"}),
    (r"concurrency\b.*|run-name", {"github", "vars", "inputs"}),
    (r".*", set()),
]
"""What the reference of GitHub's workflows permits, by the place of an expression; the first that fits."""


def placed(found: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a workflow, with its place."""
    if isinstance(found, dict | list):
        for key, value in found.items() if isinstance(found, dict) else enumerate(found):
            yield from placed(value, f"{path}.{key}".strip("."))
    else:
        yield path, str(found)


def contexts(text: str) -> set[str]:
    """What expressions read from, leaving out strings, functions and properties."""
    expressions = [re.sub(r"'[^']*'", "", found) for found in re.findall(r"\$\{\{(.*?)\}\}", text, re.S)]
    return {name for found in expressions for name in re.findall(r"(?<![\w.-])([a-z]\w*)(?=[.\[])", found)}


def misplaced(workflow: Any) -> list[tuple[str, str]]:
    """Places with a context that is not there: a server refuses the whole file."""
    permitted = {
        path: next(of for where, of in CONTEXTS if re.fullmatch(where, path)) for path, _ in placed(workflow)
    }
    return [(path, name) for path, text in placed(workflow) for name in sorted(contexts(text) - permitted[path])]


def steps(sample: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(sample.read_text("utf-8"))["jobs"].values()
    return [step for job in jobs for step in job["steps"]]


def commands(sample: Path) -> list[list[str]]:
    """Every `compat-guard` that a sample runs, as words, without what the shell would take for a comment."""
    lines = [line for step in steps(sample) for line in step.get("run", "").splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("compat-guard ")]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_nothing_is_installed_by_its_name(sample: Path) -> None:
    """Whoever uploads something under that name would run in everybody's pipeline."""
    assert not re.search(r"pip install (?!-)", sample.read_text("utf-8"))
    assert commands(sample)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_an_expression_reads_only_what_is_there_at_its_place(sample: Path) -> None:
    """The variables of a job are made before there is a runner, for example."""
    workflow = yaml.safe_load(sample.read_text("utf-8"))

    assert misplaced(workflow) == []
    assert any(contexts(text) for _, text in placed(workflow))


def test_an_expression_at_a_place_where_it_is_refused_is_found() -> None:
    """So that the test above can fail."""
    step = {"if": "${{ secrets.A != '' }}", "run": "${{ runner.temp }}${{ secrets['a.b'] }}"}
    job = {"env": {"A": "${{ runner.temp }}/a", "B": "${{ format('{0}', env.A) }}${{ vars.B }}"}, "steps": [step]}

    assert misplaced({"jobs": {"a": job}, "name": "${{ github.ref }}"}) == [
        ("jobs.a.env.A", "runner"), ("jobs.a.env.B", "env"), ("jobs.a.steps.0.if", "secrets"), ("name", "github")
    ]  # fmt: skip


def test_the_matrix_is_synchronised_when_something_changes_that_the_job_reads() -> None:
    """Its folder of configuration, and the files that its commands name."""
    sample = ROOT / "deploy" / "ci" / "matrix-sync.yaml"
    workflow = yaml.safe_load(sample.read_text("utf-8"))
    patterns = workflow[True]["push"]["paths"]  # `on`, to YAML 1.1
    folder = workflow["jobs"]["sync"]["env"]["GUARD_CONFIG"].removeprefix("${{ github.workspace }}/")
    read = {f"{folder}/guard.yaml"} | {
        word for words in commands(sample) for word in words if word.endswith(".yaml")
    }

    assert len(read) > 1
    assert [file for file in read if not any(fnmatch(file, pattern) for pattern in patterns)] == []


def test_the_key_of_the_publisher_is_where_the_next_steps_look_for_it(tmp_path: Path) -> None:
    """Readable by nobody else; a variable that a step adds is there from the next one on."""
    (step,) = [s for s in steps(ROOT / "deploy" / "ci" / "matrix-sync.yaml") if "PUBLISHER_KEY" in s.get("env", {})]
    added = tmp_path / "environment"
    variables = {"PATH": os.environ["PATH"], "RUNNER_TEMP": str(tmp_path), "GITHUB_ENV": str(added)}
    shell = ["bash", "-e", "-o", "pipefail", "-c", step["run"]]
    subprocess.run(shell, env={**variables, "PUBLISHER_KEY": '{"kty": "EC"}'}, check=True)

    name, _, file = added.read_text("utf-8").strip().partition("=")
    assert name == "GUARD_SIGNING__KEY_FILE"
    assert Path(file).read_text("utf-8") == '{"kty": "EC"}'
    assert Path(file).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_every_command_of_a_sample_is_one_that_there_is(sample: Path) -> None:
    """With the options that it is given: `--help` behind them is shown only where all of them are known."""
    for words in commands(sample):
        assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 0, words


def test_the_vendors_sample_finds_what_it_should(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its commands, one after the other, in a folder as a vendor has it."""
    (tmp_path / "plugin.yaml").write_text(PLUGIN, "utf-8")
    (tmp_path / "compat_matrix.yaml").write_text(MATRIX, "utf-8")
    monkeypatch.chdir(tmp_path)

    for words in commands(ROOT / "deploy" / "ci" / "plugin-check.yaml"):
        assert CliRunner().invoke(app, words).exit_code == 0, words
    assert {path.name for path in tmp_path.iterdir()} >= {"findings.sarif", "next-host.xml"}


class Release:
    """A folder as `scripts/release` leaves it, and a shell that installs from it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.tools = folder / "release", folder / "tools"
        for made in (self.folder, self.tools, folder / "runner"):
            made.mkdir()
        for name in ("requirements.txt", "compat_guard-0.1.0-py3-none-any.whl", "compat-guard-0.1.0.tgz"):
            (self.folder / name).write_text(name, "utf-8")
        sums = subprocess.run("sha256sum ./* > SHA256SUMS", shell=True, cwd=self.folder, check=True)  # noqa: S602, S607 - as the release does
        assert sums.returncode == 0
        self.digest = hashlib.sha256((self.folder / "SHA256SUMS").read_bytes()).hexdigest()
        self.log = folder / "pip.log"
        pip = self.tools / "pip"
        pip.write_text(f'#!/bin/sh\necho "$@" >> {self.log}\n', "utf-8")
        pip.chmod(0o755)
        self.environment = {
            "PATH": f"{self.tools}:{os.environ['PATH']}",
            "RUNNER_TEMP": str(folder / "runner"),
            "RELEASE": self.folder.as_uri(),
        }

    def install(self, digest: str) -> int:
        (script,) = [s["run"] for s in steps(ROOT / "deploy" / "ci" / "matrix-sync.yaml") if "name" in s]
        shell = ["bash", "-e", "-o", "pipefail", "-c", script]
        return subprocess.run(shell, env={**self.environment, "DIGEST": digest}, check=False).returncode

    @property
    def installed(self) -> list[str]:
        return self.log.read_text("utf-8").splitlines() if self.log.exists() else []


def test_the_release_that_was_approved_is_installed(tmp_path: Path) -> None:
    """Its locked packages by their hashes, then its wheel and nothing else."""
    release = Release(tmp_path)

    assert release.install(release.digest) == 0
    assert [line.rpartition(" ")[2] for line in release.installed] == [
        "requirements.txt",
        "./compat_guard-0.1.0-py3-none-any.whl",
    ]


@pytest.mark.parametrize("altered", ["compat_guard-0.1.0-py3-none-any.whl", "requirements.txt", "SHA256SUMS"])
def test_a_release_that_was_altered_installs_nothing(altered: str, tmp_path: Path) -> None:
    release = Release(tmp_path)
    with (release.folder / altered).open("a") as file:
        file.write("#")

    assert release.install(release.digest) != 0
    assert release.installed == []


def test_hooks_run_a_command_of_this_repository_on_the_files_that_it_is_about(tmp_path: Path) -> None:
    """pre-commit hands all matching files to one command, and installs the repository itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    content = {"plugin.yaml": PLUGIN, "compat_matrix.yaml": MATRIX}

    for hook in HOOKS:
        command, *words = hook["entry"].split()
        assert command in project["scripts"]
        assert hook["language"] == "python"
        (name,) = [name for name in content if re.search(hook["files"], f"some/folder/{name}")]
        (tmp_path / name).write_text(content[name], "utf-8")
        assert CliRunner().invoke(app, [*words, str(tmp_path / name)]).exit_code == 0
        (tmp_path / name).write_text("[", "utf-8")
        assert CliRunner().invoke(app, [*words, str(tmp_path / name)]).exit_code != 0
