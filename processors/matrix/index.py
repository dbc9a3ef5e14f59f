"""Finds the rows that may concern a plugin, at a cost that does not grow with the matrix.

A glob is indexed by the text before its first `*` and the text after its last one. A plugin id has as many prefixes
and suffixes as it has characters, so looking all of them up costs the same in any matrix. Only globs that share
both and differ in the middle are tried one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from processors.errors import VersionInvalid
from processors.events.subject import NO_LIFECYCLE
from processors.matrix.document import ONLY_HOST, MatrixDocument, Release, Rule
from processors.matrix.identity import is_about
from processors.versions import Dialect, Version, parse_version


def matches(pattern: str, plugin: str) -> bool:
    """Whether the whole id matches the pattern, in which `*` stands for any number of characters."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == plugin
    *middle, last = rest
    if len(plugin) < len(first) + len(last) or not (plugin.startswith(first) and plugin.endswith(last)):
        return False
    at, end = len(first), len(plugin) - len(last)
    for piece in middle:
        found = plugin.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


class _Globs:
    """The rules of one host whose pattern has a `*`."""

    __slots__ = ("_by_ends", "_heads", "_tails")

    def __init__(self) -> None:
        self._by_ends: dict[str, dict[str, list[Rule]]] = {}
        self._heads: set[int] = set()
        self._tails: set[int] = set()

    def add(self, rule: Rule) -> None:
        pattern = rule.plugin
        head, tail = pattern[: pattern.index("*")], pattern[pattern.rindex("*") + 1 :]
        self._by_ends.setdefault(head, {}).setdefault(tail, []).append(rule)
        self._heads.add(len(head))
        self._tails.add(len(tail))

    def matching(self, plugin: str) -> Iterator[Rule]:
        size = len(plugin)
        for head in self._heads:
            by_tail = self._by_ends.get(plugin[:head]) if head <= size else None
            if by_tail is None:
                continue
            for tail in self._tails:
                for rule in by_tail.get(plugin[size - tail :], ()) if head + tail <= size else ():
                    if matches(rule.plugin, plugin):
                        yield rule


class SourceIndex:
    """The rows of one source by what they are about. Built once for each refresh, and then only read."""

    __slots__ = (
        "_by_version",
        "_exact",
        "_globs",
        "_releases",
        "document",
        "hosts",
        "lifecycle_dates",
        "needed",
        "override_ends",
    )

    def __init__(self, document: MatrixDocument) -> None:
        self.document = document
        self._exact: dict[str, dict[str, list[Rule]]] = {}
        self._globs: dict[str, _Globs] = {}
        self._releases: dict[str, list[Release]] = {}
        self._by_version: dict[tuple[str, Dialect], dict[Version, list[Release]]] = {}
        for rule in document.rules:
            self._file(rule)
        for release in document.releases:
            self._releases.setdefault(release.plugin, []).append(release)
        self.needed = frozenset(need.id for release in document.releases for need in release.requires)
        self.hosts = frozenset(self._exact) | frozenset(self._globs) | _named(document.releases)
        self.lifecycle_dates = tuple(sorted(_dates(document.releases)))
        self.override_ends = tuple(sorted({rule.overrides.until for rule in document.rules if rule.overrides}))

    def rules(self, host: str, plugin: str) -> Sequence[Rule]:
        """Every rule about this plugin on this host, whatever the versions, in the order of its rows."""
        exact = self._exact.get(host, _NOTHING).get(plugin, ())
        globs = self._globs.get(host)
        found = [*globs.matching(plugin)] if globs else []
        return sorted([*exact, *found], key=_row) if found else exact

    def releases(self, plugin: str) -> Sequence[Release]:
        return self._releases.get(plugin, ())

    def release(self, plugin: str, version: str, dialect: Dialect) -> Sequence[Release]:
        """The rows about one release, however its version is spelled, without those of another build.

        A plugin's rows are parsed at the first question about it. Raises VersionInvalid.
        """
        if plugin not in self._releases:
            return ()
        at = (plugin, dialect)
        by_version = self._by_version.get(at)
        if by_version is None:
            by_version = self._by_version[at] = _by_version(self._releases[plugin], dialect)
        asked = parse_version(version, dialect)
        rows = by_version.get(asked, ())
        if not any("+" in row.version for row in rows):
            return rows
        return [row for row in rows if is_about(parse_version(row.version, dialect), asked)]

    def mentions(self, plugin: str) -> bool:
        """Whether any row, on any host, is about the plugin."""
        if plugin in self._releases or any(plugin in exact for exact in self._exact.values()):
            return True
        return any(next(globs.matching(plugin), None) for globs in self._globs.values())

    def _file(self, rule: Rule) -> None:
        if "*" in rule.plugin:
            self._globs.setdefault(rule.host, _Globs()).add(rule)
            return
        exact = self._exact.setdefault(rule.host, {})
        found = exact.get(rule.plugin)
        if found is None:
            exact[rule.plugin] = [rule]
        else:
            found.append(rule)


_NOTHING: dict[str, list[Rule]] = {}


def _named(releases: Sequence[Release]) -> frozenset[str]:
    """The hosts that releases name; `*` names none."""
    kinds = {id(release.hosts): release.hosts for release in releases}
    return frozenset(host for hosts in kinds.values() for host in hosts) - {ONLY_HOST}


def _dates(releases: Sequence[Release]) -> set[int]:
    """The instants at which the lifecycle of some release changes."""
    dated = (release.lifecycle for release in releases if release.lifecycle is not NO_LIFECYCLE)
    return {date for stated in dated for date in (stated.effective_date, stated.sunset_at) if date is not None}


def _by_version(releases: Sequence[Release], dialect: Dialect) -> dict[Version, list[Release]]:
    """A version that the dialect cannot read is left out: nobody can ask about it."""
    read: dict[Version, list[Release]] = {}
    for release in releases:
        try:
            read.setdefault(parse_version(release.version, dialect), []).append(release)
        except VersionInvalid:
            continue
    return read


def _row(rule: Rule) -> int:
    return rule.row
