"""Whether a reader with one Avro schema understands what was written with another.

The rules are those of "Schema Resolution" in the Avro 1.12 specification. A schema registry applies them too; here
they need no server, so that a pull request fails before it reaches any registry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from processors.contracts.avro import Array, Enum, Fixed, Map, Primitive, Record, Schema, Union, join, kind

_PROMOTIONS = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}


def full_transitive(new: Schema, released: Iterable[tuple[str, Schema]]) -> Iterator[str]:
    """What makes a schema incompatible with any released one, in both directions. Empty if it is compatible.

    `released` are pairs of a label and a schema, such as ("version 2", schema). Each objection is a sentence with
    the path of its field.
    """
    for label, old in released:
        for why in unreadable(reader=new, writer=old):
            yield f"cannot read {label}: {why}"
        for why in unreadable(reader=old, writer=new):
            yield f"{label} cannot read it: {why}"


def unreadable(*, reader: Schema, writer: Schema, at: str = "") -> Iterator[str]:
    """Each reason why some value of the writer's schema cannot be read with the reader's."""
    if isinstance(writer, Union):
        for branch in writer.branches:
            yield from unreadable(reader=reader, writer=branch, at=at)
    elif isinstance(reader, Union):
        if not any(_readable(reader=branch, writer=writer) for branch in reader.branches):
            yield f"{at or 'top'}: no branch reads {kind(writer)}"
    else:
        yield from _unlike(reader, writer, at)


def _readable(*, reader: Schema, writer: Schema) -> bool:
    return next(unreadable(reader=reader, writer=writer), None) is None


def _unlike(reader: Schema, writer: Schema, at: str) -> Iterator[str]:
    match reader, writer:
        case Primitive(), Primitive() if reader.name == writer.name or reader.name in _PROMOTIONS.get(
            writer.name, ()
        ):
            return
        case Array(), Array():
            yield from unreadable(reader=reader.items, writer=writer.items, at=f"{at}[]")
        case Map(), Map():
            yield from unreadable(reader=reader.values, writer=writer.values, at=f"{at}{{}}")
        case Fixed(), Fixed() if reader == writer:
            return
        case Enum(), Enum() if reader.name == writer.name:
            yield from _missing_symbols(reader, writer, at)
        case Record(), Record() if reader.name == writer.name:
            yield from _unlike_fields(reader, writer, at)
        case _:
            yield f"{at or 'top'}: {kind(writer)} is not readable as {kind(reader)}"


def _missing_symbols(reader: Enum, writer: Enum, at: str) -> Iterator[str]:
    missing = set(writer.symbols) - set(reader.symbols)
    if missing and reader.default is None:
        yield f"{at or 'top'}: enum {reader.name} has no default for {', '.join(sorted(missing))}"


def _unlike_fields(reader: Record, writer: Record, at: str) -> Iterator[str]:
    written = {field.name: field.type for field in writer.fields}
    for field in reader.fields:
        here = join(at, field.name)
        if field.name in written:
            yield from unreadable(reader=field.type, writer=written[field.name], at=here)
        elif field.default is None:
            yield f"{here}: is not written and has no default"
