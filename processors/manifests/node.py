"""One node of a manifest file: its value, its path, and the list of defects of the whole file.

A reader walks nodes and never raises: what cannot be read becomes a defect, and reading goes on, so that a vendor
sees every defect at once.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final, cast

from processors.documents.scalars import WrittenFloat, WrittenInt
from processors.errors import shorten
from processors.events.subject import Defect

MOST_ITEMS: Final = 5_000
"""The most entries of one list or mapping that are read; a longer one is a defect."""

MOST_DEFECTS: Final = 100
"""The most defects that are listed for one file; one more says that there are others."""

LONGEST_EXTRA: Final = 16_384
"""The most characters of an unknown value that are kept; of a longer one only its digest is kept."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS: Final = range(1970, 3000)
_INVISIBLE_IN_NAMES: Final = frozenset({"\u200d", "\u200c"})
"""Joiners: emoji and several scripts need them."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a manifest and its place. All nodes of one file share the list of defects."""

    value: Any
    path: str = ""
    defects: list[Defect] = field(default_factory=list[Defect])

    @property
    def stated(self) -> bool:
        """Whether there is a value at all. `key:` without a value states nothing."""
        return self.value is not None

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        return isinstance(self.value, list)

    @property
    def is_scalar(self) -> bool:
        return self.stated and not self.is_mapping and not self.is_list

    def __getitem__(self, key: str) -> Node:
        """The node under a key; an empty node if there is no such key or this is not a mapping."""
        value = cast("dict[str, Any]", self.value).get(key) if self.is_mapping else None
        return Node(value, self._below(key), self.defects)

    def first(self, *keys: str) -> Node:
        """The node under the first of several spellings that is present."""
        return next((node for node in map(self.__getitem__, keys) if node.stated), self[keys[0]])

    def mapping(self, expected: str) -> Node:
        """This node if it is a mapping or empty; else a defect and an empty node."""
        if self.is_mapping or not self.stated:
            return self
        self.refuse(expected)
        return Node(None, self.path, self.defects)

    def entries(self) -> Iterator[tuple[str, Node]]:
        """Keys and nodes of a mapping; nothing for anything else."""
        if self.is_mapping:
            for key in self._capped(list(cast("dict[str, Any]", self.value))):
                yield key, self[key]

    def items(self, expected: str) -> Iterator[Node]:
        """Nodes of a list. A single value in place of a list counts as a list of one."""
        if self.is_list:
            for index, value in enumerate(self._capped(cast("list[Any]", self.value))):
                yield Node(value, f"{self.path}[{index}]", self.defects)
        elif isinstance(self.value, (str, dict)):
            yield self
        elif self.stated:
            self.refuse(expected)

    def text(self, expected: str, limit: int = 256) -> str:
        """One line of printable text; a number gives the text as written. Empty if not stated or a defect."""
        if not self.stated:
            return ""
        if isinstance(self.value, (WrittenInt, WrittenFloat)):
            return self.value.text
        if not isinstance(self.value, str):
            self.refuse(expected)
            return ""
        return self._line(self.value.strip(), limit)

    def identifier(self, expected: str) -> str:
        """Text without spaces, such as a plugin id. A number is a defect, because readers format it differently."""
        if self.stated and not isinstance(self.value, str):
            self.refuse(expected)
            return ""
        text = self.text(expected)
        if any(map(str.isspace, text)):
            self.refuse(expected)
        return text

    def insist(self, read: str, expected: str) -> str:
        """Marks a value as required: notes a defect if it is empty and has none yet."""
        if not read and (not self.stated or isinstance(self.value, str)):
            self.refuse(expected)
        return read

    def flag(self, expected: str = "true or false") -> bool | None:
        """True, false, or None if neither is stated."""
        if isinstance(self.value, str) and self.value.strip().lower() in ("true", "false"):
            return self.value.strip().lower() == "true"
        if self.stated and not isinstance(self.value, bool):
            self.refuse(expected)
        return self.value if isinstance(self.value, bool) else None

    def date(self) -> int | None:
        """Milliseconds since the epoch of an ISO 8601 date or time; UTC unless it has an offset."""
        expected = 'a date such as "2026-12-31" or "2026-12-31T12:00:00Z"'
        text = self.text(expected)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text if text[4:5] == "-" else "")
        except ValueError:
            self.refuse(expected)
            return None
        if moment.year not in _YEARS:
            self.refuse(f"a year from {_YEARS[0]} to {_YEARS[-1]}")
            return None
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (zoned - _EPOCH) // timedelta(milliseconds=1)

    def without(self, known: Collection[str]) -> dict[str, str]:
        """Canonical JSON of every value under an unknown key, by key."""
        return {shorten(key): canonical(node.value) for key, node in self.entries() if key not in known}

    def refuse(self, expected: str) -> None:
        """Note that this value is not what was expected."""
        self.note(f"expected {expected}, found {found(self.value)}")

    def note(self, problem: str) -> None:
        """Note a defect of this place in your own words. The same defect is noted once, however often it occurs."""
        defect = Defect(self.path, problem)
        if defect in self.defects:
            return
        if len(self.defects) < MOST_DEFECTS:
            self.defects.append(defect)
        elif len(self.defects) == MOST_DEFECTS:
            self.defects.append(Defect("", f"more than {MOST_DEFECTS} defects; the rest is not listed"))

    def _below(self, key: str) -> str:
        return f"{self.path}.{shorten(key)}" if self.path else shorten(key)

    def _line(self, text: str, limit: int) -> str:
        if len(text) > limit:
            self.note(f"expected at most {limit} characters, found {len(text)}")
        elif not all(map(_visible, text)):
            self.note(f"expected printable text, found `{shorten(text)}` with hidden characters")
        return shorten(text, limit) if not all(map(_visible, text)) else text[:limit]

    def _capped(self, values: list[Any]) -> list[Any]:
        if len(values) > MOST_ITEMS:
            self.note(f"expected at most {MOST_ITEMS} entries, found {len(values)}; only the first are read")
        return values[:MOST_ITEMS]


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces, ASCII only; a number is its text as written.

    A value that is too long to be part of every request becomes its digest: it never decides anything.
    """
    text = json.dumps(_as_written(value), sort_keys=True, separators=(",", ":"))
    return text if len(text) <= LONGEST_EXTRA else f'"sha256:{sha256(text.encode()).hexdigest()}"'


def found(value: Any) -> str:
    """The value that was found, as a message shows it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case WrittenInt() | WrittenFloat():
            return f"the number `{value.text}`"
        case str():
            return f"`{shorten(value)}`" if value.strip() else "empty text"
        case _:
            return "a list" if isinstance(value, list) else "a mapping"


def _as_written(value: Any) -> Any:
    match value:
        case WrittenInt() | WrittenFloat():
            return value.text
        case list():
            return [_as_written(item) for item in cast("list[Any]", value)]
        case dict():
            return {key: _as_written(item) for key, item in cast("dict[str, Any]", value).items()}
        case _:
            return value


def _visible(character: str) -> bool:
    if character.isprintable() or character in _INVISIBLE_IN_NAMES:
        return True
    return unicodedata.category(character) == "Zs"
