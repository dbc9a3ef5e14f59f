"""The locks: they agree with pyproject.toml, hold a hash for every package, and name no address."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[2]
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS: Final[Mapping[str, tuple[str, ...]]] = {
    "requirements.txt": ("tracing",),
    "requirements-embedded.txt": ("tracing", "embedded", "build"),
    "requirements-dev.txt": ("dev",),
}
TOOLS: Final = {"node": "requirements-node.txt", "install": "requirements-install.txt"}
"""Locks of one package each, by dependency group."""
LOCKS: Final = (*EXTRAS, *TOOLS.values())


def locked(name: str) -> list[tuple[Requirement, int]]:
    """What a lock pins, with the number of hashes. A package may have one pin for each span of Python versions."""
    entries = re.split(r"\n(?=[a-z])", re.sub(r"(?m)^\s*#.*\n", "", (ROOT / name).read_text()))
    return [
        (Requirement(entry.split("\\\n")[0].strip()), len(re.findall(r"--hash=sha256:[0-9a-f]{64}", entry)))
        for entry in entries
    ]


def pins_here(name: str) -> dict[str, Requirement]:
    """What a lock pins in this environment, by package."""
    return {canonicalize_name(pin.name): pin for pin, _ in locked(name) if not pin.marker or pin.marker.evaluate()}


def demanded(extras: Iterable[str]) -> list[Requirement]:
    """What pyproject.toml asks for. An extra of our own stands for what it holds."""
    project = PROJECT["project"]
    asked = [Requirement(text) for text in project["dependencies"]]
    for extra in extras:
        for requirement in map(Requirement, project["optional-dependencies"][extra]):
            own = requirement.name == project["name"]
            asked += demanded(requirement.extras) if own else [requirement]
    return asked


def closure(asked: Iterable[Requirement]) -> set[str]:
    """Every package of this environment that the asked-for ones lead to."""
    found: set[tuple[str, str]] = set()
    waiting = [(r, "") for r in asked]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        for chosen in ("", *requirement.extras):
            if (name, chosen) not in found:
                found.add((name, chosen))
                waiting += [(Requirement(text), chosen) for text in requires(name) or ()]
    return {name for name, _ in found}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_address(name: str) -> None:
    """A lock that names a host leaks the mirror that it was made on, and fails where that mirror is not."""
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host|file:", (ROOT / name).read_text())


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_one_version_and_its_hashes(name: str) -> None:
    for pin, hashes in locked(name):
        assert [s.operator for s in pin.specifier] == ["=="], pin
        assert hashes > 0, pin


@pytest.mark.parametrize("name", EXTRAS)
def test_a_lock_has_what_the_project_asks_for(name: str) -> None:
    pins = pins_here(name)
    for requirement in demanded(EXTRAS[name]):
        version = next(iter(pins[canonicalize_name(requirement.name)].specifier)).version
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement} is locked at {version}"


@pytest.mark.parametrize("name", EXTRAS)
def test_a_lock_has_what_that_leads_to_and_nothing_else(name: str) -> None:
    """Where this fails after a change of pyproject.toml: scripts/lock."""
    try:
        assert closure(demanded(EXTRAS[name])) == set(pins_here(name))
    except PackageNotFoundError as missing:
        pytest.fail(f"{missing} is asked for and not installed: run scripts/lock, then scripts/install")


def test_the_small_locks_pin_what_the_tests_ran_with() -> None:
    tested = {str(pin) for pin, _ in locked("requirements-dev.txt")}
    for name in ("requirements.txt", "requirements-embedded.txt"):
        assert {str(pin) for pin, _ in locked(name)} <= tested


@pytest.mark.parametrize("group", TOOLS)
def test_a_tool_is_locked_as_the_project_asks_for_it(group: str) -> None:
    (requirement,) = map(Requirement, PROJECT["dependency-groups"][group])
    ((pin, _),) = locked(TOOLS[group])
    assert pin.name == requirement.name
    assert requirement.specifier.contains(next(iter(pin.specifier)).version)
