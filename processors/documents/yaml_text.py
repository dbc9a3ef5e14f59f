"""Strict YAML: what people write by hand, without features that serve only to attack a reader.

Read from libyaml's events with an explicit stack, so that depth needs no recursion and an alias is refused before
it is followed. A plain scalar is null, true, false, a decimal number or else text: `no`, `0x1F`, `1:30` and dates
stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import yaml

from processors.documents.scalars import WrittenFloat, WrittenInt, unprintable, utf8
from processors.errors import DocumentRefused, shorten

LIMIT: Final = 1024 * 1024
"""Bytes."""

DEPTH: Final = 32

Path: TypeAlias = tuple[str | int, ...]
"""The place of a value in a document: keys and list indexes from the root."""

_INT: Final = re.compile(r"[-+]?[0-9]+")
_FLOAT: Final = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?")
_NOT_A_NUMBER: Final = re.compile(r"[-+]?\.(?:nan|NaN|NAN|inf|Inf|INF)")
_WORDS: Final[Mapping[str, Any]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Document:
    """A document's value, and the line (from 1) of everything in it. Numbers keep their original text."""

    value: Any
    lines: Mapping[Path, int]


def where(path: Path) -> str:
    """A path as people write it: `matrix[3].plugin`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return shorten("".join(steps).removeprefix("."), 120)


def is_text(plain: str) -> bool:
    """Whether a scalar without quotes is read as the text it is."""
    number = _INT.fullmatch(plain) or _FLOAT.fullmatch(plain) or _NOT_A_NUMBER.fullmatch(plain)
    return plain not in _WORDS and number is None


def load(text: bytes | str, *, limit: int = LIMIT, depth: int = DEPTH) -> Document:
    """Read one document. Raises DocumentRefused that names the place; an empty text is the value None."""
    content = utf8(text, limit)
    if unprintable(content):
        raise DocumentRefused("", "expected text, found a control character or half a character")
    builder = _Builder(depth)
    try:
        for event in _events(content):
            builder.take(event)
    except yaml.YAMLError as error:
        raise _unreadable(error) from None
    return Document(builder.value, builder.lines)


def _events(content: str) -> Iterator[Any]:
    return iter(yaml.parse(content, Loader=yaml.CSafeLoader))


def _unreadable(error: yaml.YAMLError) -> DocumentRefused:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it cannot be read"
    return DocumentRefused(f"line {mark.line + 1}" if mark else "", f"this is not YAML: {problem}")


class _Open:
    """A list or mapping under construction. `key` is the next place in it; None while a key is expected."""

    __slots__ = ("key", "path", "value")

    def __init__(self, value: list[Any] | dict[str, Any], path: Path) -> None:
        self.value, self.path = value, path
        self.key: str | int | None = 0 if isinstance(value, list) else None

    def next_path(self) -> Path:
        return self.path if self.key is None else (*self.path, self.key)

    def add(self, value: Any) -> None:
        if isinstance(self.value, list):
            self.value.append(value)
            self.key = len(self.value)
        else:
            self.value[str(self.key)] = value
            self.key = None


class _Builder:
    """Builds the value from events. INVARIANT: the stack is never deeper than `depth`."""

    def __init__(self, depth: int) -> None:
        self.value: Any = None
        self.lines: dict[Path, int] = {}
        self._depth, self._stack, self._documents = depth, list[_Open](), 0

    def take(self, event: Any) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            self._open(event)
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            self._stack.pop()
        elif isinstance(event, yaml.AliasEvent):
            raise self._refused(event, "expected a value, found an alias; write the value out")
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._refused(event, "expected one document, found a second one after `---`")

    def _open(self, event: Any) -> None:
        self._plainly(event)
        if len(self._stack) == self._depth:
            raise self._refused(event, f"expected at most {self._depth} levels, found a deeper one")
        path = self._path()
        if self._awaits_key():
            raise self._refused(event, "expected a key that is text, found a list or a mapping")
        value: list[Any] | dict[str, Any] = [] if isinstance(event, yaml.SequenceStartEvent) else {}
        self._place(value, event)
        self._stack.append(_Open(value, path))

    def _scalar(self, event: Any) -> None:
        self._plainly(event)
        text: str = event.value
        if unprintable(text):
            raise self._refused(event, "expected text, found a control character or half a character")
        if self._awaits_key():
            self._key(text, event)
        else:
            self._place(self._resolve(text, event) if not event.style else text, event)

    def _key(self, text: str, event: Any) -> None:
        top = self._stack[-1]
        if text == "<<" and not event.style:
            raise self._refused(event, "expected a key, found the merge key `<<`; write the values out")
        if text in top.value:
            raise self._refused(event, f"the key `{shorten(text)}` occurs twice; keep one of them")
        top.key = text

    def _resolve(self, text: str, event: Any) -> Any:
        if text in _WORDS:
            return _WORDS[text]
        if _NOT_A_NUMBER.fullmatch(text):
            raise self._refused(event, f"expected a finite number, found `{text}`")
        try:
            if _INT.fullmatch(text):
                return WrittenInt.read(text)
            return WrittenFloat.read(text) if _FLOAT.fullmatch(text) else text
        except DocumentRefused as error:
            raise self._refused(event, str(error)) from None

    def _place(self, value: Any, event: Any) -> None:
        self.lines[self._path()] = event.start_mark.line + 1
        if self._stack:
            self._stack[-1].add(value)
        else:
            self.value = value

    def _plainly(self, event: Any) -> None:
        if event.anchor is not None:
            raise self._refused(event, f"expected a value, found the anchor `&{shorten(event.anchor, 40)}`")
        if event.tag is not None:
            raise self._refused(event, f"expected a value, found the tag `{shorten(event.tag, 40)}`")

    def _awaits_key(self) -> bool:
        return bool(self._stack) and self._stack[-1].key is None

    def _path(self) -> Path:
        return self._stack[-1].next_path() if self._stack else ()

    def _refused(self, event: Any, problem: str) -> DocumentRefused:
        place = where(self._path())
        return DocumentRefused(f"line {event.start_mark.line + 1}" + (f", {place}" if place else ""), problem)
