"""Which rows decide about a plugin version on a host version.

Within a source: the most specific plugin pattern, then the narrowest range, then block before warn before allow. A
range is narrower than another only if it lies inside it; of two that merely overlap, the stricter row decides.
Across sources: each one's deciding row binds, and the strictest wins; only governance can loosen, by a row that
says what, why and until when.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain, groupby
from operator import attrgetter
from typing import Final, NamedTuple

from processors.errors import RangeInvalid, VersionInvalid
from processors.events.report import RowWeighed
from processors.matrix.document import GOVERNANCE, Override, Rule, strictness
from processors.matrix.identity import is_about
from processors.matrix.merged import Matrix
from processors.versions import Dialect, Range, Version, between, parse_range, parse_version

MOST_ROWS: Final = 50
"""The most rows that a weighing shows; it counts them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """What the matrix says of one plugin version on one host version.

    `decisive` holds at most one row for each source, sources by name, without rows that governance overrides.
    `rows` shows the first rows that apply, decisive ones first and loosening ones next; `count` counts all of them.
    `listed` says whether a source that speaks for the plugin has a row that applies, or lists this release.
    `broken` holds the rows with an unreadable version or range: whether they apply is unknown, so each of them is a
    block.
    """

    decisive: tuple[Rule, ...] = ()
    rows: tuple[RowWeighed, ...] = ()
    count: int = 0
    listed: bool = False
    overrides: tuple[tuple[Rule, Override], ...] = ()
    broken: tuple[tuple[Rule, RangeInvalid | VersionInvalid], ...] = ()

    @property
    def action(self) -> str:
        """The strictest action that binds: allow if there is none, block if a row is broken."""
        if self.broken:
            return "block"
        return max((rule.action for rule in self.decisive), key=strictness, default="allow")

    def override_of(self, *names: str) -> tuple[Rule, Override] | None:
        """The governance row that loosens a finding code, a source or `source#row`, if one is in force."""
        return next((pair for pair in self.overrides if pair[1].what in names), None)


def weigh(
    matrix: Matrix,
    host: str,
    host_version: str,
    dialect: str,
    plugin: str,
    version: str,
    now: int,
    plugin_dialect: str = "",
) -> Weighing:
    """Pure; `now` only decides whether an override has ended. Raises VersionInvalid for the two versions asked
    about.

    `dialect` is the host's; the plugin's versions are read in it too, unless they have a dialect of their own.

    A row that blocks or warns covers every version between its ends, pre-releases included; a row that allows
    covers only those that the dialect admits. So a pre-release never escapes a block, and never passes by an allow.
    """
    known = Dialect(plugin_dialect or dialect)
    question = _Question(parse_version(host_version, Dialect(dialect)), parse_version(version, known))
    candidates = matrix.rules(host, plugin)
    applying, broken = _applying(candidates, question)
    overrides = _in_force([row for row in applying if row.rule.source == GOVERNANCE], now)
    loosened = {override.what for _, override in overrides}
    binding = [row for row in applying if not _is_loosened(row.rule, loosened)]
    decisive = tuple(_decisive(list(rows)).rule for _, rows in groupby(binding, key=_source))
    return Weighing(
        decisive=decisive,
        rows=_shown(applying, decisive, overrides, now),
        count=len(applying),
        listed=_has_row(matrix, plugin, applying, broken)
        or bool(matrix.trusted(matrix.release(plugin, version, known))),
        overrides=overrides,
        broken=broken,
    )


def _has_row(
    matrix: Matrix,
    plugin: str,
    applying: Iterable[_Applying],
    broken: Iterable[tuple[Rule, RangeInvalid | VersionInvalid]],
) -> bool:
    """Whether one of these rows is of a source that speaks for the plugin."""
    rules = chain((row.rule for row in applying), (rule for rule, _ in broken))
    return any(matrix.authority.speaks_for(rule.source, plugin) for rule in rules)


class _Question(NamedTuple):
    host: Version
    plugin: Version


class Ranges(NamedTuple):
    """The plugin and host versions that a rule is about."""

    plugins: Range
    hosts: Range


