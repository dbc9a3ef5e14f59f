"""TOML as people write it: numbers and times are the texts that stand for them, and keys are of ordinary length."""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final, cast

from processors.documents.scalars import WrittenFloat, WrittenInt, utf8
from processors.errors import DocumentRefused, shorten

MOST_PARTS: Final = 32
"""The most parts of a dotted key.

Python's reader keeps every beginning of a key, so its memory grows with the square of a key's length: one of 48 kB
takes 2 GB. A longer key nests deeper than any reader of ours accepts, so no sound file has one.
"""

_LONGEST_INT: Final = 10**40
"""No number that has more digits is turned into text: Python refuses to, and it takes long."""

_PART: Final = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_NEXT: Final = rf"(?:[ \t]*+\.[ \t]*+{_PART})"
_TOKEN: Final = re.compile(
    rf"""
    "{{3}}(?:[^"\\]|\\.|"(?!""))*+"{{3,5}}  # a text of several lines, which may end with two quotes of its own
    | '{{3}}(?:[^']|'(?!''))*+'{{3,5}}
    | \#[^\n]*+
    | (?P<endless>"{{3}}|'{{3}})
    | (?P<long>{_PART}{_NEXT}{{{MOST_PARTS},}}+)
    | {_PART}{_NEXT}*+                      # a key, or a value
    | (?P<unclosed>["'])
    | .
    """,
    re.DOTALL | re.VERBOSE,
)
"""Cuts a file as Python's reader does, up to the first error, behind which that reads nothing: no quote and no
comment can hide a key, and dots within a text or a comment are not taken for those of a key."""


def load(data: bytes | str, *, limit: int) -> Any:
    """The value. Raises DocumentRefused; nesting is as deep as the file's."""
    content = utf8(data, limit)
    _refuse_long_keys(content)
    try:
        return _as_written(tomllib.loads(content, parse_float=WrittenFloat.read))
    except tomllib.TOMLDecodeError as error:
        raise DocumentRefused("", f"this is not TOML: {error}") from None
    except ValueError:
        raise DocumentRefused("", "expected numbers of ordinary length, found a longer one") from None
    except RecursionError:
        raise DocumentRefused("", "expected TOML of ordinary depth, found nesting without end") from None


def _refuse_long_keys(content: str) -> None:
    if all(line.count(".") < MOST_PARTS for line in content.split("\n")):
        return  # a key is on one line
    for token in _TOKEN.finditer(content):
        if found := token["long"]:
            problem = f"expected keys of at most {MOST_PARTS} parts, found a longer one: `{shorten(found, 40)}`"
            raise DocumentRefused("", problem)
        if token["endless"] or token["unclosed"]:
            return  # this is not TOML, as the reader will say


def _as_written(value: Any) -> Any:
    match value:
        case dict():
            return {key: _as_written(item) for key, item in cast("dict[str, Any]", value).items()}
        case list():
            return [_as_written(item) for item in cast("list[Any]", value)]
        case str() | bool() | float():
            return value
        case int() if abs(value) < _LONGEST_INT:
            return WrittenInt.read(str(value))
        case int():
            raise ValueError
        case _:
            return str(value)
