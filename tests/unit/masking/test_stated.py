"""How a field is masked stands at the field, and what says nothing is hidden."""

from __future__ import annotations

from typing import Any

import pytest

from processors.contracts.avro import Schema, parse
from processors.errors import ContractBroken
from processors.masking.stated import stated


def a_record(name: str = "A", **types: Any) -> Schema:
    """A type is given as it is, or as a pair with its masking."""
    fields: list[dict[str, Any]] = []
    for field, given in types.items():
        type_, masking = given if isinstance(given, tuple) else (given, None)
        fields.append({"name": field, "type": type_} | ({"masking": masking} if masking else {}))
    return parse({"type": "record", "name": name, "fields": fields})


def test_what_is_stated_holds_for_the_name_wherever_it_is() -> None:
    inner = {"type": "record", "name": "I", "fields": [{"name": "by", "type": "string", "masking": "pseudonym"}]}

    assert stated([a_record(one=("string", "text")), a_record("B", list={"type": "array", "items": inner})]) == {
        "one": "text",
        "by": "pseudonym",
        "list": "clear",
    }


@pytest.mark.parametrize(
    "type_",
    [
        pytest.param("string", id="a text"),
        pytest.param("bytes", id="bytes"),
        pytest.param(["null", "string"], id="a text that may be missing"),
        pytest.param({"type": "array", "items": "string"}, id="texts"),
        pytest.param({"type": "map", "values": "int"}, id="a map, whose keys are texts"),
        pytest.param({"type": "fixed", "name": "F", "size": 4}, id="bytes of a fixed size"),
    ],
)
def test_a_text_of_which_nothing_is_stated_has_no_masking(type_: Any) -> None:
    """So it is hidden whole."""
    assert stated([a_record(secret=type_)]) == {}


@pytest.mark.parametrize(
    "type_", ["long", "boolean", ["null", "int"], {"type": "enum", "name": "E", "symbols": ["A"]}]
)
def test_what_can_hold_no_text_is_clear(type_: Any) -> None:
    assert stated([a_record(count=type_)]) == {"count": "clear"}


def test_a_name_that_is_masked_in_two_ways_is_refused() -> None:
    with pytest.raises(ContractBroken, match="`by` is masked as clear and as pseudonym"):
        stated([a_record(by=("string", "clear")), a_record("B", by=("string", "pseudonym"))])
