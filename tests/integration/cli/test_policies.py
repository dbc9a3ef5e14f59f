"""A policy on its way: published, in force at the next request, withdrawn, and out of force again."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.stack

SAMPLE = ("--matrix", Path("config/compat_matrix.yaml"))
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def plugin() -> str:
    """The topics are shared, a plugin is not."""
    return f"org.p{uuid.uuid4().hex[:8]}.crm"


def a_file(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def a_manifest(folder: Path, plugin: str) -> Path:
    return a_file(folder, "plugin.yaml", f'id: {plugin}\nversion: "1.1.0"\ncorex_version: ">=1.0.0"\n')


def advisory_codes(command: Command, manifest: Path) -> list[str]:
    """What a request is blocked for on account of security."""
    asked = command("request", "-m", manifest, "--host", "corex@1.9.0", "--timeout", "60", "-o", "json")
    assert asked.returncode in {0, 1}, asked.stderr
    report = json.loads(asked.stdout)
    return [f["object"] for f in report["findings"] if f["code"] == "SECURITY_ADVISORY" and f["effect"] == "BLOCK"]


def published(command: Command, *words: str | Path) -> list[dict[str, Any]]:
    done = command("policies", "publish", *words, "-o", "json")
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def eventually(expected: list[str], command: Command, manifest: Path) -> None:
    """A checker drains its tables before each batch, so the next request or the one after it sees the policy."""
    until = time.monotonic() + 30
    while (found := advisory_codes(command, manifest)) != expected:
        assert time.monotonic() < until, found
        time.sleep(0.2)


def an_osv_record(**more: Any) -> str:
    event = [{"introduced": "1.0.0"}, {"fixed": "1.2.0"}]
    record = {
        "schema_version": "1.7.0",
        "id": "ACME-2026-7",
        "modified": "2026-01-01T00:00:00Z",
        "affected": [
            {"package": {"ecosystem": "npm", "name": "crm"}, "ranges": [{"type": "SEMVER", "events": event}]}
        ],
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        **more,
    }
    return json.dumps(record)


def test_an_advisory_blocks_until_it_is_withdrawn(command: Command, plugin: str, tmp_path: Path) -> None:
    manifest = a_manifest(tmp_path, plugin)
    assert advisory_codes(command, manifest) == []

    record = a_file(tmp_path, "ACME-2026-7.json", an_osv_record())
    (row,) = published(command, record, "--component", plugin)
    assert (row["component"], row["state"]) == (plugin, "published")
    eventually(["ACME-2026-7"], command, manifest)

    a_file(tmp_path, record.name, an_osv_record(withdrawn="2026-01-02T00:00:00Z"))
    published(command, record, "--component", plugin)
    eventually([], command, manifest)


def test_a_policy_can_be_taken_out_of_force(command: Command, plugin: str, tmp_path: Path) -> None:
    """As a whole, by a withdrawal that is signed."""
    manifest = a_manifest(tmp_path, plugin)
    advisory = '{id: ACME-1, severity: high, affected: ["<2.0.0"]}'
    published(command, a_file(tmp_path, "policy.yaml", f"component: {plugin}\nadvisories: [{advisory}]\n"))
    eventually(["ACME-1"], command, manifest)

    assert command("policies", "withdraw", plugin).returncode == 0
    eventually([], command, manifest)
    assert command("policies", "withdraw", plugin).returncode == 2


def test_what_is_shown_can_be_published_again_and_changes_nothing(
    command: Command, plugin: str, tmp_path: Path
) -> None:
    """Also not the digest, by which reports name the policy."""
    (first,) = published(command, a_file(tmp_path, "one.json", an_osv_record()), "--component", plugin)

    shown = command("policies", "show", plugin, "-o", "yaml")
    (again,) = published(command, a_file(tmp_path, "two.yaml", shown.stdout))

    assert (again["state"], again["digest"]) == ("unchanged", first["digest"])


def test_an_advisory_that_is_dropped_is_named(command: Command, plugin: str, tmp_path: Path) -> None:
    """A policy replaces the one before it, and that is easily forgotten."""
    published(command, a_file(tmp_path, "one.json", an_osv_record()), "--component", plugin)

    other = a_file(tmp_path, "other.json", an_osv_record(id="ACME-2026-8"))
    done = command("policies", "publish", other, "--component", plugin)

    assert f"{plugin} no longer has ACME-2026-7" in done.stderr


def test_nothing_is_published_if_one_policy_is_unsound(command: Command, plugin: str, tmp_path: Path) -> None:
    """Ends with 2, and the sound one is not in force either."""
    sound = a_file(tmp_path, "sound.yaml", f'{{component: {plugin}, required_baseline: "1"}}')
    broken = a_file(tmp_path, "broken.yaml", f"{{component: {plugin}.x, advisories: [{{id: a, affected: [one]}}]}}")

    done = command("policies", "publish", sound, broken)

    assert (done.returncode, command("policies", "show", plugin).returncode) == (2, 2), done.stderr
    assert "every version" in done.stderr


def test_an_offline_check_knows_policies_too(command: Command, plugin: str, tmp_path: Path) -> None:
    """The same finding as from the running guard."""
    record = a_file(tmp_path, "record.json", an_osv_record())
    policy = a_file(tmp_path, "policy.yaml", f'{{component: {plugin}, required_baseline: "2"}}')
    question = ("check", "-m", a_manifest(tmp_path, plugin), "--host", "corex@1.9.0", "-o", "json", *SAMPLE)

    codes = [f["code"] for f in json.loads(command(*question, "--policies", policy).stdout)["findings"]]
    assert "SECURITY_BASELINE_LOW" in codes

    weakness = json.loads(command(*question, "--policies", record, "--component", plugin).stdout)["findings"]
    assert "SECURITY_ADVISORY" in [f["code"] for f in weakness]

    linted = command("policies", "lint", record, "--component", plugin)
    assert linted.returncode == 0, linted.stdout
