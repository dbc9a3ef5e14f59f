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
        word
        for value in (*needed, *values)
        for word in ("--set-json" if "={" in value or "=[" in value else "--set", value)
    ]
    command = [release_tools() / "helm", "template", "compat-guard", CHART, "--namespace", "guard", *settings]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def of_kind(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """Those of one kind, by name."""
    return {found["metadata"]["name"]: found for found in objects if found["kind"] == kind}


def pod_of(found: dict[str, Any]) -> dict[str, Any]:
    """The template of the pods of a StatefulSet, a Job or a CronJob."""
    spec = found["spec"]
    return (spec["jobTemplate"]["spec"] if found["kind"] == "CronJob" else spec)["template"]


def environment(of: dict[str, Any]) -> dict[str, Any]:
    """The variables of its only container, by name."""
    (container,) = pod_of(of)["spec"]["containers"]
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container["env"]}


def rendered(*values: str) -> list[dict[str, Any]]:
    """The objects that Kubernetes would be given."""
    done = template(*values)
    assert done.returncode == 0, done.stderr
    return [found for found in yaml.load_all(done.stdout, yaml.CSafeLoader) if found]
