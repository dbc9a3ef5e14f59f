"""What makes a schema unsafe, and how the tail is cut off."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.configuration.settings import settings as settings_of
from processors.errors import DocumentRefused, EventUnreadable
from processors.events.subject import Host, Manifest, Subject
from processors.events.subject_record import subject_to_record
from processors.stream.wire.bounds import DEEPEST
from processors.stream.wire.schema import Schema, Schemas

LINE = {"type": "record", "name": "Line", "fields": [{"name": "text", "type": "string"}]}
LETTER = {
    "type": "record",
    "name": "Letter",
    "namespace": "test",
    "doc": "a small event with a big last field",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "stamp", "type": ["null", {"type": "enum", "name": "Stamp", "symbols": ["UNKNOWN", "RED"]}]},
        {"name": "greeting", "type": LINE},
        {"name": "content", "type": {"type": "record", "name": "Content", "fields": [
            {"name": "lines", "type": {"type": "array", "items": "test.Line"}},
            {"name": "stamp", "type": "Stamp"},
        ]}},
    ],
}  # fmt: skip

letters = st.fixed_dictionaries({
    "id": st.text(),
    "at": st.integers(-(2**63), 2**63 - 1),
    "stamp": st.none() | st.sampled_from(["UNKNOWN", "RED"]),
    "greeting": st.fixed_dictionaries({"text": st.text()}),
    "content": st.fixed_dictionaries({
        "lines": st.lists(st.fixed_dictionaries({"text": st.text()})),
        "stamp": st.sampled_from(["UNKNOWN", "RED"]),
    }),
})  # fmt: skip


def read(schema: Any) -> Schema:
    return Schema.read(json.dumps(schema))


def record_of(*types: Any, **more: Any) -> dict[str, Any]:
    fields = [{"name": f"f{n}", "type": type_} for n, type_ in enumerate(types)]
    return {"type": "record", "name": "R", "fields": fields, **more}


def billion_laughs() -> dict[str, Any]:
    inner: Any = {"type": "record", "name": "N0", "fields": [{"name": "a", "type": "null"}]}
    for n in range(1, DEEPEST // 2):
        fields = [{"name": "a", "type": inner}, {"name": "b", "type": f"N{n - 1}"}]
        inner = {"type": "record", "name": f"N{n}", "fields": fields}
    return record_of(inner)


def deep() -> dict[str, Any]:
    inner: Any = "int"
    for _ in range(DEEPEST + 1):
        inner = {"type": "array", "items": inner}
    return record_of(inner)


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        pytest.param(record_of(["null", "R"]), "contains itself", id="a record in itself"),
        pytest.param(record_of({"type": "array", "items": "R"}), "contains itself", id="a list of itself"),
        pytest.param(
            record_of(record_of({"type": "map", "values": "R"}, name="B")),
            "contains itself",
            id="a map to itself, by way of another",
        ),
        pytest.param(record_of({"type": "array", "items": "null"}), "take no bytes", id="array of null"),
        pytest.param(
            record_of({"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}}),
            "take no bytes",
            id="array of nothing fixed",
        ),
        pytest.param(
            record_of({"type": "array", "items": record_of("null", name="E")}),
            "take no bytes",
            id="array of empty records",
        ),
        pytest.param(billion_laughs(), "values at most", id="a few names for billions of values"),
        pytest.param(deep(), "levels deep", id="nested too deep"),
        pytest.param(record_of("Nowhere"), "not defined", id="a name from nowhere"),
        pytest.param(record_of(LINE, LINE), "defined twice", id="a name with two meanings"),
        pytest.param("string", "an event is a record", id="not a record"),
        pytest.param(record_of(), "at least one field", id="a record of nothing"),
        pytest.param({"type": "record", "name": "R"}, "list of fields", id="a record without fields"),
        pytest.param({"type": "record", "name": "R", "fields": [7]}, "not an Avro schema", id="a field of 7"),
        pytest.param(record_of({"type": "enum", "name": "E"}), "not an Avro schema", id="an enum without symbols"),
    ],
)  # fmt: skip
def test_a_schema_that_could_exhaust_the_process_is_refused(schema: Any, why: str) -> None:
    """Whatever a message of bounded size can blow up is refused before anything is decoded with it."""
    with pytest.raises(DocumentRefused, match=why):
        read(schema)


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, '{"type": "record", "name": "R", "fields": "x"}', "null", "1e9"]
)
def test_what_is_no_schema_at_all_is_refused(text: str) -> None:
    """A registry may hold anything; reading it never raises another error."""
    with pytest.raises(DocumentRefused):
        Schema.read(text)


def test_a_name_may_be_used_twice_without_recursion() -> None:
    """Reuse is not recursion."""
    schema = read(record_of(LINE, "Line"))

    assert schema.decode(schema.encode({"f0": {"text": "a"}, "f1": {"text": "b"}})) == {
        "f0": {"text": "a"},
        "f1": {"text": "b"},
    }


@settings(max_examples=100)
@given(letters)
def test_envelope_and_tail_are_the_whole(letter: dict[str, Any]) -> None:
    """Cutting the tail off and joining it again changes no byte, and the tail alone reads back."""
    schema = read(LETTER)
    body = schema.encode(letter)

    envelope, raw = schema.split(body, 0)

    assert {**envelope, "content": schema.decode_tail(raw)} == letter
    assert schema.encode_envelope(envelope) + schema.encode_tail(letter["content"]) == body
    assert schema.decode(body) == letter


def test_times_are_plain_milliseconds() -> None:
    """A time of 2^62 is a number like any other: no calendar is asked."""
    schema = read(record_of({"type": "long", "logicalType": "timestamp-millis"}))

    assert schema.decode(schema.encode({"f0": 2**62})) == {"f0": 2**62}


@pytest.mark.parametrize("record", [{}, {"f0": "a", "f1": "b"}, {"f0": None}])
def test_an_event_with_other_fields_than_its_schema_is_not_written(record: dict[str, Any]) -> None:
    """Nothing is dropped, filled in or turned into text silently."""
    with pytest.raises((ValueError, TypeError)):
        read(record_of("string")).encode(record)


def test_documentation_does_not_make_another_layout() -> None:
    """Two schemas that differ in words only read the same bytes, so the fast path may be taken."""
    assert read(LETTER).plain == read({**LETTER, "doc": "other words"}).plain


SIZES: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("cut", lambda body: body[:-1]),
    ("empty", lambda _: b""),
    ("longer", lambda body: body + b"\0"),
]


@pytest.mark.parametrize(("name", "spoil"), SIZES, ids=[name for name, _ in SIZES])
def test_a_body_of_another_length_is_unreadable(name: str, spoil: Callable[[bytes], bytes]) -> None:
    """A record takes all of its bytes and no more."""
    schema = read(record_of("string", "string"))

    with pytest.raises(EventUnreadable) as refused:
        schema.decode(spoil(schema.encode({"f0": "a", "f1": "b"})))

    assert refused.value.stage == "body"


def test_schemas_are_found_by_event(tmp_path: Path) -> None:
    (tmp_path / "Letter.avsc").write_text(json.dumps(LETTER))

    schemas = Schemas.load(tmp_path)

    assert list(schemas) == ["Letter"]
    assert schemas["Letter"].tail_name == "content"


def test_a_schema_in_the_wrong_file_is_refused(tmp_path: Path) -> None:
    """Events are looked up by file name, so the names must agree."""
    (tmp_path / "Parcel.avsc").write_text(json.dumps(LETTER))

    with pytest.raises(DocumentRefused, match=r"Parcel\.avsc: holds `Letter`"):
        Schemas.load(tmp_path)


def test_a_schema_is_looked_up_as_the_text_that_was_registered() -> None:
    """However its file is laid out: registries compare texts."""
    assert Schema.read(json.dumps(LETTER, indent=4)).text == json.dumps(LETTER, separators=(",", ":"))


def test_every_shipped_schema_is_safe() -> None:
    """The contract itself passes what we demand of others."""
    schemas = Schemas.load(Path(__file__).parents[4] / "schemas")

    assert schemas["InstallRequested"].tail_name == "subject"
    assert schemas["CompatibilityChecked"].tail_name == schemas["InstallBlocked"].tail_name == "report"


def test_a_tail_that_was_kept_is_written_as_the_schema_is_now() -> None:
    """Fields that were added to its end since have their defaults; anything else is no earlier version."""
    question = Schemas.load(settings_of().schemas)["InstallRequested"]
    whole = question.encode_tail(
        subject_to_record(Subject(manifest=Manifest(id="a", version="1"), host=Host("h", "2")))
    )
    earlier = whole[:-1]  # without `together`, which is an empty list, one byte

    assert question.renewed_tail(whole) == whole
    assert question.renewed_tail(earlier) == whole
    with pytest.raises(EventUnreadable):
        question.renewed_tail(whole + b"x")
