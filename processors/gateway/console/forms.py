"""Fields of a form that a page sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from processors.gateway.problems import Problem


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
