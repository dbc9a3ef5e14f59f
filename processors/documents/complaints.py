"""Converts pydantic's validation errors of a configuration file to the guard's own messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from processors.documents import yaml_text
from processors.errors import DocumentRefused, nearest

_TRANSPARENT = (Union, UnionType, Annotated)
"""Validators that wrap a model without adding a step to the path."""


def refusal(error: ValidationError, document: type[BaseModel]) -> DocumentRefused:
    """One error, with its place.

    Unknown keys come first, with a suggestion: a misspelled key also makes a required key missing, and only the
    first error points at the mistake.
    """
    found = error.errors(include_input=False, include_url=False)
    first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
    where = yaml_text.where(first["loc"])
    if first["type"] == "model_type":
        return DocumentRefused(where, "expected a mapping")
    if first["type"] == "extra_forbidden":
        *parent, key = first["loc"]
        known = {name for model in _models(document, parent) for name in _fields(model)}
        return DocumentRefused(where, f"there is no such key; {nearest(str(key), known)}")
    message = first["msg"].removeprefix("Value error, ")
    return DocumentRefused(where, message[:1].lower() + message[1:])


def _models(kind: Any, path: Sequence[int | str]) -> Iterator[type[BaseModel]]:
    """The possible models at a path, starting from a type."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if not path:
            yield kind
        elif field := _fields(kind).get(str(path[0])):
            yield from _models(field.annotation, path[1:])
        elif path[0] in _tags(kind):
            yield from _models(kind, path[1:])
        return
    inside = path if get_origin(kind) in _TRANSPARENT else path[1:]
    for part in get_args(kind):
        yield from _models(part, inside)


def _tags(model: type[BaseModel]) -> set[Any]:
    """What may stand in a path for the choice of this model among several: the value that told them apart."""
    literals = (
        field.annotation for field in model.model_fields.values() if get_origin(field.annotation) is Literal
    )
    return {value for literal in literals for value in get_args(literal)}


def _fields(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """By the names that they have in a file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}
