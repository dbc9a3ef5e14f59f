"""Finds mistakes in a matrix: errors, with which it must not be published, and warnings for its author. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations, islice
from typing import Final, NamedTuple

from processors.errors import RangeInvalid, VersionInvalid
from processors.events.vocabulary import Code
from processors.matrix.document import GOVERNANCE, ONLY_HOST, HostDeclaration, MatrixDocument, Release, Rule
from processors.matrix.index import matches
from processors.matrix.weighing import Ranges, is_narrower, read_ranges
from processors.versions import Dialect, Range, hint, parse_range, parse_version, scheme_of

_MOST_COMPARED: Final = 200
"""The most rows of one pattern that are compared with each other: the cost is quadratic."""

_MOST_TOLD: Final = 20
"""The most contradictions that are reported for one pattern: each row may contradict every other."""


_MOST_NOTICES: Final = 1_000
"""The most errors, and the most warnings, that are reported for one matrix: printing all could take minutes."""


class Notice(NamedTuple):
    """A mistake at a place in a matrix. An error means that the guard would block because of it."""

    where: str
    message: str
    is_error: bool = False


def lint(document: MatrixDocument, now: int) -> list[Notice]:
    """Everything that is wrong or suspicious. `now` is milliseconds since the epoch, UTC.

    Limited to the first errors and the first warnings, with the number of the others.
    """
    found = _all(document, now)
    if len(found) <= _MOST_NOTICES:
        return found
    wrong, odd = errors(found)[:_MOST_NOTICES], [n for n in found if not n.is_error][:_MOST_NOTICES]
    left = len(found) - len(wrong) - len(odd)
    return [*wrong, *odd, *([Notice("matrix", f"{left} more notices are not shown")] if left else [])]


def _all(document: MatrixDocument, now: int) -> list[Notice]:
    return [
        *_expiry(document, now),
        *_hosts(document),
        *(notice for rule in document.rules for notice in _rule(document, rule, now)),
        *(notice for release in document.releases for notice in _release(document, release)),
        *_repeated(document.releases),
        *_builds(document),
        *_unreachable(document),
        *_contradictions(document),
    ]


def errors(notices: Iterable[Notice]) -> list[Notice]:
    return [notice for notice in notices if notice.is_error]


def _expiry(document: MatrixDocument, now: int) -> Iterator[Notice]:
    if document.published_at is not None and document.published_at + document.expires_after <= now:
        yield Notice("published_at", "it has expired; set a later time, or leave it out to have it stamped")


def _hosts(document: MatrixDocument) -> Iterator[Notice]:
    for host in document.hosts.values():
        for n, release in enumerate(host.releases):
            where = f"hosts.{host.name}.releases[{n}]"
            yield from _unreadable(where, lambda at=release, d=host.dialect: parse_version(at, Dialect(d)))


def _rule(document: MatrixDocument, rule: Rule, now: int) -> Iterator[Notice]:
    where = f"matrix[{rule.row}]"
    yield from _override(rule, where, now)
    host = document.hosts.get(rule.host)
    if host is None:
        yield Notice(f"{where}.host", f"`{rule.host}` is not among the hosts of this source")
    dialect, own = _dialect(host), _scheme(document, rule.plugin, _dialect(host))
    unreadable = list(_unreadable(where, lambda: read_ranges(rule, dialect, own)))
    yield from unreadable
    if unreadable:
        return
    ranges = read_ranges(rule, dialect, own)
    if ranges.plugins.is_empty() or ranges.hosts.is_empty():
        yield Notice(where, "it can never apply: no version lies between its bounds")
    elif host and host.releases and not _meets_any(ranges.hosts, host.releases, dialect):
        yield Notice(f"{where}.host_range", f"no declared release of `{host.name}` is in `{rule.host_range}`")


def _meets_any(hosts: Range, releases: Iterable[str], dialect: Dialect) -> bool:
    try:
        versions = [parse_version(release, dialect) for release in releases]
    except VersionInvalid:
        return True  # reported for the host itself
    return any(hosts.admits(version) or hosts.excludes_only_as_prerelease(version) for version in versions)


def _builds(document: MatrixDocument) -> Iterator[Notice]:
    """A row about a version without a build covers every build of it, and a range cannot name a build."""
    with_builds: dict[tuple[str, str], int] = {}
    for release in document.releases:
        version, plus, _ = release.version.partition("+")
        if plus:
            with_builds.setdefault((release.plugin, version), release.row)
    for release in document.releases:
        other = with_builds.get((release.plugin, release.version))
        if other is not None:
            message = f"it is about every build of {release.version}, and so binds that of releases[{other}] too"
            yield Notice(f"releases[{release.row}].version", message)
        for n, need in enumerate(release.requires):
            if "+" in need.range:
                message = f"any build satisfies `{need.range}`: ranges do not look at what stands behind a plus"
                yield Notice(f"releases[{release.row}].requires[{n}]", message)


def _unreachable(document: MatrixDocument) -> Iterator[Notice]:
    """A release that runs on no declared release of its host, or that a row blocks by name, can never be
    installed."""
    for release in document.releases:
        for name, range in release.hosts.items():
            host = _host(document, name)
            if host is None or not host.releases or not range.strip():
                continue
            dialect = _dialect(host)
            try:
                hosts = parse_range(range, dialect)
            except RangeInvalid:
                continue  # reported already
            if not _meets_any(hosts, host.releases, dialect):
                message = f"nobody can reach it: no declared release of `{host.name}` is in `{range}`"
                yield Notice(f"releases[{release.row}].host", message)


def _override(rule: Rule, where: str, now: int) -> Iterator[Notice]:
    if rule.overrides is None:
        return
    if rule.source != GOVERNANCE:
        yield Notice(f"{where}.overrides", f"it is ignored: only the source `{GOVERNANCE}` can loosen")
    if rule.overrides.until <= now:
        yield Notice(f"{where}.overrides.until", "the override is past; remove it")
    what = rule.overrides.what
    if what.isupper() and what not in Code.__members__:
        yield Notice(f"{where}.overrides.what", f"`{what}` is no finding code", is_error=True)
    if rule.action == "block":
        yield Notice(f"{where}.action", "a row that overrides others and blocks by itself loosens nothing")


def _release(document: MatrixDocument, release: Release) -> Iterator[Notice]:
    where = f"releases[{release.row}]"
    if "*" in release.plugin:
        yield Notice(f"{where}.plugin", "a release is of one plugin; a `*` belongs into a rule", is_error=True)
    for name, range in release.hosts.items():
        host = _host(document, name)
        if name == ONLY_HOST and host is None:
            message = f"{len(document.hosts)} hosts are declared; write `hosts: {{name: range}}` to say which one"
            yield Notice(f"{where}.host", message, is_error=True)
        elif host is None:
            yield Notice(f"{where}.hosts.{name}", f"`{name}` is not among the hosts of this source")
        yield from _range(f"{where}.host", range, _dialect(host))
    for dialect in dict.fromkeys(_dialect(_host(document, name)) for name in release.hosts or (ONLY_HOST,)):
        own = _scheme(document, release.plugin, dialect)
        yield from _version(f"{where}.version", release.version, own)
        for name, needs in (("requires", release.requires), ("conflicts", release.conflicts)):
            for n, need in enumerate(needs):
                yield from _of_plugin(f"{where}.{name}[{n}]", need.range, _scheme(document, need.id, dialect))
    for name, needs in (("runtime", release.runtimes), ("database", release.databases)):
        for n, need in enumerate(needs):
            yield from _range(f"{where}.{name}[{n}]", need.range, scheme_of(need.id))
    for n, need in enumerate(release.consumes):
        yield from _range(f"{where}.consumes[{n}]", need.range, Dialect.NPM)


def _version(where: str, text: str, dialect: Dialect) -> Iterator[Notice]:
    """A version that only `generic` can read is reported, because no rule of the dialect holds for it."""
    refusals = [*_unreadable(where, lambda: parse_version(text, dialect))]
    if refusals and not [*_unreadable(where, lambda: parse_version(text, Dialect.GENERIC))]:
        message = f"`{text}` is not a version in dialect {dialect}, so it is read as generic; say so in `plugins`"
        yield Notice(where, message)
    else:
        yield from refusals


def _of_plugin(where: str, text: str, dialect: Dialect) -> Iterator[Notice]:
    """A range about a plugin may be one that only `generic` can read."""
    refusals = [*_range(where, text, dialect)]
    if refusals and [*_range(where, text, Dialect.GENERIC)]:
        yield from refusals


def _host(document: MatrixDocument, name: str) -> HostDeclaration | None:
    """The host that a release names; `*` is the only declared one."""
    if name != ONLY_HOST:
        return document.hosts.get(name)
    return next(iter(document.hosts.values())) if len(document.hosts) == 1 else None


def _dialect(host: HostDeclaration | None) -> Dialect:
    return Dialect(host.dialect) if host else Dialect.NPM


def _scheme(document: MatrixDocument, plugin: str, otherwise: Dialect) -> Dialect:
    """The dialect of the versions of a plugin, or of all plugins that match a glob, as this source declares it."""
    stated = (s for s in sorted(document.plugins, key=lambda s: -len(s.match)) if matches(s.match, plugin))
    return next((Dialect(s.scheme) for s in stated), otherwise)


def _range(where: str, text: str, dialect: Dialect) -> Iterator[Notice]:
    try:
        if text.strip() and parse_range(text, dialect).is_empty():
            yield Notice(where, f"no version can satisfy `{text}`", is_error=True)
    except RangeInvalid as error:
        told = "; ".join(filter(None, (str(error), hint(text, dialect))))
        yield Notice(where, told, is_error=True)


def _unreadable(where: str, read: Callable[[], object]) -> Iterator[Notice]:
    try:
        read()
    except (VersionInvalid, RangeInvalid) as error:
        yield Notice(where, str(error), is_error=True)


def _repeated(releases: Iterable[Release]) -> Iterator[Notice]:
    seen: dict[tuple[str, str], int] = {}
    for release in releases:
        first = seen.setdefault((release.plugin, release.version), release.row)
        if first != release.row:
            yield Notice(f"releases[{release.row}]", f"the same release stands in releases[{first}]; both bind")


def _contradictions(document: MatrixDocument) -> Iterator[Notice]:
    """Rows of one pattern that overlap and disagree, and neither of which is narrower: the stricter one wins.

    Only the first few pairs of one pattern; fixing them shows the next.
    """
    groups: dict[tuple[str, str], list[Rule]] = {}
    for rule in document.rules:
        groups.setdefault((rule.host, rule.plugin), []).append(rule)
    for (name, plugin), rules in groups.items():
        if 1 < len(rules) <= _MOST_COMPARED:
            dialect = _dialect(document.hosts.get(name))
            yield from islice(_disagreeing(rules, dialect, _scheme(document, plugin, dialect)), _MOST_TOLD)


def _disagreeing(rules: list[Rule], dialect: Dialect, own: Dialect) -> Iterator[Notice]:
    readable = [(rule, ranges) for rule in rules if (ranges := _ranges_of(rule, dialect, own))]
    for (one, ours), (other, theirs) in combinations(readable, 2):
        if one.action == other.action or not _overlap(ours.plugins, theirs.plugins):
            continue
        if _overlap(ours.hosts, theirs.hosts) and not (is_narrower(ours, theirs) or is_narrower(theirs, ours)):
            message = (
                f"it overlaps matrix[{one.row}], which says {one.action}; where both apply, the stricter one wins"
            )
            yield Notice(f"matrix[{other.row}]", message)


def _overlap(one: Range, other: Range) -> bool:
    """Whether any position in the order lies in both ranges."""
    ours, theirs = [*reversed(one.intervals)], [*reversed(other.intervals)]
    while ours and theirs:
        if ours[-1].upper[:2] <= theirs[-1].lower[:2]:
            ours.pop()
        elif theirs[-1].upper[:2] <= ours[-1].lower[:2]:
            theirs.pop()
        else:
            return True
    return False


def _ranges_of(rule: Rule, dialect: Dialect, own: Dialect) -> Ranges | None:
    try:
        return read_ranges(rule, dialect, own)
    except (VersionInvalid, RangeInvalid):
        return None
