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
from processors.matrix.authority import Authority
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
from processors.trust.scope import Scope
from processors.versions import Dialect

_Key = TypeVar("_Key")

_REMEMBERED = 65_536
"""The most look-ups that a matrix caches: the same few plugins and releases are asked for again and again."""

_VIEWS = 64
"""The most hosts with a scope of their own for which a matrix is kept."""


class Source(NamedTuple):
    """The status of a source. Times are milliseconds since the epoch, UTC; `serial` is that of its refresh."""

    name: str
    revision: str
    digest: str
    issued_at: int
    expires_at: int
    serial: int = 0


class Limit(NamedTuple):
    """The stated scope of a source: patterns of plugins, and hosts in the order of their names."""

    source: str
    plugins: tuple[str, ...]
    hosts: tuple[str, ...]


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
    matrix if there are any. `floors` hold the highest serial of each source, including withdrawn ones. `scopes`
    say what sources speak for, where that is stated: see `processors.matrix.authority`.
    """

    _entries: Mapping[str, _Entry] = field(default_factory=dict[str, _Entry])
    required: frozenset[str] = frozenset()
    floors: Floors = field(default_factory=dict[str, Floor])
    scopes: Mapping[str, Scope] = field(default_factory=dict[str, Scope])
    _host: str = ""

    EMPTY: ClassVar[Matrix]

    @classmethod
    def of(
        cls, documents: Iterable[tuple[MatrixDocument, int, int]], scopes: Mapping[str, Scope] | None = None
    ) -> Matrix:
        """From documents, one for each source, with the instants at which each was issued and expires.

        Raises MatrixRefused if two belong to one source, since the rows of one would be lost; `add` replaces
        explicitly.
        """
        entries: dict[str, _Entry] = {}
        for document, issued, expires in documents:
            if document.source in entries:
                raise MatrixRefused(f"the source `{document.source}` is stated twice; make it one document")
            entries[document.source] = _entry(document, issued, expires)
        return cls(dict(sorted(entries.items())), scopes=scopes or {})

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

    def under(self, required: frozenset[str], scopes: Mapping[str, Scope]) -> Matrix:
        """The same, with these sources required, and these scopes of sources."""
        return replace(self, required=required, scopes=scopes)

    def on(self, host: str) -> Matrix:
        """The same, for questions about one host: a source that speaks for it speaks for every plugin there."""
        if host == self._host or not self.scopes:
            return self
        return self._views(host if any(host in scope.hosts for scope in self.scopes.values()) else "")

    @cached_property
    def _views(self) -> Callable[[str], Matrix]:
        return lru_cache(_VIEWS)(self._viewed)

    def _viewed(self, host: str) -> Matrix:
        return self if host == self._host else replace(self, _host=host)

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
        """Identifies the whole basis of an answer: each source with its revision, digest and stated scope, and
        what is missing."""
        there = (f"{s.name}\n{s.revision}\n{s.digest}\n" for s in self.sources)
        limits = (f"{name}\n{plugins}\n{hosts}\n" for name, plugins, hosts in self.limits)
        lines = (*there, *(f"{name}\n\n\n" for name in self.missing), *limits)
        return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()

    @cached_property
    def limits(self) -> tuple[Limit, ...]:
        """The stated scopes of its sources, each with its patterns and its hosts, in the order of their names."""
        stated = ((name, self.scopes[name]) for name in self._entries if name in self.scopes)
        return tuple(Limit(name, scope.plugins, tuple(sorted(scope.hosts))) for name, scope in stated)

    @cached_property
    def authority(self) -> Authority:
        """Which of its sources speak for what."""
        return Authority(self._entries.keys() | self.required, self.scopes, self._host)

    def trusted(self, releases: Sequence[Release]) -> Sequence[Release]:
        """Of these, the releases whose source speaks for their plugin: others only tighten."""
        speaks_for = self.authority.speaks_for
        return [r for r in releases if speaks_for(r.source, r.plugin)] if self.authority.is_shared else releases

    def only_tightening(self, plugin: str) -> Sequence[str]:
        """The sources that list releases of the plugin and do not speak for it."""
        if not self.authority.is_shared:
            return ()
        speaks_for = self.authority.speaks_for
        return [n for n, e in self._entries.items() if e.rows.releases(plugin) and not speaks_for(n, plugin)]

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
        """Every host that some source declares which speaks for it.

        Releases and components of all of them are combined. The dialect is governance's, else that of the first
        source by name that declares the host. The baseline is only one of `baselines`.
        """
        declared: dict[str, HostDeclaration] = {}
        for document in self._by_precedence:
            for name, host in document.hosts.items():
                if self.authority.declares(document.source, name):
                    declared[name] = _joined(declared[name], host) if name in declared else host
        return MappingProxyType(dict(sorted(declared.items())))

    @cached_property
    def hosts_of_anybody(self) -> frozenset[str]:
        """Every host that some source declares, whether or not it speaks for it."""
        return frozenset[str]().union(*(document.hosts for document in self._by_precedence))

    def scheme(self, plugin: str) -> Dialect | None:
        """The dialect of a plugin's versions, if a source that speaks for the plugin declares it.

        Governance comes first, then the other sources by name; within one source, the longest matching pattern.
        """
        return self._scheme(plugin) if self._schemes else None

    @cached_property
    def _scheme(self) -> Callable[[str], Dialect | None]:
        return lru_cache(_REMEMBERED)(self._find_scheme)

    @cached_property
    def _schemes(self) -> tuple[tuple[str, PluginScheme], ...]:
        """In order of precedence, each with its source."""
        by_length = ((d.source, sorted(d.plugins, key=_shortest_last)) for d in self._by_precedence)
        return tuple((source, stated) for source, schemes in by_length for stated in schemes)

    def _find_scheme(self, plugin: str) -> Dialect | None:
        speaks_for = self.authority.speaks_for
        found = (
            stated.scheme
            for source, stated in self._schemes
            if matches(stated.match, plugin) and speaks_for(source, plugin)
        )
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
        """The strictest that any source states; the default where none that speaks for everything states
        anything, unless another is stricter."""
        return Undeclared(self._strictest("host"), self._strictest("runtime"), self._strictest("matrix"))

    @cached_property
    def weights(self) -> Mapping[Dimension, int]:
        """Governance's, else those of the first source by name that states any, merged over the defaults. Only
        sources count that speak for everything, or for this host."""
        return _stated(DEFAULT_WEIGHTS, (d.weights for d in self._leading))

    @cached_property
    def severities(self) -> Mapping[Severity, int]:
        """As `weights`."""
        return _stated(DEFAULT_SEVERITIES, (d.severity for d in self._leading))

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
        no source that speaks for the plugin knows any."""
        speaks_for = self.authority.speaks_for
        stated = (e.rows.releases(plugin) for n, e in self._entries.items() if speaks_for(n, plugin))
        return next((rows[0].version for rows in stated if rows), "")

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
        """Whether a source that speaks for the host declares it or has a row about it. True where no source names
        any host."""
        return host in self.hosts_named or not self._names_of_anybody

    @cached_property
    def hosts_named(self) -> frozenset[str]:
        """Every host that some source declares or has a row about, and speaks for."""
        declares = self.authority.declares
        rows = (host for n, e in self._entries.items() for host in e.rows.hosts if declares(n, host))
        return frozenset(self.hosts).union(rows)

    @cached_property
    def _names_of_anybody(self) -> frozenset[str]:
        return self.hosts_of_anybody.union(*(entry.rows.hosts for entry in self._entries.values()))

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

    @cached_property
    def _leading(self) -> tuple[MatrixDocument, ...]:
        return tuple(d for d in self._by_precedence if d.source in self.authority.leading)

    def _strictest(self, what: Literal["host", "runtime", "matrix"]) -> Policy:
        fallback: Policy = getattr(Undeclared(), what)
        stated = {d.undeclared[what] for d in self._leading if what in d.undeclared} or {fallback}
        stated |= {d.undeclared[what] for d in self._by_precedence if what in d.undeclared}
        return next(policy for policy in STRICTEST_FIRST if policy in stated)


Matrix.EMPTY = Matrix()


def _entry(document: MatrixDocument, issued_at: int, expires_at: int, serial: int = 0) -> _Entry:
    source = Source(document.source, document.revision, document.digest, issued_at, expires_at, serial)
    return _Entry(source, SourceIndex(document))


def _shortest_last(stated: PluginScheme) -> int:
    return -len(stated.match)


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
