"""Somebody who may write the topic of refreshes, against checkers that run: no verdict gets milder by it.

The attacker has the key of a vendor, and every record that was ever written. The key of governance is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from examples import compacted
from examples.checkers import Answers, Desk, a_request
from examples.ground import eventually
from examples.groups import have_read
from examples.guard import Guard, now
from examples.matrices import a_document, a_rule
from examples.sealing import SEALS
from examples.servers import own_servers
from examples.trust import PUBLIC, SIGNER, a_key, as_signed, said

from processors.checker.processor import Checker
from processors.client.matrix_topic import Signed, refresh_records
from processors.configuration.guard import Staleness
from processors.embedded import Addresses
from processors.events.topics import MATRIX_FLOORS, MATRIX_REFRESHES
from processors.matrix.document import MatrixDocument
from processors.matrix.parts import key_of, withdrawal, withdrawal_of
from processors.staleness.processor import StalenessMonitor
from processors.trust.keys import Signer
from processors.trust.sources import Trust, TrustedSource

pytestmark = pytest.mark.stack

VENDOR, VENDORS = a_key("vendor")
TRUST = Trust({"governance": TrustedSource((PUBLIC,), required=True), "vendor": TrustedSource((VENDORS,))})
BLOCKS = a_document(a_rule("com.acme.crm", "block"), revision="blocks")
ALLOWS = a_document(a_rule("com.acme.*", "allow"), revision="allows")
OF_VENDOR = a_document(a_rule("com.acme.*", "allow"), source="vendor")
UNLISTED = a_document(revision="unlisted", undeclared={"matrix": "block"})


@pytest.fixture(scope="module")
def guarded(stack: Addresses) -> Iterator[Addresses]:
    """A broker of its own: that a source was there outlives it, as it must, and would block in other modules."""
    with own_servers(stack.registry) as servers:
        yield servers.addresses


@pytest.fixture(scope="module")
def desk(guarded: Addresses) -> Iterator[Desk]:
    guard = Guard(guarded)
    desk = Desk(guard)
    yield desk
    desk.close()
    guard.close()


@pytest.fixture
def blocked(desk: Desk) -> Iterator[Desk]:
    """Governance blocks the plugin, a vendor allows it, and a checker runs."""
    with checking(desk):
        publish(desk, OF_VENDOR, by=VENDOR)
        publish(desk, BLOCKS)
        eventually(lambda: rows(desk.ask(a_request())) == {"governance", "vendor"})
        yield desk


def test_a_vendor_who_publishes_as_governance_turns_no_block_into_an_allow(blocked: Desk) -> None:
    publish(blocked, ALLOWS, by=VENDOR)

    refused(blocked, "untrusted")
    assert blocked.ask(a_request()).result["verdict"] == "BLOCK"


def test_a_vendor_who_lists_what_is_not_its_own_turns_no_block_into_an_allow(desk: Desk) -> None:
    """Governance blocks what nobody lists, and the configuration does not let the vendor speak for the plugin."""
    with checking(desk):
        publish(desk, OF_VENDOR, by=VENDOR)
        publish(desk, UNLISTED)
        eventually(lambda: desk.ask(a_request()).codes == {"MATRIX_UNLISTED"})


def test_a_tombstone_on_governance_turns_no_block_into_an_allow(blocked: Desk) -> None:
    """Nobody has signed it. What governance said stays in effect, and does not become unknown either."""
    before = blocked.ask(a_request()).codes
    blocked.ground.write(MATRIX_REFRESHES, [(key_of("governance", 1), None)])
    after = blocked.ask(a_request())

    assert (after.result["verdict"], after.codes) == ("BLOCK", before)


def test_a_withdrawal_that_governance_has_not_signed_withdraws_nothing(blocked: Desk) -> None:
    forged = withdrawal(*as_signed(withdrawal_of("governance", now(), now() + 1), VENDOR))
    encode = blocked.guard.codec.encoder(MATRIX_REFRESHES, "MatrixRefreshed")
    blocked.ground.write(MATRIX_REFRESHES, [(key_of("governance", 1), encode(forged))])

    refused(blocked, "untrusted")
    assert blocked.ask(a_request()).result["verdict"] == "BLOCK"


def test_junk_under_the_name_of_a_new_source_blocks_nobody(desk: Desk) -> None:
    with checking(desk):
        publish(desk, OF_VENDOR, by=VENDOR)
        publish(desk, ALLOWS)
        desk.ground.write(MATRIX_REFRESHES, [(b"stranger/0001", b"\xde\xad\xbe\xef")])
        refused(desk, "untrusted")
        eventually(lambda: desk.ask(a_request()).result["verdict"] == "ALLOW")


def test_an_older_refresh_is_not_in_effect_after_compaction_and_a_restart(desk: Desk) -> None:
    """The attacker writes the older one again, and waits. Nobody knows any more what the newer one forbade."""
    with checking(desk), watching(desk):
        publish(desk, OF_VENDOR, by=VENDOR)
        older = publish(desk, ALLOWS)
        newer = publish(desk, BLOCKS)
        eventually(lambda: floor(desk) >= newer.statement.serial)
    write(desk, ALLOWS, older)
    compact(desk)

    with checking(desk):
        answers = desk.ask(a_request())

    assert (answers.result["verdict"], answers.codes >= {"MATRIX_EXPIRED"}) == ("BLOCK", True)


def test_a_source_that_is_deleted_is_not_forgotten_after_compaction_and_a_restart(desk: Desk) -> None:
    """What it forbade is not known any more, and it never said that it forbids nothing."""
    with checking(desk), watching(desk):
        publish(desk, OF_VENDOR, by=VENDOR)
        newest = publish(desk, BLOCKS)
        eventually(lambda: floor(desk) >= newest.statement.serial)
    desk.ground.write(MATRIX_REFRESHES, [(key_of("governance", 1), None)])
    compact(desk)

    with checking(desk):
        assert desk.ask(a_request()).result["verdict"] == "BLOCK"


@contextmanager
def checking(desk: Desk) -> Iterator[None]:
    with desk.ground.running(Checker(desk.guard.new_codec(), SEALS, trust=TRUST)):
        yield


@contextmanager
def watching(desk: Desk) -> Iterator[None]:
    with desk.ground.running(StalenessMonitor(desk.guard.new_codec(), SEALS, Staleness, TRUST)):
        yield


def publish(desk: Desk, document: MatrixDocument, *, by: Signer = SIGNER) -> Signed:
    """As whoever has the key does."""
    signed = said(document, now(), by=by)
    write(desk, document, signed)
    return signed


def write(desk: Desk, document: MatrixDocument, signed: Signed) -> None:
    encode = desk.guard.codec.encoder(MATRIX_REFRESHES, "MatrixRefreshed")
    records = refresh_records(document, signed, encode)
    desk.ground.write(MATRIX_REFRESHES, [(record.key, record.value) for record in records])


def compact(desk: Desk) -> None:
    """Leave of the topic what compaction leaves: the last record of each key, and no tombstones."""
    last = {record.key: record for record in desk.ground.read(MATRIX_REFRESHES)}
    desk.ground.write(MATRIX_REFRESHES, [(r.key, r.value) for r in last.values() if r.value is not None])
    kept = sum(record.value is not None for record in last.values())
    end = desk.ground.read(MATRIX_REFRESHES)[-1].offset + 1
    have_read(
        desk.ground.settings, MATRIX_REFRESHES, {0: end}
    )  # compaction does not move the beginning, as this does
    compacted.forget_below(desk.ground, MATRIX_REFRESHES, {0: end - kept})


def floor(desk: Desk) -> int:
    """The serial that governance has reached, as the topic of floors has it."""
    read = desk.guard.codec.decoder(MATRIX_FLOORS, "MatrixFloor")
    floors = [read(record.value) for record in desk.ground.read(MATRIX_FLOORS)]
    return max((each["serial"] for each in floors if each["source"] == "governance"), default=0)


def rows(answers: Answers) -> set[str]:
    """The sources on which an answer rests."""
    return {source["source"] for source in answers.result["report"]["sources"] if source["revision"] != "unusable"}


def refused(desk: Desk, reason: str) -> None:
    eventually(lambda: [x for x in desk.letters() if (x.topic, x.reason) == (MATRIX_REFRESHES, reason)])
