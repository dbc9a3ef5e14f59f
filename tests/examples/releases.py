"""Builds of the guard that were released, as their users have them: a wheel, in an environment of its lock."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from examples.charts import ROOT


@dataclass(frozen=True, slots=True)
class Build:
    """`config` and `schemas` are what it ships."""

    name: str
    program: Path
    config: Path
    schemas: Path

    def start(self, environment: dict[str, str], log: Path, *words: str) -> subprocess.Popen[bytes]:
        with log.open("ab") as file:
            return subprocess.Popen([self.program, *words], env=environment, stdout=file, stderr=file)

    def run(self, environment: dict[str, str], *words: str) -> str:
        """A command that must end well; what it wrote to stdout."""
        done = subprocess.run(
            [self.program, *words], env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, f"{self.name}: {words}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout


def current() -> Build:
    """The one that is tested."""
    return Build("current", Path(sys.executable).with_name("compat-guard"), ROOT / "config", ROOT / "schemas")


def released(version: str, folder: Path) -> Build:
    """The wheel of a release, built from the commit that it was made of, and installed with the release's own lock.

    Skips the test where the history is not there.
    """
    source = folder / "source"
    source.mkdir(parents=True)
    archive = _git("archive", "--format=tar", _commit_of(version))
    subprocess.run(["tar", "--extract", "--directory", source], input=archive, check=True)  # noqa: S607
    _quietly([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder], source)
    (wheel,) = folder.glob("*.whl")
    _quietly([sys.executable, "-m", "venv", folder / "venv"], folder)
    pip = [folder / "venv" / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check"]
    _quietly([*pip, "--require-hashes", "--only-binary", ":all:", "--requirement", "requirements.txt"], source)
    _quietly([*pip, "--no-index", "--no-deps", wheel], source)
    return Build(version, folder / "venv" / "bin" / "compat-guard", source / "config", source / "schemas")


def _commit_of(version: str) -> str:
    """Its tag, the commit that says that it releases it, or else the last one that bore the version."""
    if tag := _git("tag", "--list", f"v{version}").decode().strip():
        return tag
    if released := _git("log", "--format=%H", f"--grep=^Release {version}").decode().split():
        return released[-1]
    changes = _git("log", "--format=%H", f'-Sversion = "{version}"', "--", "pyproject.toml").decode().split()
    if len(changes) < 2:
        pytest.skip(f"the history of this checkout does not reach back to {version}: git fetch --unshallow --tags")
    return f"{changes[0]}^"


def _git(*words: str) -> bytes:
    git = shutil.which("git")
    done = git and subprocess.run([git, *words], cwd=ROOT, capture_output=True, check=False)
    if not done or done.returncode:
        pytest.skip("builds of earlier versions are made from the history, and this is no checkout of it")
    return done.stdout


def _quietly(command: list[str | Path], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
