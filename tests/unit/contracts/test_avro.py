"""A schema as typed values: what it equals, and what is no schema."""

from __future__ import annotations

import pytest

from processors.contracts.avro import Primitive, Record, kind, parse, walk
from processors.errors import ContractBroken

BAND = {"type": "enum", "name": "Band", "doc": "how bad", "symbols": ["UNKNOWN", "LOW"], "default": "UNKNOWN"}


def a_record(*fields: dict[str, object], name: str = "A") -> dict[str, object]:
    return {"type": "record", "name": name, "namespace": "compat", "doc": "d", "fields": list(fields)}


def a_field(name: str, type_: object, **more: object) -> dict[str, object]:
    return {"name": name, "type": type_, "doc": "d", **more}


def test_a_type_in_full_and_one_by_reference_are_the_same() -> None:
    """Where a name is spelled out depends on the order of fields, and means nothing."""
    twice = parse(a_record(a_field("a", BAND), a_field("b", "Band")))

    assert isinstance(twice, Record)
    assert twice.fields[0].type == twice.fields[1].type
    assert kind(twice.fields[1].type) == "enum compat.Band"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param(a_field("a", "int"), a_field("a", {"type": "int"}), True, id="a primitive in an object"),
        pytest.param(a_field("a", "int"), {**a_field("a", "int"), "doc": "other"}, True, id="another doc"),
        pytest.param(a_field("a", "int"), a_field("a", "int", default=0), False, id="a default more"),
        pytest.param(a_field("a", "int", default=0), a_field("a", "int", default=1), False, id="another default"),
        pytest.param(
            a_field("a", "boolean", default=False), a_field("a", "boolean", default=0), False, id="false is not 0"
        ),
        pytest.param(
            a_field("a", "long"),
            a_field("a", {"type": "long", "logicalType": "timestamp-millis"}),
            False,
            id="a time",
        ),
    ],
)
def test_two_schemas_are_equal_if_no_reader_can_tell_them_apart(
    one: dict[str, object], other: dict[str, object], same: bool
) -> None:
    """Docs do not count, since registries differ in whether they make a version; all else does."""
    assert (parse(a_record(one)) == parse(a_record(other))) is same


def test_a_walk_names_every_part_by_its_path() -> None:
    """Paths are what messages point with: fields by dots, items by [], values by {}."""
    schema = parse(a_record(a_field("a", {"type": "array", "items": {"type": "map", "values": ["null", "int"]}})))

    ints = [at for at, part in walk(schema) if part == Primitive("int")]

    assert ints == ["a[]{}"]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        pytest.param(a_record(a_field("a", ["null", "A"])), "contains itself", id="recursion by name"),
        pytest.param(
            a_record(a_field("a", {"type": "array", "items": "compat.A"})), "contains itself", id="by array"
        ),
        pytest.param(a_record(a_field("a", "Nothing")), "no type `Nothing`", id="an unknown name"),
        pytest.param(a_record(a_field("a", BAND), a_field("b", BAND)), "defined twice", id="a name twice"),
        pytest.param({"type": "record", "name": "A"}, "`fields` to be a list", id="no fields"),
        pytest.param({"type": "enum", "name": "A"}, "`symbols` to be a list", id="no symbols"),
        pytest.param({"type": "record", "fields": []}, "`name` to be a str", id="no name"),
        pytest.param(a_record({"type": "int"}), "`name` to be a str", id="a field without a name"),
        pytest.param(a_record({"name": "a"}), "a: expected a schema, found `None`", id="a field without a type"),
        pytest.param(7, "expected a schema, found `7`", id="a number"),
        pytest.param(
            {"type": "record", "name": "A", "fields": ["x"]},
            "each of `fields` to be a dict, found `'x'`",
            id="a text",
        ),
        pytest.param(
            a_record(a_field("a", {**BAND, "symbols": ["UNKNOWN", 1]})),
            "a: expected each of `symbols`",
            id="symbols",
        ),
        pytest.param(
            a_record(a_field("a", {**BAND, "default": ["UNKNOWN"]})), "`default` to be a str", id="default"
        ),
        pytest.param(a_record({**a_field("a", "int"), "doc": 1}), "a: expected `doc` to be a str", id="a doc"),
        pytest.param({**a_record(), "namespace": []}, "`namespace` to be a str", id="a namespace"),
        pytest.param(
            a_record(a_field("a", {"type": "long", "logicalType": {}})), "`logicalType` to be a str", id="logical"
        ),
    ],
)
def test_what_is_no_schema_of_ours_is_refused(raw: object, says: str) -> None:
    """The message says where; a recursive schema is valid Avro and refused all the same."""
    with pytest.raises(ContractBroken, match=says):
        parse(raw)


def test_a_schema_that_nests_without_end_is_refused() -> None:
    """A deep document must not end the process."""
    raw: object = "int"
    for _ in range(100_000):
        raw = {"type": "array", "items": raw}

    with pytest.raises(ContractBroken, match="too deep"):
        parse(raw)
