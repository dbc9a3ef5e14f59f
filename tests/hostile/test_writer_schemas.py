"""Schemas that a stranger registered under one of our subjects: what cannot be read with them is the writer's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from processors.configuration.settings import shipped
from processors.errors import EventUnreadable
from processors.events.topics import INSTALL_REQUESTS
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas

OURS = json.loads((shipped("schemas") / "InstallRequested.avsc").read_text())


def other(**more: Any) -> str:
    """Our schema with some of its parts replaced."""
    return json.dumps({**OURS, **more})


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


INCOMPATIBLE = {
    "another name": other(name="SomethingElse", fields=[field("x", "long")]),
    "a field of another type": other(fields=[field("request_id", "long"), *OURS["fields"][1:]]),
    "fields that we need are missing": other(fields=OURS["fields"][:2]),
    "an enum without our symbols": other(
        fields=[
            field("action", {"type": "enum", "name": "A", "symbols": ["X"]}) if f["name"] == "action" else f
            for f in OURS["fields"]
        ]
    ),
    "a union where we have a record": other(fields=[*OURS["fields"][:-1], field("subject", ["null", "string"])]),
    "a default of the wrong type": other(fields=[field("request_id", "string", default=7)]),
    "a negative size": other(fields=[field("request_id", {"type": "fixed", "name": "F", "size": -1})]),
    "a record that is a list": other(fields=[field("request_id", [[]])]),
    "no record at all": json.dumps("string"),
    "not even JSON": "{",
    "numbers without end": '{"type":"fixed","name":"F","size":' + "9" * 5000 + "}",
    "nested without end": "[" * 20_000,
}


@pytest.mark.parametrize("text", INCOMPATIBLE.values(), ids=INCOMPATIBLE)
@pytest.mark.parametrize("body", [b"", b"\2a", b"\0" * 80, b"\xff" * 12], ids=["empty", "short", "zeros", "ones"])
def test_a_record_of_an_incompatible_writer_is_unreadable_and_not_our_own_failure(text: str, body: bytes) -> None:
    """Eight of them opened the breaker."""
    registry = OfflineRegistry()
    id = registry.register(f"{INSTALL_REQUESTS}-value", text)
    value = b"\0" + id.to_bytes(4, "big") + body
    decode = Codec(Schemas.load(shipped("schemas")), registry).decoder(INSTALL_REQUESTS, "InstallRequested")

    for read in (decode, decode.split):
        with pytest.raises(EventUnreadable) as refused:
            read(value)
        assert refused.value.stage in {"schema", "body"}
