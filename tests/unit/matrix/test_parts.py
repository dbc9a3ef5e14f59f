"""Cutting a matrix into events and putting it together again loses nothing and hides nothing."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from examples.matrices import NOON, a_document, a_rule, documents
from examples.trust import signed_parts
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.configuration.settings import shipped
from processors.errors import MatrixRefused
from processors.matrix.document import MatrixDocument
from processors.matrix.parts import assemble, key_of, part_at, read_part
from processors.stream.wire.schema import Schema

SCHEMA = Schema.read((Path(shipped("schemas")) / "MatrixRefreshed.avsc").read_text("utf-8"))
SIZES = st.integers(6_000, 9_000) | st.just(512 * 1024)


def sent(document: MatrixDocument, largest: int = 512 * 1024) -> list[dict[str, Any]]:
    """The parts as a reader sees them: encoded and decoded again."""
    return [SCHEMA.decode(SCHEMA.encode(part)) for part in signed_parts(document, NOON, largest=largest)]


@settings(max_examples=30, deadline=None)
@given(documents(), SIZES)
def test_split_then_assemble_is_identity(document: MatrixDocument, largest: int) -> None:
    """At any part size, the parts together are the document, stamped with when it was issued."""
    parts = {part["part"]: read_part(part) for part in sent(document, largest)}

    assert assemble(parts) == replace(document, published_at=NOON)


@settings(max_examples=30, deadline=None)
@given(documents(), SIZES)
def test_no_part_is_larger_than_asked(document: MatrixDocument, largest: int) -> None:
    """The sizes are estimated without encoding, and always from above."""
    assert all(len(SCHEMA.encode(part)) <= largest for part in signed_parts(document, NOON, largest=largest))


def test_the_generator_reaches_several_parts() -> None:
    """Else the properties above would prove nothing about cutting."""
    document = a_document(*[a_rule(notes="x" * 100)] * 40)

    assert len(sent(document, 2_000)) > 3


def test_a_row_that_fits_into_no_part_is_refused() -> None:
    """Before anything is written."""
    with pytest.raises(MatrixRefused, match="row 0"):
        signed_parts(a_document(a_rule(notes="x" * 3_000)), NOON, largest=2_000)


def test_settings_and_rows_travel_once() -> None:
    """Settings stand in the first part only, and each row in one part."""
    parts = sent(a_document(*[a_rule(notes="x" * 100)] * 40), 2_000)

    assert [bool(part["settings"]) for part in parts] == [True] + [False] * (len(parts) - 1)
    assert [rule["row"] for part in parts for rule in part["rules"]] == list(range(40))


ALTERATIONS = {
    "another action": lambda part: part["rules"][0].update(action="allow"),
    "another bound": lambda part: part["rules"][0].update(min_version="0.0.1"),
    "a row left out": lambda part: part["rules"].pop(),
    "a row twice": lambda part: part["rules"].append(part["rules"][0]),
    "rows in another order": lambda part: part["rules"].reverse(),
    "another row number": lambda part: part["rules"][0].update(row=7),
    "another dialect": lambda part: part.update(settings='{"hosts":{"corex":{"dialect":"maven"}}}'),
    "another source": lambda part: part.update(source="vendor"),
    "another digest": lambda part: part.update(digest="sha256:00"),
}


@pytest.mark.parametrize("alter", ALTERATIONS.values(), ids=ALTERATIONS)
def test_what_was_altered_is_refused(alter: Any) -> None:
    """The digest covers source, settings, and every field and the order of the rows."""
    (part,) = sent(a_document(a_rule(), a_rule("com.acme.chat", "warn")))
    alter(part)

    with pytest.raises(MatrixRefused):
        assemble({1: read_part(part)})


IMPOSSIBLE = {
    "part 0": {"part": 0},
    "part 2 of 1": {"part": 2},
    "a hundred thousand parts": {"parts": 100_000},
    "expired before it was issued": {"expires_at": NOON - 1},
    "a source with a slash": {"source": "a/b"},
}


@pytest.mark.parametrize("more", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_cannot_be_a_part_is_refused(more: dict[str, Any]) -> None:
    """Whatever the schema lets through."""
    (part,) = sent(a_document(a_rule()))

    with pytest.raises(MatrixRefused):
        read_part({**part, **more})


def test_an_unknown_action_is_refused() -> None:
    """A newer word must not be read as an older one."""
    (part,) = sent(a_document(a_rule()))
    part["rules"][0]["action"] = "pause"

    with pytest.raises(MatrixRefused, match="`pause`"):
        read_part(part)


@pytest.mark.parametrize(
    ("key", "at"),
    [
        pytest.param(b"governance/0001", ("governance", 1), id="first part"),
        pytest.param(b"vendor.acme-1/12345", ("vendor.acme-1", 12345), id="many parts"),
        pytest.param(b"governance/1", None, id="unpadded"),
        pytest.param(b"governance/00001", None, id="padded too far"),
        pytest.param(b"governance", None, id="no part"),
        pytest.param(b"/0001", None, id="no source"),
        pytest.param(b"a/b/0001", None, id="two slashes"),
        pytest.param("governance/٠٠٠١".encode(), None, id="other digits"),
        pytest.param(b"\xff/0001", None, id="not UTF-8"),
        pytest.param(None, None, id="no key"),
    ],
)
def test_a_key_has_one_form(key: bytes | None, at: tuple[str, int] | None) -> None:
    """Two keys for one part would both be kept by compaction."""
    assert part_at(key) == at


@given(st.integers(0, 10**8))
def test_a_key_can_be_read_back(number: int) -> None:
    assert part_at(key_of("vendor", number)) == ("vendor", number)
