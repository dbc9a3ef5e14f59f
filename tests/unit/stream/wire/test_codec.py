"""What comes off a topic is the event it should be, or is refused with the stage it failed at."""

import gzip
import json
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.errors import EventUnreadable, RegistryUnavailable
from processors.stream.types import LARGEST_VALUE
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.registry import SchemaRegistry
from processors.stream.wire.schema import Schema, Schemas

TOPIC, SUBJECT = "letters", "letters-value"


def letter_schema(*colours: str, fields: tuple[dict[str, Any], ...] = ()) -> str:
    stamp = {"type": "enum", "name": "Stamp", "symbols": ["UNKNOWN", *colours], "default": "UNKNOWN"}
    return json.dumps({
        "type": "record",
        "name": "Letter",
        "fields": [
            {"name": "id", "type": "string"},
            {"name": "stamp", "type": stamp},
            *fields,
            {"name": "content", "type": {"type": "array", "items": "string"}},
        ],
    })  # fmt: skip


OURS = letter_schema("RED")
LETTER = {"id": "a", "stamp": "RED", "content": ["dear", "reader"]}


class World:
    """A registry, our codec, and a way to write with schemas that are not ours."""

    def __init__(self, *, canonical: bool = False) -> None:
        self.registry = OfflineRegistry()
        codec = Codec(Schemas({"Letter": Schema.read(OURS)}), self.registry)
        self.encode = codec.encoder(TOPIC, "Letter")
        self.decode = codec.decoder(TOPIC, "Letter", canonical=canonical)

    def foreign(self, text: str, body: bytes, subject: str = SUBJECT) -> bytes:
        return b"\0" + self.registry.register(subject, text).to_bytes(4) + body

    def refusal(self, value: bytes | None) -> EventUnreadable:
        with pytest.raises(EventUnreadable) as whole:
            self.decode(value)
        with pytest.raises(EventUnreadable) as split:
            self.decode.tail(self.decode.split(value)[1])
        assert split.value.stage == whole.value.stage
        return whole.value


def test_what_is_written_is_read() -> None:
    world = World()

    assert world.decode(world.encode(LETTER)) == LETTER


def test_splitting_a_second_letter_takes_the_fast_path_to_the_same_result() -> None:
    """The first letter of a schema is read whole, later ones are cut; nobody can tell the difference."""
    world = World()
    value = world.encode(LETTER)

    first, second = world.decode.split(value), world.decode.split(value)

    assert first == second == ({"id": "a", "stamp": "RED"}, world.encode.tail(["dear", "reader"]))
    assert world.encode.join(*second) == value


@pytest.mark.parametrize(
    ("value", "stage"),
    [
        pytest.param(None, "tombstone", id="a tombstone"),
        pytest.param(b"", "wire", id="an empty value is not a tombstone"),
        pytest.param(b"\0\0\0", "wire", id="three bytes"),
        pytest.param(b"\1\0\0\0\1\2a", "wire", id="wrong magic"),
        pytest.param(b'{"id": "a"}', "wire", id="JSON"),
        pytest.param(gzip.compress(b"hello"), "wire", id="gzip"),
        pytest.param(b"\xff" * 20, "wire", id="magic above 127"),
        pytest.param(b"\0\0\0\0\x63\2a", "schema", id="unknown schema id"),
        pytest.param(b"\0\xff\xff\xff\xff\2a", "schema", id="the largest schema id"),
        pytest.param(b"\0" * (LARGEST_VALUE + 1), "size", id="too large"),
    ],
)
def test_bytes_that_are_no_event_are_refused(value: bytes | None, stage: str) -> None:
    """Each with the stage that its reading came to, also where only the envelope is asked for."""
    world = World()
    world.decode(world.encode(LETTER))

    assert world.refusal(value).stage == stage


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\2a", id="half"),
        pytest.param(b"\2a\2\0\0", id="trailing"),
        pytest.param(b"\4\xff\xfe\2\0", id="not UTF-8"),
        pytest.param(b"\6\xed\xa0\x80\2\0", id="a lone surrogate"),
        pytest.param(b"\2a\x0e\0", id="enum index beyond the last"),
        pytest.param(b"\2a\2" + b"\xff" * 9 + b"\1\0", id="a block count of -2^63"),
        pytest.param(b"\2a\2\x80\x80\x80\x80\x10\0", id="a block count of 2^31"),
        pytest.param(b"\xff" * 30, id="a number without end"),
        pytest.param(b"\x09abc", id="a negative length"),
        pytest.param(b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\1a", id="a length of 2^63"),
    ],
)
@pytest.mark.parametrize("known", [True, False], ids=["schema seen before", "schema seen first"])
def test_a_body_that_does_not_fit_its_schema_is_refused(body: bytes, known: bool) -> None:
    world = World()
    if known:
        world.decode(world.encode(LETTER))

    assert world.refusal(world.foreign(OURS, body)).stage == "body"


