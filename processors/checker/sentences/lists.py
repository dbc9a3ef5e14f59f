"""Lists within a sentence."""

from __future__ import annotations

from collections.abc import Sequence


def joined(texts: Sequence[str], word: str = "and") -> str:
    """As a sentence lists them: `a, b and c`. At least one."""
    *others, last = texts
    return f"{', '.join(others)} {word} {last}" if others else last
