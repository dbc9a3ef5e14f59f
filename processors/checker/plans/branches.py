"""From one problem to every single change that could solve it.

Whatever cures a finding changes one of its two sides: it moves the plugin that demands to a release with another
demand, or it moves what is demanded to an admitted version. A search that tries each of these misses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from processors.checker.case import Case, readable
from processors.checker.plans.catalogue import Alike, Catalogue
from processors.checker.plans.cost import Cost, cost_of
from processors.checker.statements import Statement
from processors.errors import Refused
from processors.events.report import Change, Finding
from processors.events.subject import Subject
from processors.events.vocabulary import Code, RemedyKind
from processors.versions import Dialect, Range, Version

_NEWER: Final = 5
"""Added for a plugin version newer than the requested one: it was not what anybody had planned."""

_HOST: Final = frozenset({Code.HOST_TOO_OLD, Code.HOST_PRERELEASE_EXCLUDED})
_ANY_HOST: Final = frozenset({Code.MATRIX_BLOCK, Code.API_BREAK, Code.SCHEMA_BREAK, Code.SECURITY_BASELINE_LOW})
_VERSION: Final = frozenset({Code.DEPENDENCY_MISSING, Code.DEPENDENCY_TOO_OLD, Code.DEPENDENCY_TOO_NEW})
_CONFLICT: Final = frozenset({Code.PLUGIN_CONFLICT, Code.CONFLICT_REVERSE})


class Choice(NamedTuple):
    """A change, its cost, and equivalent releases that could be used instead."""

    change: Change
    cost: Cost
    alike: Alike = ()


@dataclass(slots=True)
class Branches:
    """The choices of one search for a way out of `case`."""

    case: Case
    catalogue: Catalogue
    suits: Callable[[str, str], bool] | None = None
    """Whether a release (plugin id, version) could be installed at all; None if that is unknown."""

    _known: dict[tuple[str, str | None], tuple[Choice, ...]] = field(
        default_factory=dict[tuple[str, "str | None"], "tuple[Choice, ...]"]
    )

    def of(
        self, finding: Finding, beside: Iterable[Finding], subject: Subject, decided: Collection[str]
    ) -> Iterator[Choice]:
        """Every change that could cure the finding, of things that are not decided yet. Raises Exhausted.

        `beside` are all findings of the same question, this one included.
        """
        installed = {plugin.id: plugin for plugin in subject.installed}
        parties = (finding.subject, finding.object) if finding.code in _CONFLICT else (finding.subject,)
        free = [id for id in dict.fromkeys((*parties, *finding.path)) if id in installed and id not in decided]
        if finding.code in _CONFLICT:
            yield from (_choice(Change(RemedyKind.REMOVE_CONFLICT, id, None)) for id in parties if id in free)
        elif finding.code is Code.DEPENDENCY_DISABLED:
            if f"enabled {finding.object}" not in decided and finding.object in installed:
                here = installed[finding.object]
                yield _choice(Change(RemedyKind.ENABLE_DEPENDENCY, here.id, here.version))
        elif finding.code in _VERSION and finding.object not in decided:
            demand = demanded(finding)
            if demand is not None:
                yield from self._releases(finding.object, demand)
        elif finding.code is Code.RUNTIME_TOO_OLD and f"runtime {finding.object}" not in decided:
            yield from self._runtime(finding, beside)
        if finding.code in _HOST | _ANY_HOST and "host" not in decided:
            yield from self._hosts(finding)
        for id in free:
            yield from self._releases(id, None)

    def of_asked(self) -> Iterator[Choice]:
        """Other releases of the requested plugin, and its successors. Raises Exhausted."""
        before, dialect = self.case.previous_text, self.case.dialect_of(self.case.plugin)
        here = readable(before, dialect) if before else None
        version = self.case.version
        for age, alike in enumerate(self.catalogue.releases(self.case.plugin)):
            self.catalogue.effort.spend(len(alike))
            others = [v for v in alike if v not in (version, here)]
            for newer in (False, True):
                side = tuple(v for v in others if (version is not None and v > version) is newer)
                if side:
                    yield self._version(side, age, here, newer=newer)
        yield from self._successors()

    def _version_of(self, id: str) -> str | None:
        plugin = self.case.others.get(id)
        return plugin.version if plugin else None

    def _releases(self, id: str, demand: Range | None) -> Iterable[Choice]:
        """Releases of a plugin other than the installed one, one of each admitted group."""
        about = (id, None if demand is None else demand.text)
        known = self._known.get(about)
        if known is None:
            known = self._known[about] = tuple(self._find_releases(id, demand))
        self.catalogue.effort.spend(1)
        return known

    def _find_releases(self, id: str, demand: Range | None) -> Iterator[Choice]:
        here = self._version_of(id)
        present = None if here is None else readable(here, self.case.dialect_of(id))
        for age, alike in enumerate(self.catalogue.releases(id)):
            self.catalogue.effort.spend(len(alike))
            fitting = [v for v in alike if v != present and (demand is None or admits(demand, v))]
            for older in (False, True):
                side = tuple(v for v in fitting if (present is not None and v < present) is older)
                if side and (self.suits is None or self.suits(id, side[0].text)):
                    yield self._to(id, side, age, is_new=here is None, older=older)

    def _to(self, id: str, side: Alike, age: int, *, is_new: bool, older: bool) -> Choice:
        best = side[0]
        kind = RemedyKind.INSTALL_DEPENDENCY if is_new else RemedyKind.UPGRADE_DEPENDENCY
        change = Change(RemedyKind.DOWNGRADE_DEPENDENCY if older else kind, id, best.text)
        return Choice(change, cost_of(change, downgrade=older, prerelease=best.is_prerelease, age=age), side[1:])

    def _version(self, side: Alike, age: int, here: Version | None, *, newer: bool) -> Choice:
        best = side[0]
        change = Change(RemedyKind.INSTALL_VERSION, self.case.plugin, best.text)
        older = here is not None and best < here
        cost = cost_of(change, downgrade=older, prerelease=best.is_prerelease, age=age, more=_NEWER if newer else 0)
        return Choice(change, cost, side[1:])

    def _successors(self) -> Iterator[Choice]:
        """The plugins that the vendor or the catalogue names as the plugin's successors."""
        stated = [self.case.manifest.lifecycle.replacement, *(r.lifecycle.replacement for r in self.case.releases)]
        for successor in dict.fromkeys(filter(None, stated)):
            for age, alike in enumerate(self.catalogue.releases(successor)):
                change = Change(RemedyKind.REPLACE_PLUGIN, successor, alike[0].text)
                yield Choice(change, cost_of(change, prerelease=alike[0].is_prerelease, age=age), alike[1:])

    def _hosts(self, finding: Finding) -> Iterator[Choice]:
        demand = demanded(finding) if finding.code in _HOST else None
        for age, version in enumerate(self.catalogue.hosts()):
            if demand is None or demand.admits(version):
                change = Change(RemedyKind.UPGRADE_HOST, self.case.subject.host.name, version.text)
                yield Choice(change, cost_of(change, prerelease=version.is_prerelease, age=age))

    def _runtime(self, finding: Finding, beside: Iterable[Finding]) -> Iterator[Choice]:
        """The highest of the minimum versions that the demands on this runtime name."""
        about = (f for f in beside if f.code is finding.code and f.object == finding.object)
        demands = {f.required.constraint: f for f in about}
        self.catalogue.effort.spend(len(demands))
        lowest = [demand.lowest() for f in demands.values() if (demand := demanded(f)) is not None]
        named = [version for version in lowest if version is not None]
        if named:
            yield _choice(Change(RemedyKind.UPGRADE_RUNTIME, finding.object, max(named).text))


