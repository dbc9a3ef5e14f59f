"""The wheel: the same bytes whoever builds it, and nothing in it that production has no use for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from examples.charts import ROOT

EPOCH = "1700000000"
SOURCES = ("processors", "schemas", "config", "pyproject.toml", "README.md", "LICENSE")


def built(source: Path, folder: Path, umask: int) -> Path:
    """The wheel of a source tree, by the build backend itself."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=source, env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH}, check=True, capture_output=True, umask=umask,
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(ROOT, tmp_path_factory.mktemp("wheel"), 0o022)


def test_a_wheel_is_the_same_bytes_wherever_it_is_built(wheel: Path, tmp_path: Path) -> None:
    """From another place, at another time, by somebody with another umask."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, elsewhere / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, elsewhere / name)
    again = built(elsewhere, tmp_path / "again", 0o077)

    assert again.name == wheel.name
    assert again.read_bytes() == wheel.read_bytes()


def test_a_wheel_has_the_contract_and_no_sample(wheel: Path) -> None:
    """A verdict must not come from a matrix that nobody chose, so the sample matrix stays in the checkout."""
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {name.removeprefix("processors/_shipped/") for name in names if "/_shipped/" in name}

    assert {name for name in shipped if name.startswith("config/")} == {
        "config/exception_workflow.yaml", "config/guard.yaml", "config/relay.yaml", "config/security_context.yaml",
        "config/topics.yaml",
    }  # fmt: skip
    assert {f"schemas/{path.name}" for path in (ROOT / "schemas").glob("*.avsc")} <= shipped


def test_a_wheel_has_nothing_to_show_or_to_test_with(wheel: Path, tmp_path: Path) -> None:
    """No demo, no programs of Debian's, no events that are made up; and the command line does without."""
    zipfile.ZipFile(wheel).extractall(tmp_path)
    away = ("cli/demo", "embedded/debian.py", "embedded/monitoring.py", "ledger/samples.py")
    assert [name for name in away if (tmp_path / "processors" / name).exists()] == []

    done = subprocess.run(
        [sys.executable, "-m", "processors.cli", "--help"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert " request " in done.stdout
    assert " demo " not in done.stdout
