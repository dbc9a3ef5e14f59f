"""The mark of the matrix moves with what its sources have signed, and with nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from examples.exceptions import NOON
from examples.matrices import a_document, a_rule
from examples.trust import SIGNER, TRUST, a_key, as_signed, signed_parts

from processors.configuration.settings import shipped
from processors.events.topics import MATRIX_REFRESHES
from processors.exception_workflow.rules.revisions import Refreshed, Revisions
from processors.matrix.document import MatrixDocument
from processors.matrix.parts import key_of, withdrawal, withdrawal_of
from processors.stream.types import Inbound
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas
from processors.trust.keys import Signer

CODEC = Codec(Schemas.load(Path(shipped("schemas"))), OfflineRegistry())
ENCODE = CODEC.encoder(MATRIX_REFRESHES, "MatrixRefreshed")
ONE = a_document(a_rule("com.acme.crm", "block"), revision="one")
TWO = a_document(a_rule("com.acme.crm", "allow"), revision="two")
STRANGER, _ = a_key("stranger")


def records(document: MatrixDocument, issued_at: int, by: Signer = SIGNER, **more: Any) -> list[Inbound]:
    parts = signed_parts(document, issued_at, by=by, **more)
    return [written(key_of(part["source"], part["part"]), ENCODE(part), issued_at) for part in parts]


def written(key: bytes, value: bytes | None, at: int = NOON) -> Inbound:
    return Inbound(MATRIX_REFRESHES, 0, 0, at, key, value)


def standing(*batches: list[Inbound]) -> Refreshed:
    fold = Revisions(CODEC.decoder(MATRIX_REFRESHES, "MatrixRefreshed").split, TRUST)
    for batch in batches:
        fold.apply(batch)
    return fold.snapshot()


def test_a_refresh_moves_the_mark_once_it_is_whole() -> None:
    many = a_document(*(a_rule(f"com.acme.p{n}", "allow") for n in range(30)), revision="many")
    parts = records(many, NOON + 1, largest=3000)

    assert len(parts) > 1
    assert standing(records(ONE, NOON), parts[:-1]) == standing(records(ONE, NOON))
    assert standing(records(ONE, NOON), parts).mark != standing(records(ONE, NOON)).mark


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(records(TWO, NOON + 1, STRANGER), id="signed by somebody else"),
        pytest.param(records(TWO, NOON - 1), id="of the past"),
        pytest.param([written(key_of("governance", 1), None)], id="a tombstone"),
        pytest.param([written(b"vendor/0001", records(TWO, NOON + 1)[0].value)], id="under another key"),
        pytest.param([written(key_of("governance", 1), b"\xde\xad")], id="junk"),
    ],
)
def test_whoever_writes_the_topic_cannot_have_every_exception_judged_anew(forged: list[Inbound]) -> None:
    assert standing(records(ONE, NOON), forged) == standing(records(ONE, NOON))


def test_a_signed_withdrawal_moves_the_mark() -> None:
    record = withdrawal(*as_signed(withdrawal_of("governance", NOON + 1, NOON + 1)))

    assert standing(records(ONE, NOON), [written(key_of("governance", 1), ENCODE(record), NOON + 1)]) == (
        "",
        NOON + 1,
    )


def test_the_same_again_is_no_change() -> None:
    assert standing(records(ONE, NOON), records(ONE, NOON)) == standing(records(ONE, NOON))
