"""All sources as one matrix. Each keeps its own rows and index, so a refresh replaces only one source."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import ClassVar, Literal, NamedTuple, TypeVar

from processors.errors import MatrixRefused, VersionInvalid
from processors.events.vocabulary import Dimension, Severity
from processors.matrix.document import (
    DEFAULT_SEVERITIES,
    DEFAULT_WEIGHTS,
    GOVERNANCE,
    STRICTEST_FIRST,
    HostDeclaration,
    MatrixDocument,
    PluginScheme,
    Policy,
    Release,
    Rule,
    Undeclared,
)
from processors.matrix.floors import Floor, Floors
from processors.matrix.index import SourceIndex, matches
from processors.versions import Dialect

_Key = TypeVar("_Key")

_REMEMBERED = 65_536
"""The most look-ups that a matrix caches: the same few plugins and releases are asked for again and again."""


class Source(NamedTuple):
    """The status of a source. Times are milliseconds since the epoch, UTC; `serial` is that of its refresh."""

    name: str
    revision: str
    digest: str
    issued_at: int
    expires_at: int
    serial: int = 0


class Baseline(NamedTuple):
    """A security baseline that a source demands of the plugins on a host."""

    source: Source
    text: str


class _Entry(NamedTuple):
    source: Source
    rows: SourceIndex


@dataclass(frozen=True, eq=False)
class Matrix:
    """Immutable: `add` and `without` return a new matrix and leave this one unchanged.

    An expired source still binds. Callers must also look at `expired` and `missing`, and must not rely on the
    matrix if there are any. `floors` hold the highest serial of each source, including withdrawn ones.
    """

    _entries: Mapping[str, _Entry] = field(default_factory=dict[str, _Entry])
    required: frozenset[str] = frozenset()
    floors: Floors = field(default_factory=dict[str, Floor])

    EMPTY: ClassVar[Matrix]

    @classmethod
    def of(cls, documents: Iterable[tuple[MatrixDocument, int, int]]) -> Matrix:
        """From documents, one for each source, with the instants at which each was issued and expires.

        Raises MatrixRefused if two belong to one source, since the rows of one would be lost; `add` replaces
        explicitly.
        """
        entries: dict[str, _Entry] = {}
        for document, issued, expires in documents:
            if document.source in entries:
                raise MatrixRefused(f"the source `{document.source}` is stated twice; make it one document")
            entries[document.source] = _entry(document, issued, expires)
        return cls(dict(sorted(entries.items())))

    def add(self, document: MatrixDocument, issued_at: int, expires_at: int, floor: Floor | None = None) -> Matrix:
        """With this document instead of whatever its source stated before."""
        entry = _entry(document, issued_at, expires_at, floor.serial if floor else 0)
        floors = {**self.floors, document.source: floor} if floor else self.floors
        return self._with({**self._entries, document.source: entry}, floors)

    def without(self, source: str) -> Matrix:
        return self._with({name: entry for name, entry in self._entries.items() if name != source}, self.floors)

    def withdrawing(self, source: str, floor: Floor) -> Matrix:
        """Without the source, which was withdrawn with this floor."""
        return replace(self.without(source), floors={**self.floors, source: floor})

    def requiring(self, sources: frozenset[str]) -> Matrix:
        """The same, with these sources required."""
        return replace(self, required=sources)

    def _with(self, entries: Mapping[str, _Entry], floors: Floors) -> Matrix:
        return replace(self, _entries=dict(sorted(entries.items())), floors=floors)

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """In the order of their names."""
        return tuple(entry.source for entry in self._entries.values())

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """The required sources that are not there, in the order of their names."""
        return tuple(sorted(self.required - self._entries.keys()))

    @cached_property
    def digest(self) -> str:
        """Identifies the whole basis of an answer: each source with its revision and digest, and what is
        missing."""
        there = (f"{s.name}\n{s.revision}\n{s.digest}\n" for s in self.sources)
        lines = (*there, *(f"{name}\n\n\n" for name in self.missing))
        return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()

    def document(self, source: str) -> MatrixDocument | None:
        """What the source states, unchanged."""
        entry = self._entries.get(source)
        return entry.rows.document if entry else None

    def host(self, name: str) -> HostDeclaration | None:
        return self.hosts.get(name)

    def host_dialect(self, name: str) -> Dialect:
        """The dialect of the versions of a host; npm's if no source states one."""
        declared = self.host(name)
        return Dialect(declared.dialect) if declared else Dialect.NPM

    @cached_property
    def hosts(self) -> Mapping[str, HostDeclaration]:
        """Every host that some source declares.

        Releases and components of all sources are combined. The dialect is governance's, else that of the first
        source by name that declares the host. The baseline is only one of `baselines`.
        """
        declared: dict[str, HostDeclaration] = {}
        for document in self._by_precedence:
            for name, host in document.hosts.items():
                declared[name] = _joined(declared[name], host) if name in declared else host
        return MappingProxyType(dict(sorted(declared.items())))

    def scheme(self, plugin: str) -> Dialect | None:
        """The dialect of a plugin's versions, if a source declares it.

        Governance comes first, then the other sources by name; within one source, the longest matching pattern.
        """
        return self._scheme(plugin) if self._schemes else None

    @cached_property
    def _scheme(self) -> Callable[[str], Dialect | None]:
        return lru_cache(_REMEMBERED)(self._find_scheme)

    @cached_property
    def _schemes(self) -> tuple[PluginScheme, ...]:
        """In order of precedence."""
        by_length = (sorted(d.plugins, key=lambda stated: -len(stated.match)) for d in self._by_precedence)
        return tuple(stated for schemes in by_length for stated in schemes)

    def _find_scheme(self, plugin: str) -> Dialect | None:
        found = (stated.scheme for stated in self._schemes if matches(stated.match, plugin))
        return next(map(Dialect, found), None)

    def baselines(self, host: str) -> Sequence[Baseline]:
        """Every security baseline that a source demands for the host, sources by name. All of them bind."""
        return self._baselines.get(host, ())

    @cached_property
    def _baselines(self) -> Mapping[str, Sequence[Baseline]]:
        stated: dict[str, list[Baseline]] = {}
        for entry in self._entries.values():
            for name, host in entry.rows.document.hosts.items():
                if host.security_baseline:
                    stated.setdefault(name, []).append(Baseline(entry.source, host.security_baseline))
        return MappingProxyType(stated)

    @cached_property
    def undeclared(self) -> Undeclared:
        """The strictest that any source states; the default if none states anything."""
        return Undeclared(self._strictest("host"), self._strictest("runtime"), self._strictest("matrix"))

    @cached_property
    def weights(self) -> Mapping[Dimension, int]:
        """Governance's, else those of the first source by name that states any, merged over the defaults."""
        return _stated(DEFAULT_WEIGHTS, (d.weights for d in self._by_precedence))

    @cached_property
    def severities(self) -> Mapping[Severity, int]:
        """As `weights`."""
        return _stated(DEFAULT_SEVERITIES, (d.severity for d in self._by_precedence))

    def rules(self, host: str, plugin: str) -> Sequence[Rule]:
        """Every rule about the plugin on the host, whatever the versions; sources by name, then rows in order."""
        return self._rules(host, plugin)

    @cached_property
    def _rules(self) -> Callable[[str, str], Sequence[Rule]]:
        return lru_cache(_REMEMBERED)(self._find_rules)

    def _find_rules(self, host: str, plugin: str) -> Sequence[Rule]:
        found = [rules for entry in self._entries.values() if (rules := entry.rows.rules(host, plugin))]
        return found[0] if len(found) == 1 else [rule for rules in found for rule in rules]

    def releases(self, plugin: str) -> Sequence[Release]:
        """Every release of the plugin that a source knows; the same version once per source that lists it."""
        return [release for entry in self._entries.values() for release in entry.rows.releases(plugin)]

    def known_version(self, plugin: str) -> str:
        """The version of some release of the plugin, as an example of how its versions are written; empty if
        none is known."""
        first = (rows[0].version for entry in self._entries.values() if (rows := entry.rows.releases(plugin)))
        return next(first, "")

    def release(self, plugin: str, version: str, dialect: Dialect | None = None) -> Sequence[Release]:
        """The rows of one release. With a dialect, another spelling of the version is the same version."""
        return self._release(plugin, version, dialect)

    @cached_property
    def _release(self) -> Callable[[str, str, Dialect | None], Sequence[Release]]:
        return lru_cache(_REMEMBERED)(self._find_release)

    def _find_release(self, plugin: str, version: str, dialect: Dialect | None) -> Sequence[Release]:
        if dialect is None:
            return [release for release in self.releases(plugin) if release.version == version]
        try:
            found = [rows for index in self._indexes if (rows := index.release(plugin, version, dialect))]
        except VersionInvalid:
            return ()
        return found[0] if len(found) == 1 else [release for rows in found for release in rows]

    def is_needed(self, plugin: str) -> bool:
        """Whether any release that a source knows needs the plugin."""
        return any(plugin in index.needed for index in self._indexes)

    def names_host(self, host: str) -> bool:
        """Whether any source declares the host or has a row about it. True where no source names any host."""
        return host in self.hosts_named or not self.hosts_named

    @cached_property
    def hosts_named(self) -> frozenset[str]:
        """Every host that some source declares or has a row about."""
        return frozenset[str]().union(self.hosts, *(entry.rows.hosts for entry in self._entries.values()))

    def mentions(self, plugin: str) -> bool:
        """Whether any row of any source, on any host, is about the plugin."""
        return any(entry.rows.mentions(plugin) for entry in self._entries.values())

    @cached_property
    def expires_at(self) -> int | None:
        """When the first of its sources expires; None if there is no source."""
        return min((source.expires_at for source in self.sources), default=None)

    def expired(self, now: int) -> tuple[Source, ...]:
        """The expired sources: those whose `expires_at` is `now` or earlier. They must not be relied on."""
        return tuple(source for source in self.sources if source.expires_at <= now)

    def next_change(self, now: int) -> int | None:
        """The first instant after `now` at which a source expires or an override ends; None if there is none.

        Until then, time alone changes no answer of this matrix.
        """
        ends = [end for entry in self._entries.values() for end in entry.rows.override_ends]
        return min((t for t in (*ends, *(s.expires_at for s in self.sources)) if t > now), default=None)

    def next_lifecycle_change(self, now: int) -> int | None:
        """The first instant after `now` at which the lifecycle of any release changes; None if there is none."""
        later = (index.lifecycle_dates[bisect_right(index.lifecycle_dates, now) :][:1] for index in self._indexes)
        return min((date for dates in later for date in dates), default=None)

    @cached_property
    def _indexes(self) -> tuple[SourceIndex, ...]:
        return tuple(entry.rows for entry in self._entries.values())

    @cached_property
    def _by_precedence(self) -> tuple[MatrixDocument, ...]:
        documents = [entry.rows.document for entry in self._entries.values()]
        return tuple(sorted(documents, key=lambda document: document.source != GOVERNANCE))

    def _strictest(self, what: Literal["host", "runtime", "matrix"]) -> Policy:
        stated = {d.undeclared[what] for d in self._by_precedence if what in d.undeclared}
        fallback: Policy = getattr(Undeclared(), what)
        for policy in STRICTEST_FIRST:
            if policy in stated:
                return policy
        return fallback


Matrix.EMPTY = Matrix()


def _entry(document: MatrixDocument, issued_at: int, expires_at: int, serial: int = 0) -> _Entry:
    source = Source(document.source, document.revision, document.digest, issued_at, expires_at, serial)
    return _Entry(source, SourceIndex(document))


def _joined(first: HostDeclaration, second: HostDeclaration) -> HostDeclaration:
    return HostDeclaration(
        first.name,
        first.dialect,
        tuple(dict.fromkeys(first.releases + second.releases)),
        tuple(dict.fromkeys(first.components + second.components)),
        first.security_baseline or second.security_baseline,
    )


def _stated(defaults: Mapping[_Key, int], candidates: Iterable[Mapping[_Key, int]]) -> Mapping[_Key, int]:
    return MappingProxyType({**defaults, **next(filter(None, candidates), dict[_Key, int]())})
