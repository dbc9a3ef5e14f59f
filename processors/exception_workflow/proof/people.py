"""Who is who: when two names may be one person, and which names nobody may bear.

Names are subjects at an identity provider. They are compared in two ways. Whoever is to be kept from deciding is
recognised generously: case, width, look-alike letters and a tag in an address make nobody another person, and
neither does another issuer, because two issuers can know one person. Whoever is to be let do something must be
exactly the person that it was before, issuer and subject.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from processors.events.exceptions import Person

LONGEST_NAME = 256
"""Characters of an issuer or a subject."""

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0") | frozenset(
    map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)
"""Letters, marks and symbols that show nothing, whatever their category says (Default_Ignorable_Code_Point)."""

_WRITTEN_TOGETHER = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)
"""Scripts that one name may mix: the level "highly restrictive" of UTS 39."""


def same_person(one: Person, other: Person) -> bool:
    """Whether two people may be one, judged by their subjects. One refusal too many is the safe mistake."""
    return bool(_likenesses(one.subject) & _likenesses(other.subject))


def objection(subject: str) -> str:
    """Why nobody may bear this name; empty if somebody may.

    A name is refused that shows less than it holds, or that mixes scripts so that it could show as another's.
    """
    if not subject.strip():
        return "it is empty"
    if len(subject) > LONGEST_NAME:
        return f"it has {len(subject)} characters, at most {LONGEST_NAME} are read"
    return "" if subject.isascii() and subject.isprintable() else _disguise(subject)


def _disguise(subject: str) -> str:
    hidden = next((character for character in subject if _is_hidden(character)), None)
    if hidden is not None:
        return f"it holds a character that nobody can see, U+{ord(hidden):04X}"
    if subject != unicodedata.normalize("NFKC", subject):
        return "it is not in the normal form NFKC"
    scripts = _scripts(subject)
    if len(scripts) > 1 and not any(scripts <= together for together in _WRITTEN_TOGETHER):
        return f"it mixes letters of {' and '.join(sorted(scripts)).lower()}"
    return ""


def _is_hidden(character: str) -> bool:
    space = character.isspace() and character != " "
    return space or character in _BLANK or unicodedata.category(character) in _UNSEEN


def _scripts(text: str) -> set[str]:
    found: set[str] = _library("categories").unique_aliases(text)
    return found - {"COMMON", "INHERITED"}


def _library(part: str) -> Any:
    """Loaded when a name needs it: its tables are 1 MB, and few commands compare people."""
    return import_module(f"confusable_homoglyphs.{part}")


def _likenesses(subject: str) -> frozenset[str]:
    """What a name may be taken for: its skeleton as it is written, and as it is in small letters."""
    plain = unicodedata.normalize("NFKC", subject).strip()
    seen = "".join(character for character in plain if not _is_hidden(character))
    name, at, domain = seen.partition("@")
    untagged = name.partition("+")[0] + at + domain
    return frozenset({_skeleton(untagged).casefold(), _skeleton(untagged.casefold())})


def _skeleton(text: str) -> str:
    """The text with one letter for all that look alike (UTS 39, section 4)."""
    prototypes = _prototypes()
    parts = (prototypes.get(character, character) for character in unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFD", "".join(parts))


@cache
def _prototypes() -> Mapping[str, str]:
    """One representative for each character that Unicode knows a look-alike of: the least of all that look alike,
    and the longest one where letters can be drawn with several, as `m` with `rn`."""
    table: dict[str, list[dict[str, str]]] = _library("confusables").confusables_data
    near = {_bare(one): [_bare(other["c"]) for other in others] for one, others in table.items()}
    found: dict[str, str] = {}
    for start in near:
        if start not in found:
            group = set(_reached(start, near))
            found |= dict.fromkeys(group, min(group, key=_rank))
    return {one: prototype for one, prototype in found.items() if len(one) == 1}


def _bare(text: str) -> str:
    """The table wraps letters that are written from right to left into marks of direction."""
    return text.strip("\u200e\u200f")


def _rank(text: str) -> tuple[bool, int, str]:
    return not text.isascii(), -len(text), text


def _reached(start: str, near: Mapping[str, list[str]]) -> Iterator[str]:
    waiting, seen = [start], {start}
    while waiting:
        one = waiting.pop()
        yield one
        fresh = [other for other in near.get(one, ()) if other not in seen]
        seen.update(fresh)
        waiting.extend(fresh)
