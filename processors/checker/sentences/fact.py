"""What a sentence is made of: a finding, and what was requested, under the names that sentences use."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from processors.errors import RangeInvalid, shorten
from processors.events.report import ALTERNATIVES, Finding
from processors.events.vocabulary import Ground, Severity
from processors.versions import Dialect, parse_range

Words: TypeAlias = tuple[str, str]
"""What is wrong, without a full stop; and the way out, a sentence of its own."""

_LONGEST_RANGE = 120


class Asked(NamedTuple):
    """What was requested, under the names that sentences use."""

    plugin: str
    version: str
    host: str
    together: tuple[str, ...] = ()
    """Ids of the plugins that are installed in the same step."""

    def __str__(self) -> str:
        return f"{self.plugin} {self.version}".strip()


class Fact:
    """A finding under the names that its sentence uses."""

    def __init__(self, finding: Finding, asked: Asked) -> None:
        self.finding = finding
        self.asked = str(asked)
        self.plugin = asked.plugin
        self.version = asked.version
        self.owner = finding.subject
        self.is_ours = finding.subject == asked.plugin
        self.subject = self.asked if self.is_ours else _needed_by(finding, asked)
        self.object = finding.object
        self.kind = finding.required.kind
        self.ground = finding.ground
        self.demand = finding.required.constraint.replace(ALTERNATIVES, " or ")
        self.wants = f"{finding.object} {self.demand}".strip()
        self.found = finding.found or "none"
        self.disabled = finding.ground is Ground.DISABLED
        self.needed = _explained(finding)
        self.a_version = f"a version {self.needed}" if self.needed.startswith(("from ", "newer ")) else self.needed
        self.only_prerelease = finding.severity is Severity.PRERELEASE


def _needed_by(finding: Finding, asked: Asked) -> str:
    """An installed plugin and, if the request depends on it indirectly, the chain that leads to it."""
    if finding.subject in asked.together:
        return f"{finding.subject}, which comes with it,"
    if len(finding.path) < 2 or finding.path[-1] != finding.subject:
        return f"{finding.subject}, which is installed,"
    via = [f"{id}, which needs" for id in finding.path[1:-1]]
    return " ".join((f"{asked} needs", *via, f"{finding.subject}, which"))


def _explained(finding: Finding) -> str:
    """The demanded range in words where it is one: "2.0.0 or newer" rather than ">=2.0.0"."""
    demand = finding.required
    try:
        text = parse_range(demand.constraint, Dialect(demand.dialect)).explain() if demand.constraint else ""
    except (RangeInvalid, ValueError):
        text = demand.constraint
    return (text if len(text) <= _LONGEST_RANGE else shorten(demand.constraint, _LONGEST_RANGE)) or "any version"
