"""Which release a version names. The order says which version is newer, the identity which release it is.

Semantic versions that differ only in build metadata are equal in order, but are different releases: `2.4.0+b6` and
`2.4.0+b7` may be made for different hosts, and going from one to the other is a change.
"""

from __future__ import annotations

from typing import Final

from processors.versions import Dialect, Version

_WITH_BUILD: Final = frozenset({Dialect.NPM, Dialect.NPM_PRERELEASE, Dialect.MASTERMINDS, Dialect.VSCODE})
"""Dialects whose order ignores build metadata after `+`."""


def build_of(version: Version) -> str:
    """The build metadata; empty if there is none, or if the dialect orders by it."""
    return version.text.partition("+")[2].strip() if version.dialect in _WITH_BUILD else ""


def is_same_release(one: Version, other: Version) -> bool:
    return one == other and build_of(one) == build_of(other)


def is_about(stated: Version, asked: Version) -> bool:
    """Whether a statement about a version of equal order applies to the requested one.

    Without a build, it applies to all.
    """
    build = build_of(stated)
    return not build or build == build_of(asked)
