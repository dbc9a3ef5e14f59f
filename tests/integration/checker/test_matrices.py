"""The matrix in effect, on the real topic: none, a good one, bad ones that change nothing, and one too old."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import pytest
from examples.checkers import Answers, Desk, a_request, a_subject
from examples.ground import eventually
from examples.guard import now
from examples.matrices import a_document, a_rule

from processors.client.matrix_topic import publish_matrix, signed, withdraw_matrix
from processors.events.topics import MATRIX_REFRESHES
from processors.matrix.document import MatrixDocument
from processors.matrix.parts import key_of, split
from processors.stream.loop.dead_letters import Letter

pytestmark = pytest.mark.stack

SOURCE = "vendor"
IN_EFFECT = a_document(a_rule("com.acme.crm", "warn", notes="the one in effect"), source=SOURCE)
LARGE = a_document(*[a_rule(f"com.acme.p{n}", "block", notes="x" * 1000) for n in range(600)], source=SOURCE)
BLOCKING = a_document(a_rule("com.acme.crm", "block"), source=SOURCE, revision="2")
Records = Sequence[tuple[bytes, bytes]]


def refresh(desk: Desk, document: MatrixDocument, issued_at: int, **altered: object) -> Records:
    encode = desk.guard.codec.encoder(MATRIX_REFRESHES, "MatrixRefreshed")
    parts = [{**part, **altered} for part in split(document, *signed(desk.guard.of, document, issued_at))]
    return [(key_of(SOURCE, number), encode(part)) for number, part in enumerate(parts, 1)]


@pytest.fixture
def vendor(desk: Desk) -> Iterator[Desk]:
    """A vendor's matrix is in effect, which warns; it is withdrawn after the test."""
    publish_matrix(desk.guard.of, IN_EFFECT, now())
    eventually(lambda: standing(desk) == IN_EFFECT.digest)
    yield desk
    withdraw_matrix(desk.guard.of, SOURCE)
    eventually(lambda: standing(desk) is None)


def standing(desk: Desk) -> str | None:
    """The digest of the vendor's matrix that an answer rests on."""
    sources = desk.ask(a_request()).result["report"]["sources"]
    return next((source["digest"] for source in sources if source["source"] == SOURCE), None)


def verdict(desk: Desk) -> str:
    return desk.ask(a_request()).result["verdict"]


def test_before_any_matrix_everything_is_blocked_and_says_so(untaught: tuple[Desk, Answers]) -> None:
    """Never loaded is not empty, and not a pass."""
    _, answers = untaught

    assert answers.result["verdict"] == "BLOCK"
    assert "MATRIX_MISSING" in answers.codes
    assert len(answers.blocks) == 1


BAD: Mapping[str, tuple[Callable[[Desk], Records], str | None]] = {
    "a wrong digest": (lambda desk: refresh(desk, BLOCKING, now(), digest="sha256:" + "0" * 64), "untrusted"),
    "a row that was altered": (lambda desk: refresh(desk, BLOCKING, now(), rules=[]), "matrix_refused"),
    "a part that is missing": (lambda desk: refresh(desk, LARGE, now())[:1], None),
    "a part of none": (lambda desk: refresh(desk, BLOCKING, now(), part=7), "matrix_refused"),
    "an older one again": (lambda desk: refresh(desk, BLOCKING, now() - 3_600_000), "untrusted"),
    "expired before it was issued": (lambda desk: refresh(desk, BLOCKING, now(), expires_at=1), "matrix_refused"),
    "another key than its source's": (
        lambda desk: refresh(desk, BLOCKING, now(), source="governance"),
        "matrix_refused",
    ),
    "a key that is none": (lambda desk: [(b"vendor", refresh(desk, BLOCKING, now())[0][1])], "matrix_refused"),
    "bytes": (lambda _: [(key_of(SOURCE, 1), b"\0\0\0")], "unreadable"),
    "json": (lambda _: [(key_of(SOURCE, 1), b'{"source": "vendor"}')], "unreadable"),
}


@pytest.mark.parametrize(("make", "reason"), BAD.values(), ids=BAD.keys())
def test_a_bad_refresh_leaves_the_active_one_in_effect(
    vendor: Desk, make: Callable[[Desk], Records], reason: str | None
) -> None:
    """And is a dead letter, where it is more than not all there."""
    assert verdict(vendor) == "WARN"
    before = len(refused(vendor))

    vendor.ground.write(MATRIX_REFRESHES, [*make(vendor), (b"the end", b"")])

    eventually(lambda: [letter.record.key for letter in refused(vendor)[before:]][-1:] == [b"the end"])
    reasons = [letter.reason for letter in refused(vendor)[before:-1]]
    assert reasons == ([reason] if reason else [])
    assert verdict(vendor) == "WARN"


def refused(desk: Desk) -> list[Letter]:
    return [letter for letter in desk.letters() if letter.topic == MATRIX_REFRESHES]


def test_a_row_that_cannot_be_read_blocks_what_it_is_about(vendor: Desk) -> None:
    """The refresh is whole, so it takes effect; what the row says of its plugin cannot be judged, so it blocks."""
    unreadable = a_document(a_rule("com.acme.crm", "allow", host_range="newer than two"), source=SOURCE)
    vendor.ground.write(MATRIX_REFRESHES, refresh(vendor, unreadable, now()))
    eventually(lambda: standing(vendor) == unreadable.digest)

    answers = vendor.ask(a_request())

    assert answers.result["verdict"] == "BLOCK"
    assert "CONSTRAINT_INVALID" in answers.codes
    assert vendor.ask(a_request(a_subject("com.acme.chat"))).result["verdict"] == "ALLOW"


def test_an_expired_matrix_blocks_and_a_fresh_one_frees(vendor: Desk) -> None:
    """Without a restart, and also for a question that was answered before. The checker's time lags by as much as an
    acknowledgement takes, so the question is put until the instant has come for it too."""
    publish_matrix(vendor.guard.of, replace(BLOCKING, expires_after=3_000), issued := now())
    eventually(lambda: standing(vendor) == BLOCKING.digest)

    eventually(lambda: "MATRIX_EXPIRED" in vendor.ask(a_request()).codes)
    assert now() >= issued + 3_000

    publish_matrix(vendor.guard.of, IN_EFFECT, now())
    eventually(lambda: standing(vendor) == IN_EFFECT.digest)
    assert verdict(vendor) == "WARN"
