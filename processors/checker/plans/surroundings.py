"""The part of an installation that can affect the answer about one plugin.

Most installed plugins make no difference to whether one plugin fits. Without them a question costs less, and
installations that differ only in them share one answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from processors.checker.case import Case, default_dialect_of
from processors.checker.plans.answer_cache import AnswerCache
from processors.checker.plans.effort import Effort
from processors.checker.relations import Relations, named_through, relations_of
from processors.checker.together import installed_as
from processors.events.report import Finding
from processors.events.subject import Host, InstalledPlugin, Manifest, Provision, Subject
from processors.versions import Dialect

_LOOKED_UP: Final = 10
"""The effort of looking up a known answer."""

_Key: TypeAlias = tuple[InstalledPlugin, Host, tuple[Provision, ...], frozenset[InstalledPlugin]]

_Said: TypeAlias = tuple[InstalledPlugin, Dialect, tuple[str, ...]]


@dataclass(slots=True)
class _Index:
    """Relations between the plugins of one installation, by id."""

    there: Sequence[InstalledPlugin]
    default_dialect: Dialect
    ties: dict[str, Relations]
    places: dict[str, list[int]]
    mentioning: dict[str, list[str]]
    offering: list[str]


@dataclass(slots=True)
class Judgements:
    """What blocks single plugins. Each is asked about only once, with only its surroundings installed.

    `case` is the original question. Two installations with equal surroundings share an answer. What other searches
    have asked `before` is not asked again.
    """

    case: Case
    before: AnswerCache | None = None
    _known: dict[_Key, tuple[Finding, ...]] = field(default_factory=dict[_Key, "tuple[Finding, ...]"])
    _ties: dict[_Said, Relations] = field(default_factory=dict["_Said", Relations])
    _absent: dict[str, frozenset[str] | None] = field(default_factory=dict[str, "frozenset[str] | None"])
    _indexes: tuple[_Index, ...] = ()
    """A search asks alternately about an installation before a change and after it, read in two dialects."""

    def blocking(self, question: Subject, there: Sequence[InstalledPlugin], effort: Effort) -> tuple[Finding, ...]:
        """What blocks the requested plugin. `there` is the installation, the same for all its questions.

        Raises Exhausted.
        """
        return self._known_or_asked(self.around(question, there), effort)

    def blocking_one(
        self,
        subject: Subject,
        there: Sequence[InstalledPlugin],
        manifest: Manifest,
        before: InstalledPlugin | None,
        effort: Effort,
    ) -> tuple[Finding, ...]:
        """As `blocking`, for the question that `asking` makes of these, which is never written out: there may be as
        many as plugins. The manifest replaces nothing."""
        leaving = () if before is None else (before,)
        kept, index = self._kept(manifest, leaving, there)
        places = sorted(at for id in kept - {manifest.id} for at in index.places.get(id, ()))
        installed = (*(there[at] for at in places), *leaving)
        small = replace(subject, manifest=manifest, installed=installed, previous_version=None, together=())
        return self._known_or_asked(small, effort)

    def _known_or_asked(self, small: Subject, effort: Effort) -> tuple[Finding, ...]:
        key = (installed_as(small.manifest), small.host, small.runtimes, frozenset(small.installed))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = effort.blocking(small, self.before)
        else:
            effort.spend(_LOOKED_UP)
        return known

    def around(self, question: Subject, there: Sequence[InstalledPlugin]) -> Subject:
        """The same question with as few installed plugins as have the same answer.

        A plugin that is left out offers nothing, no remaining plugin needs it or names it as a conflict, and it
        makes no statement about the plugin, about what the plugin needs, or about what goes with the previous
        version and the replaced plugins.
        """
        gone = {question.manifest.id, *question.manifest.replaces}
        leaving = tuple(plugin for plugin in question.installed if plugin.id in gone)
        kept, _ = self._kept(question.manifest, leaving, there)
        return replace(question, installed=tuple(plugin for plugin in question.installed if plugin.id in kept))

    def _kept(
        self, manifest: Manifest, leaving: Sequence[InstalledPlugin], there: Sequence[InstalledPlugin]
    ) -> tuple[set[str], _Index]:
        """The ids that are not left out. `leaving` is what goes with the request."""
        default_dialect = default_dialect_of(manifest, self.case.dialect)
        index = self._indexed(there, default_dialect)
        before = tuple(plugin.version for plugin in leaving if plugin.id == manifest.id)
        asked = self._of(installed_as(manifest), default_dialect, before)
        closure = self._closure((*asked.needs, *index.offering), index)
        kept = set(closure) | asked.mentions
        for id in closure:
            kept |= index.ties[id].mentions
        gone = {manifest.id, *manifest.replaces}
        kept |= gone
        lost = {offer for plugin in leaving for offer in self._of(plugin, default_dialect).offers}
        speaking = {id for mentioned in (*closure, *gone, *lost) for id in index.mentioning.get(mentioned, ())}
        for id in speaking:
            kept |= index.ties[id].mentions
        kept |= speaking
        return kept, index

    def _closure(self, needed: Iterable[str], index: _Index) -> set[str]:
        found: set[str] = set()
        absent: set[str] = set()
        waiting = list(needed)
        while waiting:
            id = waiting.pop()
            if id in found or id in absent:
                continue
            if id in index.ties:
                found.add(id)
                waiting += index.ties[id].needs
            elif (named := self._named_by_absent(id)) is not None:
                there = named & index.ties.keys()
                waiting += there
                absent |= named - there
            else:
                return set(index.ties)
        return found

    def _named_by_absent(self, id: str) -> frozenset[str] | None:
        """The ids that the catalogue names, transitively, for a plugin that is not installed; None if there are too
        many.

        An id that was reached this way is not followed again: everything that it names is included already.
        """
        if id not in self._absent:
            named = named_through((id,), self.case.matrix)
            for one in named or (id,):
                self._absent.setdefault(one, named)
        return self._absent[id]

    def _indexed(self, there: Sequence[InstalledPlugin], default_dialect: Dialect) -> _Index:
        for index in self._indexes:
            if index.there is there and index.default_dialect is default_dialect:
                return index
        ties = {plugin.id: self._of(plugin, default_dialect) for plugin in there}
        mentioning: dict[str, list[str]] = {}
        for id, said in ties.items():
            for mentioned in said.mentions:
                mentioning.setdefault(mentioned, []).append(id)
        places: dict[str, list[int]] = {}
        for at, plugin in enumerate(there):
            places.setdefault(plugin.id, []).append(at)
        offering = [id for id, said in ties.items() if said.offers]
        new = _Index(there, default_dialect, ties, places, mentioning, offering)
        self._indexes = (new, *self._indexes[:3])
        return new

    def _of(self, plugin: InstalledPlugin, default_dialect: Dialect, before: tuple[str, ...] = ()) -> Relations:
        """`before` are installed versions of the same plugin: they help decide how its versions are read."""
        known = self._ties.get((plugin, default_dialect, before))
        if known is None:
            known = self._ties[plugin, default_dialect, before] = relations_of(
                plugin, self.case.matrix, default_dialect, before
            )
        return known