def test_a_message_about_a_body_does_not_quote_it() -> None:
    """Errors end up in logs and headers, and bodies may hold secrets."""
    world = World()

    assert "hunter2" not in str(world.refusal(world.foreign(OURS, b"\x14hunter2\xff\xfe\xff")))


def test_a_schema_of_another_subject_is_refused() -> None:
    """An id that is registered, but for another topic, proves nothing about this one."""
    world = World()

    assert world.refusal(world.foreign(OURS, b"\2a\2\0", subject="parcels-value")).stage == "schema"


RECURSIVE = json.dumps(
    {"type": "record", "name": "Letter", "fields": [{"name": "next", "type": ["null", "Letter"]}]}
)
WEIGHTLESS = json.dumps({
    "type": "record", "name": "Letter", "fields": [{"name": "content", "type": {"type": "array", "items": "null"}}]
})  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        pytest.param(RECURSIVE, b"\2" * 5000 + b"\0", id="a list 5,000 deep, which overflows fastavro's stack"),
        pytest.param(WEIGHTLESS, b"\x80\x80\x80\x80\x10\0", id="2^31 times nothing"),
        pytest.param("not json", b"\0", id="a schema that is none"),
    ],
)
def test_a_dangerous_schema_is_refused_before_it_is_used(schema: str, body: bytes) -> None:
    """Even when it is registered for the very subject."""
    world = World()

    assert world.refusal(world.foreign(schema, body)).stage == "schema"


def test_a_newer_writer_is_read_as_ours() -> None:
    """An unknown colour is UNKNOWN, an unknown field is left out, and the tail is ours again."""
    world = World()
    newer = letter_schema("RED", "BLUE", fields=({"name": "weight", "type": "int", "default": 0},))
    body = Schema.read(newer).encode({**LETTER, "stamp": "BLUE", "weight": 7})

    envelope, raw = world.decode.split(world.foreign(newer, body))

    assert envelope == {"id": "a", "stamp": "UNKNOWN"}
    assert raw == world.encode.tail(LETTER["content"])


COUNTED = json.dumps({
    "type": "record",
    "name": "Letter",
    "fields": [
        {"name": "pages", "type": "int"},
        {"name": "at", "type": "long"},
        {"name": "stamps", "type": ["null", {"type": "array", "items": "int"}]},
        {"name": "content", "type": {"type": "record", "name": "Content", "fields": [
            {"name": "words", "type": {"type": "map", "values": "int"}},
        ]}},
    ],
})  # fmt: skip


def counted(*, pages: int = 1, at: int = 1, stamp: int = 1, words: int = 1) -> dict[str, Any]:
    return {"pages": pages, "at": at, "stamps": [stamp], "content": {"words": {"a": words}}}


def wide(text: str) -> str:
    """The schema of somebody who writes 64 bits: the bytes of an `int` and of a `long` are alike."""
    return text.replace('"int"', '"long"')


