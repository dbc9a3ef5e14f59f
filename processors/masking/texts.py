"""Texts as they may be stored or logged: printable, capped, without secrets and addresses. Accepts any text."""

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
"""The most characters of a free text that are kept."""

LONGEST_WORD: Final = 500
"""The most characters of an id, a version or another plain field that are kept."""


def word(text: str) -> str:
    """A plain field: an id, a version, a code. Secrets that are in it by mistake are removed too."""
    return _word(text) if len(text) < 36 or not _is_id(text) else text


_is_id = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:sha256:)?[0-9a-f]{64}").fullmatch
"""Ids never repeat, so caching them would be useless."""


@lru_cache(maxsize=65_536)
def _word(text: str) -> str:
    if len(text) > LONGEST_WORD or not (text.isascii() and text.isprintable()):
        text = clean(text)[:LONGEST_WORD]
    if may_hold_secret(text):
        text = _without(SECRETS, text)
    return _without(OPAQUE_WORD, text) if len(text) >= SHORTEST_OPAQUE_WORD else text


def labelled_all(pairs: Iterable[tuple[str, str]], limit: int = LONGEST_TEXT) -> dict[str, str]:
    """Texts under names that the sender chose: both sides are free text.

    Names that become equal without their secrets are merged, and the last one wins.
    """
    return {scrub(name, LONGEST_WORD): labelled(name, text, limit) for name, text in pairs}


def labelled(name: str, text: str, limit: int = LONGEST_TEXT) -> str:
    """Free text under a name that the sender chose: nothing is left of `db_password`, whatever it looks like."""
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
"""Cached: most texts are our own sentences, which recur."""


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
