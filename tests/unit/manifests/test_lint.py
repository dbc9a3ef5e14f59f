"""Lint tells a vendor before a platform does: every defect, every silence, and how to write it."""

from __future__ import annotations

from pathlib import Path

import pytest

from processors.events.subject import Manifest
from processors.manifests.lint import MOST_ADVICE, Advice, Level, lint
from processors.manifests.read import read_manifest
from processors.versions import Dialect

SAMPLES = Path(__file__).parents[2] / "data" / "manifests"
SOUND = """
id: com.powerx.plugins.crm
version: "1.2.0"
corex_version: ">=1.0.0"
runtimes: {go: ">=1.21"}
"""


def advice(body: str, base: str = SOUND, dialect: Dialect | None = None) -> list[tuple[str, str, str]]:
    return [(item.level, item.path, item.problem) for item in lint((base + body).encode(), "plugin.yaml", dialect)]


def without(key: str) -> str:
    return "\n".join(line for line in SOUND.splitlines() if not line.startswith(key))


def test_a_sound_manifest_needs_no_advice() -> None:
    """Silence is the reward."""
    assert advice("") == []


@pytest.mark.parametrize(
    ("body", "level", "path", "says"),
    [
        ("security_baseline_version: 2026.10", "warning", "security_baseline_version", "quote it"),
        (
            "capabilities: {provides: [{id: a, version: 1.10}]}",
            "warning",
            "capabilities.provides[0].version",
            "1.10",
        ),
        ("databases: {postgresql: 14}", "warning", "databases.postgresql", "quote it"),
        ("max_core: 1.10", "warning", "max_core", "not a complete version"),
        ("max_core: newest", "error", "max_core", "`newest` is not a version in dialect npm"),
        ("dependencies: {requires: [a.b ^^1]}", "error", "dependencies.requires", "a.b: `^^1` is not a range"),
        ("dependencies: {requires: [a.b]}", "warning", "dependencies.requires", "`a.b` in any version"),
        ("dependencies: {conflicts: [a.b what]}", "error", "dependencies.conflicts", "a.b: `what` is not a range"),
        ("dependencies: {requirs: [a.b >=1]}", "error", "dependencies.requirs", "did you mean `requires`?"),
        ("dependencis: {}", "error", "dependencis", "did you mean `dependencies`?"),
        ("requires: [a.b >=1]", "error", "requires", "not read here"),
        ("consumes: [a.b >=1]", "error", "consumes", "not read here"),
        ("database: postgresql fresh", "error", "database", "postgresql: `fresh` is not a range"),
        ("contracts: {crm.contacts: '^^1'}", "error", "capabilities.consumes", "crm.contacts: `^^1`"),
        ("migrations: [{id: a, reversible: true}]", "warning", "migrations[0]", "no checksum"),
        ("migrations: {entry: a, checksum: 'sha256:a'}", "warning", "migrations", "can be undone"),
        ("lifecycle: {status: sunset, effective_date: '2026-01-01'}", "warning", "lifecycle.sunset_at", "no date"),
        ("lifecycle: {status: active, sunset_at: never}", "error", "lifecycle.sunset_at", "expected a date"),
    ],
)
def test_one_thing_to_mend(body: str, level: str, path: str, says: str) -> None:
    """Each mistake has its own line, with its place and its reason."""
    [(found_level, found_path, problem)] = advice(body)

    assert (found_level, found_path) == (level, path)
    assert says in problem


@pytest.mark.parametrize(
    ("key", "path", "level"),
    [
        ("corex_version", "corex_version", "warning"),
        ("runtimes", "runtime", "warning"),
        ("version", "version", "error"),
        ("id", "id", "error"),
    ],
)
def test_what_is_not_said(key: str, path: str, level: str) -> None:
    """Undeclared hosts and runtimes are for the platform to judge; without id or version there is no plugin."""
    assert [(found, place) for found, place, _ in advice("", without(key))] == [(level, path)]


@pytest.mark.parametrize(
    "body", ["x-dependencies: {}", "x_runtime: 1", "team: stock", "channel: beta", "lifecycle: active"]
)
def test_what_is_the_vendors_own_affair(body: str) -> None:
    """Unknown keys are welcome, unless they look like a known one; those with `x-` always are."""
    assert advice(body) == []


def test_ranges_are_judged_in_the_dialect_that_is_asked_for() -> None:
    """A platform with another dialect reads other ranges."""
    body = "dependencies: {requires: ['a.b [1.7.3,)']}"
    base = SOUND.replace('">=1.0.0"', '"[1.0,)"')

    assert advice(body, base, Dialect.MAVEN) == []
    assert [path for _, path, _ in advice(body, base, Dialect.NPM)] == ["corex_version", "dependencies.requires"]


def test_every_piece_of_advice_on_the_samples_shows_how_to_write_it() -> None:
    """A complaint without a way out is no help."""
    for path in sorted(SAMPLES.glob("*.plugin.yaml")):
        for item in lint(path.read_bytes(), path.name):
            assert item.write, f"{path.name}: {item}"


def test_the_example_that_lint_gives_is_free_of_the_mistake() -> None:
    """Whoever follows the advice on an undeclared plugin has a sound one."""
    silent = (SAMPLES / "chat-bridge.plugin.yaml").read_bytes()
    told = [line for line in silent.splitlines() if not line.startswith(b"runtime")]

    followed = b"\n".join([*told, *(item.write.encode() for item in lint(silent, "plugin.yaml"))])

    assert lint(followed, "plugin.yaml") == ()


def test_errors_come_first() -> None:
    """A reader who stops early has seen what decides."""
    levels = [item.level for item in lint((SAMPLES / "broken-types.plugin.yaml").read_bytes(), "plugin.yaml")]

    assert levels == sorted(levels)
    assert {Level.ERROR, Level.WARNING} == set(levels)


def test_every_defect_that_blocks_is_an_error_of_lint() -> None:
    """What the check calls MANIFEST_INVALID, a vendor's CI has called an error."""
    data = (SAMPLES / "broken-types.plugin.yaml").read_bytes()
    manifest: Manifest = read_manifest(data, "plugin.yaml")

    errors = {(item.path, item.problem) for item in lint(data, "plugin.yaml") if item.level is Level.ERROR}

    assert {(defect.path, defect.problem) for defect in manifest.defects} <= errors


def test_advice_of_one_kind_has_a_limit() -> None:
    """A log that nobody can read helps nobody."""
    needs = "\n".join(f"  - a.b{number}" for number in range(1_000))

    assert len(advice(f"dependencies:\n requires:\n{needs}")) == MOST_ADVICE


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mailroom.Chart.yaml", [("warning", "kubeVersion")]),
        ("disk-watch.MANIFEST.MF", [("warning", "Minimum-Java-Version")]),
        ("tide-panel.plugin.json", []),
        ("schema-notebook.package.json", []),
    ],
)
def test_other_ecosystems_are_judged_by_their_own_words(name: str, expected: list[tuple[str, str]]) -> None:
    """A VS Code extension cannot state a version of its dependency, so nobody asks it to."""
    found: tuple[Advice, ...] = lint((SAMPLES / name).read_bytes(), name)

    assert [(item.level, item.path) for item in found] == expected
