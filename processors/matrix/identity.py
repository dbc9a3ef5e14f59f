"""Which release a version names: order says which is newer, identity which one it is.

Semantic versions that differ in their build metadata alone are equal in order, and still two releases: `2.4.0+b6`
and `2.4.0+b7` may be made for different hosts, and going from one to the other is a change.
"""

from __future__ import annotations

from typing import Final

from processors.versions import Dialect, Version

_WITH_BUILD: Final = frozenset({Dialect.NPM, Dialect.NPM_PRERELEASE, Dialect.MASTERMINDS, Dialect.VSCODE})
"""Dialects whose order ignores what stands behind `+`."""


def build_of(version: Version) -> str:
    """The build metadata; empty where there is none, or where the dialect orders by it."""
    return version.text.partition("+")[2].strip() if version.dialect in _WITH_BUILD else ""


def is_same_release(one: Version, other: Version) -> bool:
    return one == other and build_of(one) == build_of(other)


def is_about(stated: Version, asked: Version) -> bool:
    """Whether what is stated of a version of equal order binds the one asked for; without a build, it binds all."""
    build = build_of(stated)
    return not build or build == build_of(asked)
