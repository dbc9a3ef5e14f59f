"""Strict XML for manifests: elements, attributes and text, without declarations.

Entity declarations and an internal document type are refused, so nothing is expanded or fetched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from processors.documents.scalars import unprintable, utf8
from processors.errors import DocumentRefused, shorten

MOST_ELEMENTS: Final = 20_000

_UTF8: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_LIKE_ASCII: Final = ("iso-8859-", "windows-125")
"""Encodings that write the characters of ASCII as UTF-8 does."""


@dataclass(slots=True)
class Element:
    """`text` is the element's direct text, without surrounding white space."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict[str, str])
    children: list[Element] = field(default_factory=list["Element"])
    text: str = ""

    def all(self, name: str) -> list[Element]:
        """The children of that name, in order."""
        return [child for child in self.children if child.name == name]


def load(data: bytes | str, *, limit: int, depth: int) -> Element:
    """The root element.

    Raises DocumentRefused for invalid XML, or if it is too large, too deep or declares entities.
    """
    content = utf8(data, limit)
    reading = _Reading(depth)
    parser = expat.ParserCreate("utf-8", namespace_separator=None)
    parser.buffer_text = True
    parser.XmlDeclHandler = _declaration(is_ascii=content.isascii())
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.characters
    parser.StartDoctypeDeclHandler = reading.doctype
    parser.EntityDeclHandler = reading.entity
    try:
        parser.Parse(content.encode("utf-8", "surrogatepass"), True)
    except expat.ExpatError as error:
        raise DocumentRefused(f"line {error.lineno}", f"this is not XML: {expat.ErrorString(error.code)}") from None
    if reading.root is None:
        raise DocumentRefused("", "expected an element, found nothing")
    return reading.root


def _declaration(*, is_ascii: bool) -> Callable[[str, str | None, int], None]:
    """Refuses a declared encoding in which the bytes, which are UTF-8, would mean something else."""

    def check(_version: str, encoding: str | None, _standalone: int) -> None:
        named = (encoding or "utf-8").lower()
        if named not in _UTF8 and not (is_ascii and named.startswith(_LIKE_ASCII)):
            raise DocumentRefused("", f"expected UTF-8, found the encoding `{shorten(named)}`")

    return check


class _Reading:
    """The callbacks for expat."""

    def __init__(self, depth: int) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._depth = depth
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= self._depth:
            raise DocumentRefused("", f"expected at most {self._depth} levels, found a deeper one")
        if self._count > MOST_ELEMENTS:
            raise DocumentRefused("", f"expected at most {MOST_ELEMENTS} elements, found more")
        for key, value in attributes.items():
            if unprintable(value):
                raise DocumentRefused(shorten(key), "expected text, found control characters")
        element = Element(name, dict(attributes))
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _name: str) -> None:
        element = self._open.pop()
        element.text = " ".join(element.text.split())

    def characters(self, text: str) -> None:
        if self._open:
            self._open[-1].text += text

    def doctype(self, _name: str, _system: str | None, _public: str | None, has_subset: int) -> None:
        if has_subset:
            raise DocumentRefused("", "expected XML without declarations, found a document type with some")

    def entity(self, name: str, *_: object) -> None:
        raise DocumentRefused("", f"expected XML without entities, found one: `{shorten(name)}`")