@pytest.mark.parametrize("field", ["pages", "stamp", "words"])
def test_an_int_has_32_bits_wherever_it_stands(field: str) -> None:
    """Our own schema, or a foreign one that is as ours but for the documentation."""
    codec = Codec(Schemas({"Letter": Schema.read(COUNTED)}), registry := OfflineRegistry())
    prefix, decode = codec.encoder(TOPIC, "Letter").look_up(), codec.decoder(TOPIC, "Letter")
    registry.register(SUBJECT, COUNTED.replace('"name": "pages"', '"name": "pages", "doc": "how many"'))
    for end in (-(2**31), 2**31 - 1):
        for first in (prefix, b"\0\0\0\0\2"):
            assert decode(first + Schema.read(COUNTED).encode(counted(**{field: end}))) == counted(**{field: end})
    for number in (-(2**31) - 1, 2**31, 2**40, 2**63 - 1):
        body = Schema.read(wide(COUNTED)).encode(counted(at=number, **{field: number}))
        for first in (prefix, b"\0\0\0\0\2"):
            with pytest.raises(EventUnreadable) as whole:
                decode(first + body)
            with pytest.raises(EventUnreadable) as split:
                decode.tail(decode.split(first + body)[1])
            assert whole.value.stage == split.value.stage == "body"


def test_an_int_of_an_older_writer_is_a_long() -> None:
    """Avro promotes numbers, and only in that direction."""
    registry = OfflineRegistry()
    decode = Codec(Schemas({"Letter": Schema.read(wide(COUNTED))}), registry).decoder(TOPIC, "Letter")
    value = Codec(Schemas({"Letter": Schema.read(COUNTED)}), registry).encoder(TOPIC, "Letter")(counted(words=7))
    assert decode(value) == counted(words=7)
    decode = Codec(Schemas({"Letter": Schema.read(COUNTED)}), registry).decoder(TOPIC, "Letter")
    value = Codec(Schemas({"Letter": Schema.read(wide(COUNTED))}), registry).encoder(TOPIC, "Letter")(counted())
    with pytest.raises(EventUnreadable):
        decode(value)


def test_canonical_reading_refuses_bytes_that_no_writer_makes() -> None:
    """A negative enum index reads as the last symbol: harmless, but not for what is signed."""
    tampered = b"\2a\1\0"
    lenient, world = World(), World(canonical=True)

    assert lenient.decode(lenient.foreign(OURS, tampered)) == {"id": "a", "stamp": "RED", "content": []}

    assert world.decode(world.encode(LETTER)) == LETTER
    with pytest.raises(EventUnreadable, match="not what an Avro writer makes"):
        world.decode(world.foreign(OURS, tampered))


def test_a_silent_registry_is_a_pause_and_not_a_dead_letter() -> None:
    """Nobody listens on port 1 of this machine."""
    with httpx.Client(base_url="http://127.0.0.1:1") as client:
        codec = Codec(Schemas({"Letter": Schema.read(OURS)}), SchemaRegistry(client))

        with pytest.raises(RegistryUnavailable):
            codec.decoder(TOPIC, "Letter")(b"\0\0\0\0\1\2a\2\0")
        with pytest.raises(RegistryUnavailable):
            codec.encoder(TOPIC, "Letter")(LETTER)


def test_what_was_learned_of_a_writer_is_known_to_whoever_asks_for_a_decoder_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To read a schema takes longer than to read a thousand records."""
    registry = OfflineRegistry()
    codec = Codec(Schemas({"Letter": Schema.read(OURS)}), registry)
    value = codec.encoder(TOPIC, "Letter")(LETTER)
    assert codec.decoder(TOPIC, "Letter")(value) == LETTER
    monkeypatch.setattr(registry, "writer", lambda *_: pytest.fail("it was asked again"))
    monkeypatch.setattr(registry, "id_of", lambda *_: pytest.fail("it was asked again"))

    assert codec.decoder(TOPIC, "Letter")(value) == LETTER
    assert codec.encoder(TOPIC, "Letter")(LETTER) == value


@settings(max_examples=300)
@given(st.binary(max_size=60))
def test_any_bytes_are_an_event_or_are_unreadable(body: bytes) -> None:
    """Nothing else is ever raised, and what was read can be written again."""
    world = World()
    for value in (body, world.foreign(OURS, body), world.foreign(letter_schema("BLUE"), body)):
        try:
            world.encode(world.decode(value))
            world.decode.tail(world.decode.split(value)[1])
        except EventUnreadable:
            continue
