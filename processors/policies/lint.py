"""Finds mistakes in a policy: errors, with which it must not be published, and warnings for its author. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from processors.errors import RangeInvalid
from processors.matrix.lint import Notice
from processors.policies.document import Advisory, SecurityPolicy
from processors.policies.ranges import Span, readable
from processors.policies.ranges import written as range_of
from processors.versions import Dialect, Range, parse_range

_BASELINE: Final = re.compile(r"[0-9]+(?:[.-][0-9]+)*")
_PLUGIN: Final = re.compile(r"[A-Za-z][\w-]*(?:\.[\w-]+){2,}")
"""A name in the style of plugin ids. Maven's, which look similar, also contain a colon."""

_OF_EVERYTHING: Final = ("*", range_of(Span(None, None), Dialect.PEP440), range_of(Span(None, None), Dialect.MAVEN))


def lint(policy: SecurityPolicy, now: int) -> list[Notice]:
    """Everything that is wrong or suspicious. `now` is milliseconds since the epoch, UTC."""
    return [*_head(policy, now), *(n for advisory in policy.advisories for n in _advisory(policy, advisory, now))]


def _head(policy: SecurityPolicy, now: int) -> Iterator[Notice]:
    where = policy.component_id
    if policy.required_baseline and not _BASELINE.fullmatch(policy.required_baseline):
        yield Notice(where, "required_baseline: expected dotted numbers or a date, such as 2026.11", is_error=True)
    if policy.published_at > now:
        yield Notice(where, "published_at lies in the future")
    if policy.valid_until is not None and policy.valid_until <= max(policy.published_at, now):
        yield Notice(where, "valid_until: it is over already, so it would block every version", is_error=True)
    package, _, name = where.partition(":")
    if name and _PLUGIN.fullmatch(name):
        yield Notice(
            where,
            f"it is about a package of {package} that manifests may list, and not about the plugin {name}; "
            f"if that is meant, give --component {name}",
        )
    if not policy.required_baseline and not policy.advisories:
        yield Notice(where, "it demands nothing: neither a baseline nor advisories")


def _advisory(policy: SecurityPolicy, advisory: Advisory, now: int) -> Iterator[Notice]:
    where, dialect = f"{policy.component_id}, {advisory.id}", Dialect(policy.dialect)
    ranges = list[Range]()
    for text in advisory.affected:
        try:
            ranges.append(parse_range(text, dialect))
        except RangeInvalid as error:
            yield Notice(where, f"affected: {error}; so it would apply to every version", is_error=True)
    yield from _fixes(where, advisory, ranges, dialect)
    if any(text in _OF_EVERYTHING for text in advisory.affected):
        yield Notice(where, "every version is affected")
    if not advisory.severity:
        yield Notice(where, "its severity is not known, so it blocks")
    if advisory.withdrawn_at is not None and advisory.withdrawn_at > now:
        yield Notice(where, "it is withdrawn in the future, and applies until then")


def _fixes(where: str, advisory: Advisory, ranges: list[Range], dialect: Dialect) -> Iterator[Notice]:
    for text in advisory.fixed:
        version = readable(text, dialect)
        if version is None:
            yield Notice(where, f"fixed: `{text}` is not a version in dialect {dialect}")
        elif any(r.admits(version) or r.excludes_only_as_prerelease(version) for r in ranges):
            yield Notice(where, f"fixed: {text} is itself affected")