class _Applying(NamedTuple):
    """A rule that is about the versions in question."""

    rule: Rule
    ranges: Ranges


def _source(row: _Applying) -> str:
    return row.rule.source


def _applying(
    rules: Sequence[Rule], question: _Question
) -> tuple[list[_Applying], tuple[tuple[Rule, RangeInvalid | VersionInvalid], ...]]:
    applying: list[_Applying] = []
    broken: list[tuple[Rule, RangeInvalid | VersionInvalid]] = []
    for rule in rules:
        try:
            ranges = read_ranges(rule, question.host.dialect, question.plugin.dialect)
        except (RangeInvalid, VersionInvalid) as error:
            broken.append((rule, error))
            continue
        about_plugin = _is_about(rule, ranges.plugins, question.plugin) and not _is_of_another_build(rule, question)
        if about_plugin and _is_about(rule, ranges.hosts, question.host):
            applying.append(_Applying(rule, ranges))
    return applying, tuple(broken)


def read_ranges(rule: Rule, dialect: Dialect, plugin_dialect: Dialect) -> Ranges:
    """Raises VersionInvalid for a bound, RangeInvalid for the host range, that its dialect cannot read."""
    return _ranges(rule.min_version, rule.max_version, rule.host_range, dialect, plugin_dialect)


@lru_cache(32_768)
def _ranges(
    min_version: str | None, max_version: str | None, host_range: str, dialect: Dialect, plugin_dialect: Dialect
) -> Ranges:
    """Cached: rows share few pairs of ranges, and the same rows are weighed for every request."""
    hosts = parse_range(host_range, dialect) if host_range else between(None, None, dialect)
    return Ranges(between(min_version, max_version, plugin_dialect), hosts)


def _is_about(rule: Rule, range: Range, version: Version) -> bool:
    return range.admits(version) or (rule.action != "allow" and range.excludes_only_as_prerelease(version))


def _is_of_another_build(rule: Rule, question: _Question) -> bool:
    """A bound that names a build of the requested version is about that build alone."""
    for bound in (rule.min_version, rule.max_version):
        if bound and "+" in bound:
            stated = parse_version(bound, question.plugin.dialect)
            if stated == question.plugin and not is_about(stated, question.plugin):
                return True
    return False


def _decisive(rows: Sequence[_Applying]) -> _Applying:
    """The row that decides for its source, whatever the order of the rows."""
    if len(rows) == 1:
        return rows[0]
    best = max(_specificity(row.rule.plugin) for row in rows)
    specific = [row for row in rows if _specificity(row.rule.plugin) == best]
    return _innermost(sorted(specific, key=lambda row: (-strictness(row.rule.action), row.rule.row)))


def _innermost(rows: Sequence[_Applying]) -> _Applying:
    """The first row that contains no other. There is one, because "is narrower" has no cycles."""
    if len(rows) == 1:
        return rows[0]
    others = sorted((row.ranges for row in rows), key=_upper)
    others.sort(key=_lower, reverse=True)  # what lies far inside comes first, so that it is found at once
    for row in rows[:-1]:
        inner = next((n for n, other in enumerate(others) if is_narrower(other, row.ranges)), None)
        if inner is None:
            return row
        others.insert(0, others.pop(inner))  # what lies within one row usually lies within the next one too
    return rows[-1]


def _lower(ranges: Ranges) -> tuple[object, object]:
    return ranges.plugins.intervals[0].lower[:2], ranges.hosts.intervals[0].lower[:2]


def _upper(ranges: Ranges) -> tuple[object, object]:
    return ranges.plugins.intervals[-1].upper[:2], ranges.hosts.intervals[-1].upper[:2]


def _specificity(pattern: str) -> tuple[bool, int]:
    """A whole id before any glob, then the glob with more literal text."""
    return "*" not in pattern, len(pattern) - pattern.count("*")


def is_narrower(one: Ranges, other: Ranges) -> bool:
    """Inside both in plugin versions and in host versions, and strictly smaller in one of them."""
    inside = _within(one.plugins, other.plugins) and _within(one.hosts, other.hosts)
    return inside and not (_within(other.plugins, one.plugins) and _within(other.hosts, one.hosts))


