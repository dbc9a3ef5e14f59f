"""npm's own `semver` judges generated rows in each mode, where node and npm are to be had."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import platformdirs
import pytest

from processors.versions import Dialect

ROOT = Path(__file__).parents[2]
SEMVER = "7.8.6"
ROWS = int(os.environ.get("GUARD_DIFFERENTIAL_ROWS", "10000"))


@pytest.fixture(scope="session")
def references() -> Path:
    """A folder of the user's cache with npm's package in it; installed once, then used without a network."""
    folder = Path(platformdirs.user_cache_dir("compat-guard")) / f"references-{SEMVER}"
    npm = shutil.which("npm")
    if shutil.which("node") is None or npm is None:
        pytest.skip("node and npm are not installed; they run the reference implementation")
    if not (folder / "npm" / "node_modules" / "semver" / "package.json").exists():
        (folder / "npm").mkdir(parents=True, exist_ok=True)
        install = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder / "npm")]
        done = subprocess.run(
            [*install, f"semver@{SEMVER}"], capture_output=True, text=True, timeout=120, check=False
        )
        if done.returncode != 0:
            pytest.skip(f"npm cannot install semver@{SEMVER} here: {done.stderr.strip()[:200]}")
    return folder


@pytest.fixture(scope="session")
def generator() -> ModuleType:
    path = ROOT / "tests" / "data" / "versions" / "generate.py"
    spec = importlib.util.spec_from_file_location("versions_generate", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("dialect", [Dialect.NPM, Dialect.NPM_PRERELEASE])
def test_npm_agrees_on_every_row(dialect: Dialect, references: Path, generator: ModuleType) -> None:
    """Read, refused, admitted: the same in each row, and each of these occurs often enough to mean something."""
    rows = generator.judged(dialect, references, ROWS, seed=2026)

    assert generator.differences(dialect, rows) == []
    for outcome in (True, False, "range", "version"):
        assert sum(row[2] == outcome for row in rows) > ROWS // 100
