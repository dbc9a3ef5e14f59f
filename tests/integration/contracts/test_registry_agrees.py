"""The registry judges our own compatibility check: both must give the same answer about each change."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx
import pytest

from processors.contracts.avro import parse
from processors.contracts.compatibility import full_transitive
from processors.embedded import Addresses
from processors.errors import ContractBroken
from processors.stream.admin.subjects import Subjects

pytestmark = pytest.mark.stack

Json = Any


def an_enum(*symbols: str, default: str | None = "UNKNOWN") -> Json:
    named = {"type": "enum", "name": "E", "symbols": ["UNKNOWN", *symbols]}
    return {**named, "default": default} if default else named


def a_record(*fields: Json) -> Json:
    return {
        "type": "record",
        "name": "R",
        "namespace": "compat",
        "fields": [{"name": "id", "type": "string"}, *fields],
    }


def of(type_: Json, **more: Json) -> Json:
    return {"name": "f", "type": type_, **more}


INNER = {"type": "record", "name": "I", "fields": [{"name": "a", "type": "int"}]}
WIDER = {"type": "record", "name": "I", "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": "int"}]}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(a_record(), a_record(of("int", default=0)), id="a field with default comes"),
        pytest.param(a_record(), a_record(of("int")), id="a field without default comes"),
        pytest.param(a_record(of("int", default=0)), a_record(), id="a field with default goes"),
        pytest.param(a_record(of("int")), a_record(), id="a field without default goes"),
        pytest.param(a_record(of("int")), a_record(of("long")), id="a number gets wider"),
        pytest.param(a_record(of("string")), a_record(of("bytes")), id="text becomes bytes"),
        pytest.param(a_record(of("int")), a_record(of(["int", "null"])), id="a field becomes optional"),
        pytest.param(a_record(of(["null", "int"])), a_record(of(["null", "int", "string"])), id="a branch comes"),
        pytest.param(a_record(of(an_enum("A"))), a_record(of(an_enum("A", "B"))), id="a symbol comes"),
        pytest.param(a_record(of(an_enum("A", "B"))), a_record(of(an_enum("A"))), id="a symbol goes"),
        pytest.param(
            a_record(of(an_enum("A", default=None))),
            a_record(of(an_enum("A", "B", default=None))),
            id="a symbol comes without a default",
        ),
        pytest.param(a_record(of(an_enum("A"))), a_record(of("string")), id="an enum becomes text"),
        pytest.param(a_record(of(INNER)), a_record(of(WIDER)), id="a field of an inner record comes"),
        pytest.param(
            a_record(of({"type": "array", "items": "int"})),
            a_record(of({"type": "array", "items": "string"})),
            id="other items",
        ),
        pytest.param(
            a_record(of({"type": "map", "values": "int"})),
            a_record(of({"type": "map", "values": "int"})),
            id="itself",
        ),
        pytest.param(
            a_record(of("long")), a_record(of({"type": "long", "logicalType": "timestamp-millis"})), id="a time"
        ),
    ],
)
def test_the_registry_takes_exactly_what_we_find_compatible(stack: Addresses, old: Json, new: Json) -> None:
    """409 for one is an objection for the other."""
    objections = list(full_transitive(parse(new), [("version 1", parse(old))]))

    with httpx.Client(base_url=stack.registry, trust_env=False, timeout=30) as client:
        subjects, subject = Subjects(client), f"{uuid.uuid4().hex}-value"
        subjects.register(subject, json.dumps(old))
        subjects.set_compatibility(subject, "FULL_TRANSITIVE")
        if objections:
            with pytest.raises(ContractBroken, match="the registry refuses"):
                subjects.register(subject, json.dumps(new))
        else:
            subjects.register(subject, json.dumps(new))


def test_a_subject_is_read_with_all_its_versions(stack: Addresses) -> None:
    """And one that does not exist has none, and no schema."""
    schemas = [a_record(), a_record(of("int", default=0))]
    first, second = map(json.dumps, schemas)

    with httpx.Client(base_url=stack.registry, trust_env=False, timeout=30) as client:
        subjects, subject = Subjects(client), f"{uuid.uuid4().hex}-value"
        before = subjects.read(subject, first)
        for text in (first, second):
            subjects.register(subject, text)
        subjects.set_compatibility(subject, "FULL_TRANSITIVE")
        after = subjects.read(subject, first)

    assert (before.versions, before.holds) == ((), False)
    assert [json.loads(text) for text in after.versions] == schemas
    assert (after.compatibility, after.holds) == ("FULL_TRANSITIVE", True)


def test_how_a_field_is_masked_is_kept_and_changes_nothing_for_readers(stack: Addresses) -> None:
    """The property stands at the field, for whoever reads the schema from the registry."""
    before, after = a_record(of("string", default="")), a_record(of("string", default="", masking="pseudonym"))

    with httpx.Client(base_url=stack.registry, trust_env=False, timeout=30) as client:
        subjects, subject = Subjects(client), f"{uuid.uuid4().hex}-value"
        subjects.register(subject, json.dumps(before))
        subjects.set_compatibility(subject, "FULL_TRANSITIVE")
        subjects.register(subject, json.dumps(after))
        found = subjects.read(subject, json.dumps(after))

    assert [json.loads(text) for text in found.versions] == [before, after]
    assert found.holds