def other_release(finding: Finding, alike: Alike) -> Alike:
    """Of the releases equivalent to a chosen one, those whose version alone would cure the finding."""
    demand = demanded(finding)
    if demand is None or finding.code not in _VERSION | _CONFLICT | {Code.DEPENDENT_BROKEN}:
        return ()
    return tuple(version for version in alike if admits(demand, version) is not (finding.code in _CONFLICT))


def admits(demand: Range, version: Version) -> bool:
    """Whether the range admits the version, in the demand's dialect, which may not be the plugin's.

    False if unreadable.
    """
    read = version if version.dialect is demand.dialect else readable(version.text, demand.dialect)
    return read is not None and demand.admits(read)


def _choice(change: Change) -> Choice:
    return Choice(change, cost_of(change))


def demanded(finding: Finding) -> Range | None:
    """The demanded range; None if there is none or it cannot be read."""
    demand = finding.required
    try:
        return Statement(demand.constraint, "", "").range(Dialect(demand.dialect))
    except (Refused, ValueError):
        return None


def decides(change: Change) -> Iterable[str]:
    """What a change decides, so that no other change of the same plan decides it again."""
    match change.kind:
        case RemedyKind.UPGRADE_HOST:
            return ("host",)
        case RemedyKind.UPGRADE_RUNTIME:
            return (f"runtime {change.target}",)
        case RemedyKind.ENABLE_DEPENDENCY:
            return (f"enabled {change.target}",)
        case _:
            return (change.target,)
