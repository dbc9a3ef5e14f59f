"""Reads a document field by field and collects every problem instead of stopping at the first."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, cast

from processors.documents.scalars import WrittenFloat, WrittenInt
from processors.documents.yaml_text import Path, where
from processors.errors import DocumentRefused, nearest, shorten

LONGEST_ID: Final = 256
LONGEST_TEXT: Final = 4096

_ID: Final = re.compile(r"[^\s\x00-\x1f]+")
_DURATION: Final = re.compile(r"([0-9]{1,12})(ms|s|m|h|d|w)")
_UNITS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


class Problem(NamedTuple):
    """A problem at a place in a document. `line` counts from 1; None if it is unknown."""

    where: str
    line: int | None
    message: str

    @property
    def place(self) -> str:
        return ", ".join(filter(None, (f"line {self.line}" if self.line else "", self.where)))

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


@dataclass(slots=True)
class Reading:
    """The problems of one document so far. A refused value is replaced by a harmless one, and reading goes on."""

    lines: Mapping[Path, int] = field(default_factory=dict[Path, int])
    problems: list[Problem] = field(default_factory=list[Problem])

    def refuse(self, path: Path, message: str) -> None:
        above = path
        while above and above not in self.lines:
            above = above[:-1]
        self.problems.append(Problem(where(path), self.lines.get(above), message))

    def fields(self, value: Any, path: Path, known: Collection[str]) -> Fields:
        """The fields of a mapping that has only known ones.

        If it is not a mapping, that is reported once, without a problem for each missing field.
        """
        given = self.mapping(value, path)
        if value is not None and not isinstance(value, dict):
            return Fields(Reading(), given, path)
        there = _set(known)
        if not given.keys() <= there:
            for name in (name for name in given if name not in there):
                self.refuse((*path, name), f"`{shorten(name)}` is not known here; {nearest(name, known)}")
        return Fields(self, given, path)

    def mapping(self, value: Any, path: Path) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return cast("dict[str, Any]", value)
        if value is not None:
            self.refuse(path, f"expected a mapping, found {found(value)}")
        return {}

    def items(self, value: Any, path: Path) -> list[Any]:
        if isinstance(value, list):
            return cast("list[Any]", value)
        if value is not None:
            self.refuse(path, f"expected a list, found {found(value)}")
        return []

    def text(self, value: Any, path: Path, *, longest: int = LONGEST_TEXT) -> str:
        """Any text; an unset value is empty. A number is refused with a hint how to write it as text."""
        if isinstance(value, str):
            if len(value) > longest:
                self.refuse(path, f"expected at most {longest} characters, found {len(value)}")
            return value[:longest]
        if value is not None:
            self.refuse(path, f"expected text, found {found(value)}{_quoting(value)}")
        return ""

    def id(self, value: Any, path: Path) -> str:
        """An id: text without spaces."""
        text = self.text(value, path, longest=LONGEST_ID)
        if not _ID.fullmatch(text) and (value is None or isinstance(value, str)):
            self.refuse(path, f"expected an id without spaces, found {found(value)}")
        return text

    def word(self, value: Any, path: Path, allowed: Collection[str]) -> str:
        """One of a few words."""
        if isinstance(value, str) and value in allowed:
            return value
        hint = f"; {nearest(value, allowed)}" if isinstance(value, str) else ""
        self.refuse(path, f"expected one of {', '.join(allowed)}; found {found(value)}{hint}")
        return ""

    def percent(self, value: Any, path: Path) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100:
            return int(value)
        self.refuse(path, f"expected a whole number from 0 to 100, found {found(value)}")
        return 0

    def flag(self, value: Any, path: Path) -> bool | None:
        if value is not None and not isinstance(value, bool):
            self.refuse(path, f"expected true or false, found {found(value)}")
            return None
        return value

    def duration(self, value: Any, path: Path) -> int | None:
        """Milliseconds, from `24h` and the like; None if unset."""
        if value is None:
            return None
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self.refuse(path, f"expected a duration such as 30m, 24h or 7d; found {found(value)}")
            return None
        return int(match[1]) * _UNITS[match[2]]

    def instant(self, value: Any, path: Path) -> int | None:
        """Milliseconds since the epoch, UTC, from a date, or a date and time with its zone; None if unset."""
        if value is None:
            return None
        moment = _moment(value) if isinstance(value, str) else None
        if moment is None:
            self.refuse(path, f"expected a time with its zone such as 2026-11-24T00:00:00Z; found {found(value)}")
        return moment


@dataclass(slots=True)
class Fields:
    """The fields of one mapping. The path of a field is computed only if it is refused."""

    reading: Reading
    given: Mapping[str, Any]
    path: Path

    def __contains__(self, name: str) -> bool:
        return name in self.given

    def at(self, name: str) -> Path:
        return (*self.path, name)

    def text(self, name: str, *, longest: int = LONGEST_TEXT) -> str:
        value = self.given.get(name)
        if isinstance(value, str) and len(value) <= longest:
            return value
        return self.reading.text(value, self.at(name), longest=longest) if value is not None else ""

    def optional(self, name: str) -> str | None:
        """Text, such as a version; None if unset."""
        return None if self.given.get(name) is None else self.required(name)

    def required(self, name: str) -> str:
        """Text, such as a version, that must not be empty."""
        text = self.text(name, longest=LONGEST_ID)
        if not text:
            value = self.given.get(name)
            if value is None or value == "":
                self.reading.refuse(self.at(name), f"expected text, found {found(value)}")
        return text

    def id(self, name: str) -> str:
        value = self.given.get(name)
        if isinstance(value, str) and len(value) <= LONGEST_ID and _ID.fullmatch(value):
            return value
        return self.reading.id(value, self.at(name))

    def word(self, name: str, allowed: Collection[str]) -> str:
        value = self.given.get(name)
        if isinstance(value, str) and value in allowed:
            return value
        return self.reading.word(value, self.at(name), allowed)

    def items(self, name: str) -> list[Any]:
        return self.reading.items(self.given.get(name), self.at(name))

    def mapping(self, name: str) -> Mapping[str, Any]:
        return self.reading.mapping(self.given.get(name), self.at(name))

    def flag(self, name: str) -> bool | None:
        return self.reading.flag(self.given.get(name), self.at(name))

    def duration(self, name: str) -> int | None:
        return self.reading.duration(self.given.get(name), self.at(name))

    def instant(self, name: str) -> int | None:
        return self.reading.instant(self.given.get(name), self.at(name))

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, none of them empty."""
        listed = Fields(self.reading, dict(_numbered(self.items(name))), self.at(name))
        return tuple(filter(None, map(listed.required, listed.given)))


def refusal(problems: list[Problem]) -> DocumentRefused:
    """The first problem as an error that also says how many more there are."""
    first, *others = problems
    more = f" (and {len(others)} more)" if others else ""
    return DocumentRefused(first.place, first.message + more)


def found(value: Any) -> str:
    """The value that was found, as a message shows it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (WrittenInt, WrittenFloat)):
        return f"the number `{shorten(value.text)}`"
    if isinstance(value, (int, float)):
        return f"the number `{value}`"
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a mapping"
    return f"`{shorten(str(value))}`" if value != "" else "empty text"


def _quoting(value: Any) -> str:
    if isinstance(value, WrittenFloat):
        return f'; write "{value.text}": YAML reads {value.text} as the number {float(value)!r}'
    if isinstance(value, WrittenInt):
        return f'; write "{value.text}" in quotes'
    return ""


def _set(known: Collection[str]) -> frozenset[str] | set[str]:
    return known if isinstance(known, (frozenset, set)) else set(known)


def _numbered(items: list[Any]) -> Iterable[tuple[Any, Any]]:
    return enumerate(items)


def _moment(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        if len(text.strip()) > len("2026-11-24"):
            return None
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
