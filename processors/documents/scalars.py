"""Shared by strict YAML and strict JSON: UTF-8 within a limit, printable text, numbers as written, and demands."""

from __future__ import annotations

import re
from typing import Final, Self

from processors.errors import DocumentRefused, shorten

_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_ID_AND_RANGE: Final = re.compile(r"(@?[^\s<>=~^!@*,]+)\s*@?\s*(.*)", re.DOTALL)
_LONGEST_NUMBER: Final = 40


class WrittenInt(int):
    """A whole number with its original text, so that a message can show `007` as `007`."""

    text: str

    @classmethod
    def read(cls, text: str) -> Self:
        number = cls(_short(text))
        number.text = text
        return number


class WrittenFloat(float):
    """A number with its original text: `1.10` equals 1.1, but may be meant as a version."""

    text: str

    @classmethod
    def read(cls, text: str) -> Self:
        number = cls(_short(text))
        number.text = text
        return number


def unprintable(text: str) -> bool:
    """NUL, control characters other than tab and line ends, or half of a surrogate pair."""
    return not (text.isascii() and text.isprintable()) and _UNPRINTABLE.search(text) is not None


def id_and_range(text: str) -> tuple[str, str] | None:
    """A demand as people write it: `com.acme.crm >=1.2`, `com.acme.crm>=1.2` and `com.acme.crm@1.2` alike.

    The range is empty if none is stated. None if the text does not begin with an id.
    """
    read = _ID_AND_RANGE.fullmatch(text)
    return None if read is None else (read[1], read[2].strip())


def utf8(text: bytes | str, limit: int) -> str:
    """The text without a byte order mark. Raises DocumentRefused if it is longer than `limit` bytes."""
    refuse_more_than(limit, text)
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentRefused("", f"expected UTF-8, found another encoding at byte {error.start}") from None


def refuse_more_than(limit: int, text: bytes | str) -> None:
    """Raises DocumentRefused. The full size is unknown, because the rest was not read."""
    if len(text) > limit:
        raise DocumentRefused("", f"expected at most {limit} bytes, found more")


def _short(text: str) -> str:
    if len(text) > _LONGEST_NUMBER:
        raise DocumentRefused(
            "", f"`{shorten(text, 20)}` has {len(text)} digits; a number has at most {_LONGEST_NUMBER}"
        )
    return text
