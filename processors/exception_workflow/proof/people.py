"""When two names may denote one person, and which names are refused.

Names are subjects at an identity provider. They are compared in two ways. To keep a person from deciding, the
comparison is tolerant: case, width, look-alike letters, a tag in an address or another issuer do not make a
different person, because two issuers can know the same person. To allow a person something, the comparison is
exact: issuer and subject must be the same.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from processors.events.exceptions import Person

LONGEST_NAME = 256
"""The most characters of an issuer or a subject."""

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0") | frozenset(
    map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)
"""Invisible letters, marks and symbols, whatever their category (Default_Ignorable_Code_Point)."""

_WRITTEN_TOGETHER = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)
"""Scripts that one name may mix: the level "highly restrictive" of UTS 39."""


def same_person(one: Person, other: Person) -> bool:
    """Whether two people may be the same, by their subjects. A wrong refusal is the safe mistake."""
    return bool(_likenesses(one.subject) & _likenesses(other.subject))


def objection(subject: str) -> str:
    """Why this name is refused; empty if it is accepted.

    A name is refused if it contains invisible characters, or mixes scripts so that it could look like another name.
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
    """Loaded only when a name needs it: its tables take 1 MB, and few commands compare people."""
    return import_module(f"confusable_homoglyphs.{part}")


def _likenesses(subject: str) -> frozenset[str]:
    """What a name may be mistaken for: its skeleton as written, and in lower case."""
    plain = unicodedata.normalize("NFKC", subject).strip()
    seen = "".join(character for character in plain if not _is_hidden(character))
    name, at, domain = seen.partition("@")
    untagged = name.partition("+")[0] + at + domain
    return frozenset({_skeleton(untagged).casefold(), _skeleton(untagged.casefold())})


def _skeleton(text: str) -> str:
    """The text with all look-alike letters replaced by one of them (UTS 39, section 4)."""
    prototypes = _prototypes()
    parts = (prototypes.get(character, character) for character in unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFD", "".join(parts))


@cache
def _prototypes() -> Mapping[str, str]:
    """One representative for each character with look-alikes: the smallest of them.

    The longest one is used for letters that several letters together can imitate, as `rn` imitates `m`.
    """
    table: dict[str, list[dict[str, str]]] = _library("confusables").confusables_data
    near = {_bare(one): [_bare(other["c"]) for other in others] for one, others in table.items()}
    found: dict[str, str] = {}
    for start in near:
        if start not in found:
            group = set(_reached(start, near))
            found |= dict.fromkeys(group, min(group, key=_rank))
    return {one: prototype for one, prototype in found.items() if len(one) == 1}


def _bare(text: str) -> str:
    """The table wraps letters of right-to-left scripts in marks of direction."""
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