def _within(inner: Range, outer: Range) -> bool:
    """In order alone: each interval of `inner` lies in one of `outer`."""
    waiting = [(big.lower[:2], big.upper[:2]) for big in reversed(outer.intervals)]
    if not waiting:
        return not inner.intervals
    reach = waiting[-1][0]
    for small in inner.intervals:
        while waiting and waiting[-1][0] <= small.lower[:2]:
            reach = max(reach, waiting.pop()[1])
        if reach < small.upper[:2]:
            return False
    return True


def _in_force(governance: Sequence[_Applying], now: int) -> tuple[tuple[Rule, Override], ...]:
    """Governance's overrides that have not ended, unless governance's own deciding row is stricter than they
    are."""
    if not any(row.rule.overrides for row in governance):
        return ()
    floor = strictness(_decisive(governance).rule.action)
    return tuple(
        (rule, rule.overrides)
        for rule in map(attrgetter("rule"), governance)
        if rule.overrides and now < rule.overrides.until and strictness(rule.action) >= floor
    )


def _is_loosened(rule: Rule, loosened: Iterable[str]) -> bool:
    return rule.source != GOVERNANCE and (rule.source in loosened or f"{rule.source}#{rule.row}" in loosened)


def _shown(
    applying: Sequence[_Applying],
    decisive: Sequence[Rule],
    overrides: Sequence[tuple[Rule, Override]],
    now: int,
) -> tuple[RowWeighed, ...]:
    deciding = {(rule.source, rule.row) for rule in decisive}
    loosened = {override.what: rule for rule, override in overrides}
    loosening = {(rule.source, rule.row) for rule, _ in overrides}
    ordered = sorted(
        (row.rule for row in applying),
        key=lambda rule: ((rule.source, rule.row) not in deciding, (rule.source, rule.row) not in loosening),
    )
    return tuple(
        RowWeighed(
            source=rule.source,
            revision=rule.revision,
            row=rule.row,
            says=said(rule),
            action=rule.action,
            decisive=(rule.source, rule.row) in deciding,
            why=_why(rule, (rule.source, rule.row) in deciding, loosened, loosening, now),
        )
        for rule in ordered[:MOST_ROWS]
    )


def said(rule: Rule) -> str:
    """The row in a few words: what it is about."""
    ends = (
        f">={rule.min_version}" if rule.min_version else "",
        f"<={rule.max_version}" if rule.max_version else "",
    )
    versions = " ".join(filter(None, ends)) or "any version"
    return f"{rule.plugin} {versions} on {rule.host} {rule.host_range or 'any version'}"


def _why(
    rule: Rule, decisive: bool, loosened: Mapping[str, Rule], loosening: Collection[tuple[str, int]], now: int
) -> str:
    in_force = (rule.source, rule.row) in loosening
    reasons = [_status(rule, decisive, loosened), _own_override(rule, in_force, now), rule.notes]
    return "; ".join(filter(None, reasons))


def _status(rule: Rule, decisive: bool, loosened: Mapping[str, Rule]) -> str:
    by = loosened.get(f"{rule.source}#{rule.row}") or loosened.get(rule.source)
    if by is not None and rule.source != GOVERNANCE:
        return f"overridden by {GOVERNANCE} matrix[{by.row}]"
    return "" if decisive else f"another row of {rule.source} is more specific or stricter"


def _own_override(rule: Rule, in_force: bool, now: int) -> str:
    if rule.overrides is None:
        return ""
    if rule.source != GOVERNANCE:
        return f"its override of {rule.overrides.what} is ignored, because only {GOVERNANCE} can loosen"
    if now >= rule.overrides.until:
        return f"its override of {rule.overrides.what} is past"
    if not in_force:
        return f"its override of {rule.overrides.what} is ignored, because a stricter row of {GOVERNANCE} decides"
    return f"overrides {rule.overrides.what} until {minute(rule.overrides.until)}: {rule.overrides.why}"


def minute(instant: int) -> str:
    """The UTC minute of an instant in milliseconds; of one beyond the calendar, its number."""
    try:
        return f"{datetime.fromtimestamp(instant / 1000, UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, ValueError, OSError):
        return f"instant {instant}"
