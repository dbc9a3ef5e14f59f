"""Fields of a form that a page sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

from processors.gateway.problems import Problem

LONGEST_RESENT: Final = 512 * 1024
"""Characters of a form that a page repeats. The largest manifest has half of that."""


class Fault(NamedTuple):
    """What is wrong with a form that comes back as it was typed. `field` is its name, empty for the whole form;
    `sent` is whether it went on and was refused there, which is on record."""

    field: str
    message: str
    sent: bool = False


def one(fields: Mapping[str, Any], name: str) -> str:
    """The one text of a field, empty if it was not sent. Raises Problem for several, and for a file."""
    values = cast("list[Any]", fields.get(name, [""]))
    if len(values) != 1 or not isinstance(values[0], str):
        raise Problem("malformed", f"{name[:80]}: expected one text")
    return values[0]


def several(fields: Mapping[str, Any], name: str) -> list[str]:
    """All texts of a field, in the order of the form. Raises Problem for a file."""
    values = cast("list[Any]", fields.get(name, []))
    if not all(isinstance(value, str) for value in values):
        raise Problem("malformed", f"{name[:80]}: expected texts")
    return cast("list[str]", values)


def file(fields: Mapping[str, Any], name: str) -> tuple[str, bytes] | None:
    """The name and content of an uploaded file; None if none was chosen. Raises Problem for anything else."""
    values = cast("list[Any]", fields.get(name, []))
    if not values or (isinstance(values[0], tuple) and values[0] == ("", b"")):
        return None
    if len(values) != 1 or not isinstance(values[0], tuple):
        raise Problem("malformed", f"{name[:80]}: expected one file")
    return cast("tuple[str, bytes]", values[0])


def resendable(fields: Mapping[str, Any]) -> list[tuple[str, str]] | None:
    """The fields as texts that a page can send again, because a browser does not choose a file again.

    The text of a file `x_file` goes into the field `x`, and its name into `x_name`. None if a file has no such
    field, is no text, or if everything is too long to be sent back and forth.
    """
    texts = {name: values for name, values in fields.items() if name.removesuffix("_file") == name}
    for name in fields.keys() - texts.keys():
        try:
            chosen = file(fields, name)
            content = chosen and chosen[1].decode("utf-8-sig")
        except (Problem, UnicodeDecodeError):
            return None
        if chosen is not None:
            texts |= {name.removesuffix("_file"): [content], f"{name.removesuffix('_file')}_name": [chosen[0]]}
    pairs = [(name, value) for name, values in texts.items() for value in values]
    if not all(isinstance(value, str) for _, value in pairs) or sum(len(v) for _, v in pairs) > LONGEST_RESENT:
        return None
    return pairs
