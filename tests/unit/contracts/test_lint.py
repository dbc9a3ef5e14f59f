"""What a schema of ours must be beyond valid Avro."""

from __future__ import annotations

import pytest

from processors.contracts.avro import parse
from processors.contracts.lint import lint_names, lint_schema

BAND = {"type": "enum", "name": "Band", "doc": "how bad", "symbols": ["UNKNOWN", "LOW"], "default": "UNKNOWN"}
EMPTY = {"type": "record", "name": "Empty", "doc": "d", "fields": [{"name": "n", "type": "null", "doc": "d"}]}


def an_event(*fields: dict[str, object], name: str = "Event", doc: str = "d") -> dict[str, object]:
    return {"type": "record", "name": name, "namespace": "compat", "doc": doc, "fields": list(fields)}


def of(type_: object, **more: object) -> dict[str, object]:
    return {"name": "a", "type": type_, "doc": "d", **more}


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        pytest.param(an_event(of("string")), [], id="a sound schema"),
        pytest.param(an_event(of(BAND)), [], id="an enum with its default"),
        pytest.param(an_event({"name": "a", "type": "int"}), ["Event.a: has no doc"], id="a field without doc"),
        pytest.param(an_event(doc=""), ["record compat.Event has no doc"], id="a record without doc"),
        pytest.param(an_event(of({**BAND, "doc": ""})), ["enum compat.Band has no doc"], id="an enum without doc"),
        pytest.param(an_event(of({**BAND, "default": "LOW"})), ["UNKNOWN as its default"], id="another default"),
        pytest.param(an_event(of({**BAND, "symbols": ["LOW"]})), ["UNKNOWN as its default"], id="no such symbol"),
        pytest.param(an_event(of({"type": "array", "items": "null"})), ["take no bytes"], id="a list of nothing"),
        pytest.param(an_event(of({"type": "array", "items": EMPTY})), ["take no bytes"], id="of empty records"),
        pytest.param(
            an_event(of({"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}})),
            ["take no bytes"],
            id="of empty fixed values",
        ),
        pytest.param(
            an_event(of({"type": "array", "items": ["null", "int"]})), [], id="a list of unions has bytes"
        ),
        pytest.param(
            an_event(of({"type": "string", "logicalType": "uuid"})), ["only timestamp-millis"], id="a logical type"
        ),
        pytest.param(
            an_event(of({"type": "int", "logicalType": "timestamp-millis"})),
            ["only timestamp-millis"],
            id="on an int",
        ),
        pytest.param(an_event(of(["null", "int"], default=None)), [], id="null for a union that begins with it"),
        pytest.param(
            an_event(of(["null", "int"], default=0)), ["first branch"], id="a default of the second branch"
        ),
        pytest.param(
            an_event(of("int", default="0")), ['default `"0"` is not of its type'], id="text for a number"
        ),
        pytest.param(an_event(of("int", default=True)), ["is not of its type"], id="true is no number"),
        pytest.param(an_event(of(BAND, default="HIGH")), ["is not of its type"], id="no symbol of the enum"),
        pytest.param(
            an_event(of({"type": "array", "items": "int"}, default=["x"])), ["is not of"], id="a wrong item"
        ),
        pytest.param(an_event(name="Other"), ["expected the name `compat.Event`"], id="not named like its file"),
        pytest.param(["null", "int"], ["an event is a record"], id="not a record"),
        pytest.param(an_event(of(["null", "Event"])), ["contains itself"], id="recursion"),
    ],
)
def test_a_schema_has_the_problems_that_it_has(raw: object, says: list[str]) -> None:
    """One problem for each thing that is wrong, none for what is right."""
    found = [str(problem) for problem in lint_schema("Event", raw)]

    assert len(found) == len(says)
    assert all(part in problem for part, problem in zip(says, found, strict=True))


@pytest.mark.parametrize(
    ("other", "clash"),
    [
        pytest.param(BAND, False, id="the same"),
        pytest.param({**BAND, "symbols": ["UNKNOWN", "LOW", "HIGH"]}, True, id="other symbols"),
        pytest.param({**BAND, "doc": "how good"}, True, id="another doc"),
    ],
)
def test_a_name_means_one_thing_in_all_events(other: dict[str, object], clash: bool) -> None:
    """Generated code has one class for a name, and so must all schemas."""
    found = list(
        lint_names({"One": parse(an_event(of(BAND), name="One")), "Two": parse(an_event(of(other), name="Two"))})
    )

    assert [problem.where for problem in found] == (["Two"] if clash else [])
