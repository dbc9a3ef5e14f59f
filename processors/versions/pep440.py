"""`pep440`: version specifiers after https://packaging.python.org/en/latest/specifications/version-specifiers.

`packaging` parses the text and is the reference for its meaning; the intervals express the same over keys, so that
questions that `packaging` does not answer have an answer too. Pre-releases are ordered like any version. `===`
compares spellings, which no order can express, and is refused.
"""

from __future__ import annotations

import math
from typing import Final

from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import InvalidVersion
from packaging.version import Version as PepVersion

from processors.versions.model import (
    ABOVE,
    BELOW,
    EVERYTHING,
    HIGHEST,
    LOWEST,
    Bound,
    Dialect,
    Interval,
    Key,
    Version,
    above,
    below,
    intersection,
)

_STAGES: Final = {"a": 0, "b": 1, "rc": 2}
_DEV_ALONE: Final = (-1, 0, 0, 0, 0, 0)
_AFTER_LOCALS: Final = ((math.inf,),)


def read_version(text: str, dialect: Dialect) -> Version | str:
    """The version, or the reason why it is refused."""
    try:
        return _version(PepVersion(text), dialect, text)
    except InvalidVersion:
        return "expected a version after PEP 440, such as 2.18.1 or 2.18.1rc1"


def read_ends(text: str, dialect: Dialect) -> tuple[Bound, Bound] | None:
    """The cuts before and after all of `3.9`, for example; None for any text that is not one or two numbers."""
    try:
        pep = PepVersion(text)
    except InvalidVersion:
        return None
    if len(pep.release) > 2 or str(pep) != pep.base_version:
        return None
    version = _version(pep, dialect, text)
    return below(version), _prefix(version, pep, pep.release)[1]


def read_range(text: str, dialect: Dialect) -> tuple[Interval, ...] | int:
    """The intervals, or the position in the text where parsing stopped."""
    intervals: tuple[Interval, ...] = (EVERYTHING,)
    for specifier in text.split(","):
        try:
            for part in SpecifierSet(specifier):
                if part.operator == "===":
                    return text.find("===")
                intervals = intersection(intervals, _intervals(part, dialect))
        except (InvalidSpecifier, InvalidVersion):
            return max(text.find(specifier.strip()), 0)
    return intervals


def _intervals(specifier: Specifier, dialect: Dialect) -> list[Interval]:
    text = specifier.version.removesuffix(".*")
    pep = PepVersion(text)
    version = _version(pep, dialect, text)
    if specifier.version.endswith(".*"):
        return _within_or_not(specifier.operator, *_prefix(version, pep, pep.release))
    lower, upper = LOWEST, HIGHEST
    match specifier.operator:
        case ">=":
            lower = below(version)
        case "<=":
            upper = _after_locals(version)
        case ">":
            lower = _newer(version, pep)
        case "<":
            upper = _older(version, pep)
        case "~=":
            lower, upper = below(version), _prefix(version, pep, pep.release[:-1])[1]
        case operator:
            end = above(version) if pep.local else _after_locals(version)
            return _within_or_not(operator, below(version), end)
    return [Interval(lower, upper)]


def _within_or_not(operator: str, start: Bound, end: Bound) -> list[Interval]:
    if operator == "==":
        return [Interval(start, end)]
    return [Interval(LOWEST, start), Interval(end, HIGHEST)]


def _prefix(version: Version, pep: PepVersion, release: tuple[int, ...]) -> tuple[Bound, Bound]:
    """From the first development release of a prefix to that of the next one."""
    following = (*release[:-1], release[-1] + 1)
    epoch = f"{pep.epoch}!" if pep.epoch else ""
    spelled = epoch + ".".join(map(str, following))
    end = _version(PepVersion(spelled), version.dialect, spelled)
    return (
        Bound((pep.epoch, _trimmed(release), _DEV_ALONE, ()), BELOW, version),
        Bound((pep.epoch, _trimmed(following), _DEV_ALONE, ()), BELOW, end),
    )


def _newer(version: Version, pep: PepVersion) -> Bound:
    """After the version and its local builds; after its post-releases too, unless it is one itself."""
    if pep.dev is not None or pep.post is not None:
        return _after_locals(version)
    epoch, release, (stage, stage_number, *_), _local = version.key
    return Bound((epoch, release, (stage, stage_number, 1, math.inf, 1, 0), ()), ABOVE, version)


def _older(version: Version, pep: PepVersion) -> Bound:
    """Before the version; before its own pre-releases too, unless it is one itself."""
    if pep.is_prerelease:
        return below(version)
    epoch, release, (stage, stage_number, posted, post, *_), _local = version.key
    first = (stage, stage_number, posted, post, 0, 0) if posted else _DEV_ALONE
    return Bound((epoch, release, first, ()), BELOW, version)


def _after_locals(version: Version) -> Bound:
    return Bound((*version.key[:3], _AFTER_LOCALS), ABOVE, version)


def _version(pep: PepVersion, dialect: Dialect, text: str) -> Version:
    return Version(text, dialect, _key(pep), pep.release, pep.is_prerelease)


def _key(pep: PepVersion) -> Key:
    """dev < a < b < rc < final < post; a local build behind its public version, words in it before numbers."""
    if pep.pre is not None:
        stage = (_STAGES[pep.pre[0]], pep.pre[1])
    else:
        stage = (-1, 0) if pep.dev is not None and pep.post is None else (3, 0)
    post = (0, 0) if pep.post is None else (1, pep.post)
    dev = (1, 0) if pep.dev is None else (0, pep.dev)
    local = (pep.local or "").split(".") if pep.local else []
    builds = tuple((int(part), "") if part.isdecimal() else (-1, part) for part in local)
    return (pep.epoch, _trimmed(pep.release), (*stage, *post, *dev), builds)


def _trimmed(release: tuple[int, ...]) -> tuple[int, ...]:
    """1.0.0 equals 1."""
    size = len(release)
    while size and release[size - 1] == 0:
        size -= 1
    return release[:size]
