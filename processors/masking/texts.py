"""Texts as they may be stored or logged: printable, capped, without secrets and addresses. No text is too odd."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from processors.masking.patterns import (
    ADDRESSES,
    HINTS,
    OPAQUE,
    OPAQUE_WORD,
    SECRETS,
    SHORTEST_OPAQUE_WORD,
    SHORTEST_SECRET,
    is_secrets_name,
)

LONGEST_TEXT: Final = 4000
"""Characters of a free text that are kept."""

LONGEST_WORD: Final = 500
"""Characters of an id, a version or another plain field that are kept."""


def word(text: str) -> str:
    """A plain field: an id, a version, a code. Secrets that are in it by mistake go all the same."""
    return _word(text) if len(text) < 36 or not _is_id(text) else text


_is_id = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:sha256:)?[0-9a-f]{64}").fullmatch
"""Ids are never the same twice, so that remembering them would be of no use."""


@lru_cache(maxsize=65_536)
def _word(text: str) -> str:
    if len(text) > LONGEST_WORD or not (text.isascii() and text.isprintable()):
        text = clean(text)[:LONGEST_WORD]
    if may_hold_secret(text):
        text = _without(SECRETS, text)
    return _without(OPAQUE_WORD, text) if len(text) >= SHORTEST_OPAQUE_WORD else text


def labelled_all(pairs: Iterable[tuple[str, str]], limit: int = LONGEST_TEXT) -> dict[str, str]:
    """Texts under names of the sender's choice: both sides are free text. Names that are equal without their
    secrets are one, the last one."""
    return {scrub(name, LONGEST_WORD): labelled(name, text, limit) for name, text in pairs}


def labelled(name: str, text: str, limit: int = LONGEST_TEXT) -> str:
    """Free text under a name of the sender's choice: of `db_password` nothing is left, whatever it looks like."""
    return "[secret]" if is_secrets_name(name) else scrub(text, limit)


def scrub(text: str, limit: int = LONGEST_TEXT) -> str:
    """Free text as it may be stored: normalised, printable, capped, without secrets and addresses."""
    return _scrub_again(text, limit) if len(text) < 500 else _scrub(text, limit)


def _scrub(text: str, limit: int) -> str:
    text = clean(text[: 2 * limit])
    if may_hold_secret(text):
        text = _without(SECRETS, text)
    for patterns in (ADDRESSES, OPAQUE):
        text = _without(patterns, text)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


_scrub_again = lru_cache(maxsize=16_384)(_scrub)
"""Most texts are our own sentences, and come again and again."""


def may_hold_secret(text: str) -> bool:
    """Whether any of the patterns could match: each needs one of these hints. A test holds the two together."""
    if len(text) < SHORTEST_SECRET:
        return False
    lowered = text.lower()
    return any(map(lowered.__contains__, HINTS))


def clean(text: str) -> str:
    """NFKC, and nothing that a terminal, a browser or Postgres would take for a command: no controls, no marks of
    direction, no zero width, no surrogates, no NUL. Line ends and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    normal = unicodedata.normalize("NFKC", text)
    return "".join(c for c in normal if c in "\n\t" or unicodedata.category(c)[0] != "C")


def _without(patterns: tuple[tuple[re.Pattern[str], str], ...], text: str) -> str:
    for pattern, instead in patterns:
        text = pattern.sub(instead, text)
    return text
