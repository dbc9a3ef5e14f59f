"""Attacks on who asks: every one tries to act as somebody else, or as two people."""

from __future__ import annotations

from typing import Any

from examples.exception_stream import Desk
from examples.exceptions import ALICE, BOB, DAY, ID, LENA, MINUTE, NOON, SABINE, TOOL, Person, claims, sign

from processors.events.topics import APPROVAL_DECISIONS, EXCEPTION_DECISIONS, EXCEPTION_REQUESTS

MALLORY = Person(ALICE.issuer, "mallory")


def asked(desk: Desk, **more: Any) -> str:
    """Give a command; the reason why it is refused, or nothing."""
    desk.take(EXCEPTION_REQUESTS, ID, desk.events.command(**more))
    reason: str = desk.of(EXCEPTION_DECISIONS)[-1]["reason_code"]
    return reason


def decided(desk: Desk, person: Person, **more: Any) -> str:
    desk.take(APPROVAL_DECISIONS, ID, desk.events.decision(person, desk.now, **more))
    reason: str = desk.of(EXCEPTION_DECISIONS)[-1]["reason_code"]
    return reason


def approved() -> Desk:
    desk = Desk(NOON)
    assert asked(desk) == decided(desk, BOB) == decided(desk, SABINE) == ""
    return desk


def test_an_unsigned_request_opens_nothing() -> None:
    desk = Desk(NOON)

    assert asked(desk, proof=None) == "PROOF_MISSING"
    assert desk.case(ID) is None
    assert desk.of(EXCEPTION_DECISIONS)[-1]["security_event"]


def test_nobody_asks_in_another_s_name_to_approve_it_themselves() -> None:
    desk = Desk(NOON)

    assert asked(desk, by=BOB, token={"sub": "bob"}, requester="alice") == "REQUESTER_NOT_PROVED"
    assert desk.case(ID) is None


def test_nobody_locks_an_approver_out_by_naming_her_as_the_requester() -> None:
    desk = Desk(NOON)

    assert asked(desk, by=MALLORY, requester=SABINE.subject) == "REQUESTER_NOT_PROVED"
    assert asked(desk, proof=None, requester=SABINE.subject) == "PROOF_MISSING"
    assert desk.case(ID) is None


def test_nobody_withdraws_for_another() -> None:
    desk = Desk(NOON)
    asked(desk)

    assert asked(desk, by=MALLORY, kind="WITHDRAWN", command_id="c-2") == "NOT_THE_REQUESTER"
    assert asked(desk, proof=None, kind="WITHDRAWN", command_id="c-3") == "PROOF_MISSING"
    assert desk.case(ID).status == "PENDING"


def test_nobody_suspends_for_another_by_asking_for_an_extension() -> None:
    desk = approved()

    assert asked(desk, by=MALLORY, kind="EXTENSION_REQUESTED", command_id="c-2") == "NOT_THE_REQUESTER"
    assert asked(desk, proof=None, kind="EXTENSION_REQUESTED", command_id="c-3") == "PROOF_MISSING"
    assert desk.case(ID).status == "APPROVED"


def test_the_same_name_at_another_provider_is_not_the_requester() -> None:
    desk = Desk(NOON)
    asked(desk)

    assert asked(desk, by=Person(TOOL, "alice"), kind="WITHDRAWN", command_id="c-2") == "NOT_THE_REQUESTER"
    assert desk.case(ID).status == "PENDING"


def test_a_signed_request_shown_again_asks_for_nothing_more() -> None:
    """The bytes lie on a topic that many may read; after the end of a round they must not open the next one."""
    desk = Desk(NOON)
    first = desk.events.command()
    desk.take(EXCEPTION_REQUESTS, ID, first)
    asked(desk, kind="WITHDRAWN", command_id="c-2")
    desk.now += MINUTE
    desk.take(EXCEPTION_REQUESTS, ID, first)

    assert desk.of(EXCEPTION_DECISIONS)[-1]["event"] == "repeated"
    desk.now += DAY
    desk.take(EXCEPTION_REQUESTS, ID, first)
    assert desk.case(ID).status == "WITHDRAWN"


def test_a_signed_request_shown_again_is_known_after_any_number_of_others() -> None:
    desk = Desk(NOON)
    first = desk.events.command()
    desk.take(EXCEPTION_REQUESTS, ID, first)
    for number in range(40):
        stated = f"statement number {number} about what may go wrong, and what we do then"
        assert asked(desk, kind="AMENDED", command_id=f"amendment-{number}", risk_statement=stated) == ""
    desk.take(EXCEPTION_REQUESTS, ID, first)

    assert desk.of(EXCEPTION_DECISIONS)[-1]["event"] == "repeated"
    assert asked(desk, kind="WITHDRAWN", command_id="end") == ""
    desk.take(EXCEPTION_REQUESTS, ID, first)
    assert desk.case(ID).status == "WITHDRAWN"


def test_a_name_with_an_invisible_character_is_no_second_person() -> None:
    for disguise in ("alice\u200b", "al\u00adice", "\u0430lice", "alice\ufe0f", "\uff41lice"):
        desk = Desk(NOON)

        assert asked(desk, by=Person(ALICE.issuer, disguise)) == "PROOF_MALFORMED", ascii(disguise)
        assert desk.case(ID) is None


def test_a_look_alike_of_the_requester_does_not_approve() -> None:
    desk = Desk(NOON)
    asked(desk, by=Person(ALICE.issuer, "mary"))

    assert decided(desk, Person(TOOL, "rnary"), step="steward") == "SELF_APPROVAL"


def test_one_person_under_two_spellings_does_not_approve_twice() -> None:
    desk = Desk(NOON)
    asked(desk)
    decided(desk, Person(TOOL, "sam1"), step="steward")

    again = decided(desk, Person(TOOL, "saml"), step="security", roles=["security-approver"])
    assert again == "SAME_PERSON_TWICE"


def test_a_revocation_names_whoever_signed_it() -> None:
    """The record of it is read by others, who see the name and not the proof."""
    desk = approved()
    digest = desk.case(ID).report_digest

    token = sign(claims(LENA, desk.now, report_digest=digest, decision="revoke", jti="r"))
    assert asked(desk, kind="REVOCATION_REQUESTED", command_id="c-2", proof=token) == "REQUESTER_NOT_PROVED"
    assert desk.case(ID).status == "APPROVED"
    named = {"requester": LENA.subject, "requester_issuer": LENA.issuer}
    assert asked(desk, kind="REVOCATION_REQUESTED", command_id="c-3", proof=token, **named) == ""
    assert desk.case(ID).status == "REVOKED"
