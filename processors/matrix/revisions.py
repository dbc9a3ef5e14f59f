"""The order of revisions, as far as their names show it. Pure."""

from __future__ import annotations

import re
from typing import Final


def unnamed(digest: str) -> str:
    """The revision of a matrix that states none: the beginning of its digest, which implies no order."""
    return digest.removeprefix("sha256:")[:12]


_PARTS: Final = re.compile(r"\d+|\D+")


def precedes(one: str, other: str) -> bool:
    """Whether a revision is older than another: numbers count as numbers, so 2026.11-9 is older than 2026.11-10.

    False if one of them is empty, or if their names have different forms and so imply no order.
    """
    ours, theirs = _PARTS.findall(one), _PARTS.findall(other)
    for mine, its in zip(ours, theirs, strict=False):
        if mine.isdigit() != its.isdigit():
            return False
        if mine.isdigit() and int(mine) != int(its):
            return int(mine) < int(its)
        if not mine.isdigit() and mine != its:
            return False
    return bool(ours) and len(ours) < len(theirs)
