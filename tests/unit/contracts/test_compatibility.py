"""Whether a reader understands a writer: cases by hand, and fastavro's own resolution as the judge."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.contracts.avro import parse
from processors.contracts.compatibility import full_transitive, unreadable

Json = Any


def an_enum(*symbols: str, name: str = "E", **more: str) -> Json:
    return {"type": "enum", "name": name, "doc": "d", "symbols": ["UNKNOWN", *symbols], **more}


def a_record(**fields: Json) -> Json:
    """Fields by name; a pair is a type and its default."""
    written = [
        {"name": name, "type": of[0], "default": of[1]} if isinstance(of, tuple) else {"name": name, "type": of}
        for name, of in fields.items()
    ]
    return {"type": "record", "name": "R", "namespace": "compat", "doc": "d", "fields": written}


@pytest.mark.parametrize(
    ("reader", "writer", "objections"),
    [
        pytest.param(a_record(a="int"), a_record(a="int"), [], id="itself"),
        pytest.param(a_record(a="int", b=("int", 0)), a_record(a="int"), [], id="a field more, with default"),
        pytest.param(a_record(a="int", b="int"), a_record(a="int"), ["b: is not written"], id="without default"),
        pytest.param(a_record(a="int"), a_record(a="int", b="int"), [], id="a field less"),
        pytest.param(a_record(a="long"), a_record(a="int"), [], id="a wider number"),
        pytest.param(
            a_record(a="int"), a_record(a="long"), ["a: long is not readable as int"], id="a narrower one"
        ),
        pytest.param(a_record(a=["null", "int"]), a_record(a="int"), [], id="into a union"),
        pytest.param(a_record(a="int"), a_record(a=["null", "int"]), ["a: null is not"], id="out of a union"),
        pytest.param(a_record(a=["null", "int"]), a_record(a="string"), ["no branch reads string"], id="no branch"),
        pytest.param(
            a_record(a=an_enum(default="UNKNOWN")), a_record(a=an_enum("X")), [], id="a new symbol, with a default"
        ),
        pytest.param(a_record(a=an_enum()), a_record(a=an_enum("X")), ["no default for X"], id="and without"),
        pytest.param(
            a_record(a=an_enum()), a_record(a=an_enum(name="F")), ["enum compat.F is not readable"], id="renamed"
        ),
        pytest.param(
            a_record(a={"type": "array", "items": "int"}),
            a_record(a={"type": "array", "items": "string"}),
            ["a[]: string is not readable as int"],
            id="within a list",
        ),
        pytest.param(
            a_record(a={"type": "map", "values": "int"}),
            a_record(a={"type": "map", "values": "string"}),
            ["a{}: string is not readable as int"],
            id="within a map",
        ),
        pytest.param(
            a_record(a={"type": "fixed", "name": "F", "size": 2}),
            a_record(a={"type": "fixed", "name": "F", "size": 3}),
            ["a: fixed compat.F is not"],
            id="another size",
        ),
    ],
)
def test_a_reader_reads_a_writer_or_says_why_not(reader: Json, writer: Json, objections: list[str]) -> None:
    """Each objection names the field by its path."""
    found = list(unreadable(reader=parse(reader), writer=parse(writer)))

    assert len(found) == len(objections)
    assert all(part in why for part, why in zip(objections, found, strict=True))


def test_a_schema_must_go_with_every_released_one_both_ways() -> None:
    """A field that was dropped and comes back otherwise is compatible with the last version, not with the first."""
    first, second = parse(a_record(a=("int", 0))), parse(a_record())

    against_last = list(full_transitive(parse(a_record(a=("string", ""))), [("version 2", second)]))
    against_all = list(
        full_transitive(parse(a_record(a=("string", ""))), [("version 1", first), ("version 2", second)])
    )

    assert against_last == []
    assert against_all == [
        "cannot read version 1: a: int is not readable as string",
        "version 1 cannot read it: a: string is not readable as int",
    ]


PRIMITIVES = st.sampled_from(["int", "long", "string", "boolean"])
ENUMS = st.sets(st.sampled_from("XYZ")).map(lambda found: an_enum(*sorted(found), default="UNKNOWN"))
PLAIN = st.one_of(PRIMITIVES, PRIMITIVES.map(lambda of: {"type": "array", "items": of}))
TYPES = st.one_of(PLAIN, PRIMITIVES.map(lambda of: ["null", of]))
ZERO = {"int": 0, "long": 1, "string": "s", "boolean": False, "null": None}


def zero(of: Json) -> Json:
    """A value of a type, also good as its default."""
    if isinstance(of, list):
        return zero(of[0])
    if isinstance(of, str):
        return ZERO[of]
    return {"array": [], "enum": "UNKNOWN"}[of["type"]]


def values(of: Json) -> st.SearchStrategy[Json]:
    """Values that exercise each branch and symbol."""
    if isinstance(of, list):
        return st.one_of(*map(values, of))
    if isinstance(of, str):
        return st.just(ZERO[of])
    return st.lists(values(of["items"]), max_size=2) if of["type"] == "array" else st.sampled_from(of["symbols"])


@st.composite
def schemas(draw: st.DrawFn) -> Json:
    fields = draw(st.dictionaries(st.sampled_from("abc"), TYPES, max_size=3))
    with_default = {name: (of, zero(of)) if draw(st.booleans()) else of for name, of in fields.items()}
    return a_record(**with_default, e=draw(ENUMS))


@settings(max_examples=300, deadline=None)
@given(reader=schemas(), writer=schemas(), data=st.data())
def test_what_is_compatible_decodes(reader: Json, writer: Json, data: st.DataObject) -> None:
    """Whatever the writer may write, a reader without objections decodes, says an implementation not ours."""
    if any(unreadable(reader=parse(reader), writer=parse(writer))):
        return
    record = {field["name"]: data.draw(values(field["type"])) for field in writer["fields"]}
    out = BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(writer), record)
    out.seek(0)

    read = fastavro.schemaless_reader(out, fastavro.parse_schema(writer), fastavro.parse_schema(reader))

    assert set(read) == {field["name"] for field in reader["fields"]}


def test_the_generator_reaches_both_answers() -> None:
    """A property over pairs that never agree, or never differ, would prove nothing."""
    answers: set[bool] = set()

    @settings(max_examples=100, deadline=None, database=None)
    @given(reader=schemas(), writer=schemas())
    def look(reader: Json, writer: Json) -> None:
        answers.add(any(unreadable(reader=parse(reader), writer=parse(writer))))

    look()

    assert answers == {True, False}
