"""Whether the request passes after some changes, and whether every plugin that fitted before still fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from processors.checker.case import Case
from processors.checker.plans.effort import Effort
from processors.checker.plans.situation import (
    NOT_TOLD,
    OTHER_VERSIONS,
    manifest_of,
    mentioned,
    with_request,
    without,
)
from processors.checker.plans.surroundings import Judgements
from processors.events.report import Change, Finding
from processors.events.subject import InstalledPlugin, Manifest, Subject
from processors.events.vocabulary import Code, RemedyKind

_LOSSES: Final = frozenset({Code.DEPENDENT_BROKEN, Code.API_BREAK, Code.SCHEMA_BREAK})
_FOR_ALL: Final = frozenset({RemedyKind.UPGRADE_HOST, RemedyKind.UPGRADE_RUNTIME})


class Stated(NamedTuple):
    """Identifies a demand by who has it, of what, and which.

    A change may alter how it is missed, but not the demand.
    """

    subject: str
    object: str
    demand: str


def stated(finding: Finding) -> Stated:
    return Stated(finding.subject, finding.object, finding.required.identity)


class BlockedQuestion(NamedTuple):
    """What blocks one question. `is_asked` says that the question is the request itself."""

    findings: tuple[Finding, ...]
    is_asked: bool


class _Question(NamedTuple):
    """About a plugin, and its installed version if that is replaced. Of one that stays, little may be known."""

    manifest: Manifest
    before: InstalledPlugin | None
    is_installed: bool


@dataclass(slots=True)
class PlanCheck:
    """Asks all questions about a situation: the request first, unless `asks` is False, then the installed plugins.

    `before` is the installation that "fitted before" refers to; `known` are the findings of `case` itself. With
    `everybody`, all plugins are asked about, and not only those that a change affects; with `whole`, each of them
    must fit, whether it did before or not. Plugins that are `excused` need not fit, and demands on the request that
    are `left_open` do not count. Findings with a code in `not_told` do not count against installed plugins.
    """

    case: Case
    effort: Effort
    before: Subject
    judgements: Judgements
    asks: bool = True
    everybody: bool = False
    whole: bool = False
    known: tuple[Finding, ...] = ()
    excused: frozenset[str] = frozenset()
    left_open: frozenset[Stated] = frozenset()
    not_told: frozenset[Code] = NOT_TOLD
    _fitted: dict[str, bool] = field(default_factory=dict[str, bool])
    _mentioning: dict[str, list[str]] = field(default_factory=dict[str, "list[str]"])
    _leading: tuple[frozenset[str], frozenset[str]] | None = None

    def first(self, subject: Subject, changes: Sequence[Change]) -> BlockedQuestion | None:
        """The first question that is answered with a block, None if there is none. Raises Exhausted."""
        if self.asks and (blocking := self._blocking(subject)):
            return BlockedQuestion(blocking, True)
        there = with_request(subject) if self.asks else subject.installed
        for manifest, before, unknown in self._questions(subject, there, changes):
            blocking = self.judgements.blocking_one(subject, there, manifest, before, self.effort)
            blocking = tuple(f for f in blocking if not (unknown and f.code in self.not_told))
            counting = tuple(f for f in blocking if not self._is_old(f, manifest.id))
            if counting:
                return BlockedQuestion(counting, False)
        lost = self._lost(subject, changes) if self.asks else ()
        return BlockedQuestion(lost, False) if lost else None

    def _is_old(self, finding: Finding, plugin: str) -> bool:
        """Whether `plugin` only costs another plugin something, and that one did not fit before either."""
        if finding.code not in _LOSSES or finding.subject == plugin or self.whole:
            return False
        owner = self.case.others.get(finding.subject)
        return owner is not None and not self._must_fit(owner, set())

    def _lost(self, subject: Subject, changes: Sequence[Change]) -> tuple[Finding, ...]:
        """Plugins that lose what a removed plugin has offered.

        A plugin that did not fit before has nothing to lose.
        """
        was = {plugin.id: plugin for plugin in self.case.subject.installed}
        gone = [was[c.target] for c in changes if c.kind is RemedyKind.REMOVE_CONFLICT and c.target in was]
        blocking = self._blocking(without(subject, gone, self.case)) if gone else ()
        return tuple(f for f in blocking if f.subject not in was or self._must_fit(was[f.subject], set()))

    def _blocking(self, subject: Subject) -> tuple[Finding, ...]:
        findings = self.known if subject is self.case.subject else self.effort.evaluate(subject)
        return tuple(f for f in findings if f.blocks and (not self.left_open or stated(f) not in self.left_open))

    def _questions(
        self, subject: Subject, there: tuple[InstalledPlugin, ...], changes: Sequence[Change]
    ) -> Iterator[_Question]:
        was = {plugin.id: plugin for plugin in self.case.subject.installed}
        asked = {subject.manifest.id, *(manifest.id for manifest in subject.together)}
        touched = {change.target for change in changes}
        for change in changes:
            if change.kind in OTHER_VERSIONS:
                manifest = Manifest(id=change.target, version=change.to or "")
                yield _Question(manifest, was.get(change.target), False)
        versions = {change.target for change in changes if change.kind in OTHER_VERSIONS}
        for plugin in there:
            if plugin.id in versions or plugin.id in self.excused or not plugin.enabled:
                continue
            if self.asks and plugin.id in asked:
                continue
            if self._is_concerned(plugin, touched, changes) and self._must_fit(plugin, touched):
                yield _Question(manifest_of(plugin), None, True)

    def _is_concerned(self, plugin: InstalledPlugin, touched: set[str], changes: Sequence[Change]) -> bool:
        """Whether any of the changes can affect a plugin that stays as it is."""
        if self.whole or self.everybody or plugin.id in touched:
            return True
        if any(change.kind in _FOR_ALL for change in changes):
            return True
        together = (manifest.id for manifest in self.case.subject.together)
        near = frozenset((*touched, self.case.plugin, *together) if self.asks else touched)
        return bool(self.case.consumed_by(plugin)) or self._leads_to(near, plugin)

    def _leads_to(self, near: frozenset[str], plugin: InstalledPlugin) -> bool:
        """Whether the plugin makes a statement about one of these ids, itself or, through its needs, by the plugins
        that it names."""
        if self._leading is None or self._leading[0] != near:
            self._leading = (near, self._who_leads_to(near))
        leading = self._leading[1]
        if plugin.id in leading or plugin.id in self.case.others:
            return plugin.id in leading
        return any(id in leading for id in mentioned(plugin, self.case))

    def _who_leads_to(self, near: frozenset[str]) -> frozenset[str]:
        """These ids, and those of the plugins that lead to them: from the end, so that each is looked at once."""
        if not self._mentioning:
            for id, plugin in self.case.others.items():
                for other in mentioned(plugin, self.case):
                    self._mentioning.setdefault(other, []).append(id)
        found, waiting = set(near), list(near)
        while waiting:
            new = [id for id in self._mentioning.get(waiting.pop(), ()) if id not in found]
            found.update(new)
            waiting += new
        return frozenset(found)

    def _must_fit(self, plugin: InstalledPlugin, touched: set[str]) -> bool:
        """A plugin that the plan enables must fit; any other only if it fitted before."""
        if self.whole or (plugin.id in touched):
            return True
        fitted = self._fitted.get(plugin.id)
        if fitted is None:
            there = self.before.installed
            blocking = self.judgements.blocking_one(self.before, there, manifest_of(plugin), None, self.effort)
            fitted = self._fitted[plugin.id] = all(finding.code in NOT_TOLD for finding in blocking)
        return fitted
