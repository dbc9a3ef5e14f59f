"""Reading a request by its bytes gives what decoding it gives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.checker.intake import IncomingRequest, Intake
from processors.configuration.settings import shipped
from processors.errors import EventUnreadable
from processors.events.subject import Host, Manifest, Subject
from processors.events.subject_record import subject_to_record
from processors.stream.wire.codec import Codec, Decoder, Encoder, OfflineRegistry
from processors.stream.wire.schema import Schemas

TOPIC = "compat.install-requests"
SUBJECT = subject_to_record(Subject(manifest=Manifest(id="a.plugin", version="1.0.0"), host=Host("corex", "1.9.0")))


def _codec() -> tuple[Encoder, Decoder]:
    schemas, registry = Schemas.load(shipped("schemas")), OfflineRegistry()
    registry.register(f"{TOPIC}-value", schemas["InstallRequested"].text)
    codec = Codec(schemas, registry)
    return codec.encoder(TOPIC, "InstallRequested"), codec.decoder(TOPIC, "InstallRequested")


ENCODE, DECODE = _codec()
READ = Intake(DECODE)
WHO = DECODE.run("tenant", "recheck_of")


def _request(**changes: Any) -> dict[str, Any]:
    return {
        "request_id": "0b6f3c0e-98a2-4dc4-a6f4-5a1b51c3a3d1",
        "requested_at": 1_800_000_000_000,
        "tenant": "acme",
        "operator": "alice",
        "environment": "production",
        "target": "cluster-7",
        "action": "INSTALL",
        "exception_id": None,
        "acknowledgement": None,
        "monitoring": None,
        "recheck_of": None,
        "subject": SUBJECT,
        **changes,
    }


def _decoded(value: bytes) -> IncomingRequest:
    """The slow way, which no shortcut can get wrong."""
    envelope, subject = DECODE.split(value)
    who = DECODE.run("tenant", "recheck_of")
    return IncomingRequest(
        envelope["request_id"], who.encode(envelope), who.decode(who.encode(envelope)), {}, subject
    )


texts = st.text(max_size=80)
acknowledgements = st.none() | st.just({"by": "alice", "at": 1, "statement": "I know"})


@given(
    request_id=st.text(min_size=1, max_size=200),
    requested_at=st.integers(-(2**63), 2**63 - 1),
    who=st.tuples(texts, texts, texts, texts),
    exception=st.none() | st.text(min_size=1, max_size=100),
    acknowledgement=acknowledgements,
)
def test_a_shortcut_reads_what_decoding_reads(
    request_id: str, requested_at: int, who: tuple[str, ...], exception: str | None, acknowledgement: Any
) -> None:
    """Whatever stands in the envelope: the id, who asks and the subject are the same bytes either way."""
    tenant, operator, environment, target = who
    value = ENCODE(
        _request(
            request_id=request_id,
            requested_at=requested_at,
            tenant=tenant,
            operator=operator,
            environment=environment,
            target=target,
            exception_id=exception,
            acknowledgement=acknowledgement,
        )
    )

    asked, expected = READ(value), _decoded(value)

    assert (asked.request_id, asked.who, asked.subject) == (expected.request_id, expected.who, expected.subject)
    assert {name: asked.by[name] for name in expected.by} == expected.by
    assert not asked.more or asked.more["acknowledgement"] == acknowledgement


@given(cut=st.integers(0, 120), flip=st.integers(0, 400), bit=st.integers(0, 7))
def test_damaged_bytes_are_refused_or_read_as_decoding_reads_them(cut: int, flip: int, bit: int) -> None:
    """A shortcut must not let through what decoding refuses, apart from the subject, which is read later.

    Who asks is written on into the answers, so it is what an encoder makes, whatever the request's bytes were.
    """
    whole = bytearray(ENCODE(_request()))
    whole[5 + flip % (len(whole) - 5)] ^= 1 << bit
    value = bytes(whole[: len(whole) - cut])

    try:
        asked = READ(value)
    except EventUnreadable:
        return

    envelope, subject = DECODE.split(value)
    assert (asked.request_id, asked.subject) == (envelope["request_id"], subject)
    assert asked.who == WHO.encode(envelope)


@pytest.mark.parametrize("exception_id", [None, "an exception"], ids=["by the shortcut", "decoded"])
def test_an_action_of_negative_index_is_refused(exception_id: str | None) -> None:
    """Our decoder takes it for the last action; a reader of the answer would fail on it."""
    value = ENCODE(_request(target="cluster-9", exception_id=exception_id))

    with pytest.raises(EventUnreadable, match="not what an Avro writer makes"):
        READ(value.replace(b"cluster-9\2", b"cluster-9\1"))


@pytest.mark.parametrize(
    "more",
    [
        {"tenant": "x" * 40_000},
        {"acknowledgement": {"by": "alice", "at": 1, "statement": "x" * 40_000}},
    ],
    ids=["tenant", "statement"],
)
def test_an_endless_envelope_is_refused(more: dict[str, Any]) -> None:
    """Answers repeat it, and a topic takes answers of bounded size only."""
    with pytest.raises(EventUnreadable, match="at most 32768") as refused:
        READ(ENCODE(_request(**more)))

    assert refused.value.stage == "envelope"


@pytest.mark.parametrize("request_id", ["", "x" * 201], ids=["empty", "too long"])
def test_a_request_needs_an_id_of_reasonable_length(request_id: str) -> None:
    """Without an id nobody could tell whose answer it is."""
    with pytest.raises(EventUnreadable, match="request_id"):
        READ(ENCODE(_request(request_id=request_id)))
