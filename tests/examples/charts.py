"""The chart of deploy/, rendered by Helm itself."""

from __future__ import annotations

import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "compat-guard"
NEEDED = ("kafka.bootstrap=kafka:9093", "registry.url=https://registry:8081")
"""What the chart asks for before it renders anything."""


@lru_cache(maxsize=1)
def release_tools() -> Path:
    """The folder of programs that scripts/release-tools fetches. Skips the test where they cannot be had."""
    done = subprocess.run([ROOT / "scripts" / "release-tools"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"scripts/release-tools: {done.stderr.strip()[-300:]}")
    return Path(done.stdout.strip()) / "bin"


def template(*values: str, needed: tuple[str, ...] = NEEDED) -> subprocess.CompletedProcess[str]:
    """`helm template` with `--set` for each of the values."""
    settings = [
        word for value in (*needed, *values) for word in ("--set-json" if "={" in value else "--set", value)
    ]
    command = [release_tools() / "helm", "template", "compat-guard", CHART, "--namespace", "guard", *settings]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def rendered(*values: str) -> list[dict[str, Any]]:
    """The objects that Kubernetes would be given."""
    done = template(*values)
    assert done.returncode == 0, done.stderr
    return [found for found in yaml.load_all(done.stdout, yaml.CSafeLoader) if found]
