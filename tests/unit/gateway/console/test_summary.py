"""What a report says first: the one thing to do, and who was asked."""

from __future__ import annotations

import pytest
from examples.exceptions import ALICE, BOB, NEVER_ASKED, NOON, SABINE, SCOPE, policy

from processors.events.exceptions import Status
from processors.events.vocabulary import Band, Verdict
from processors.exception_workflow.state.case import Approval, ExceptionCase
from processors.gateway.console.summary import what_to_do, what_was_allowed, who_was_asked

CASE = NEVER_ASKED._replace(round=1, status=Status.PENDING, scope=SCOPE, requester=ALICE, band=Band.HIGH)
APPROVED = CASE._replace(status=Status.APPROVED)
APPROVALS = (Approval("steward", BOB, NOON), Approval("security", SABINE, NOON))


def do(
    verdict: Verdict,
    ways: int = 0,
    *,
    case: ExceptionCase | None = None,
    covers: bool = True,
    usable: bool = False,
    may_ask: bool = True,
) -> str:
    return what_to_do(verdict, ways, case, covers=covers, usable=usable, may_ask=may_ask)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (do(Verdict.ALLOW), "Install it"),
        (do(Verdict.WARN), "It may be installed"),
        (what_was_allowed(NOON, holds=True, unread=False), "Install it now, watched"),
        (do(Verdict.BLOCK, 1, covers=False), "the exception does not cover this"),
        (do(Verdict.BLOCK, 1, case=APPROVED, usable=True), "Install it under the exception"),
        (do(Verdict.BLOCK, 1, case=APPROVED), "Take the way out below"),
        (do(Verdict.BLOCK, case=APPROVED), "the exception that was approved does not cover this"),
        (do(Verdict.BLOCK, 1), "Take the way out below"),
        (do(Verdict.BLOCK, 2), "Take one of 2 ways out below"),
        (do(Verdict.BLOCK), "people can let it pass"),
        (do(Verdict.BLOCK, may_ask=False), "Nothing that is known helps."),
        (do(Verdict.UNKNOWN), "Do not install it"),
    ],
)
def test_there_is_one_thing_to_do(said: str, words: str) -> None:
    assert words in said


@pytest.mark.parametrize(
    ("at", "unread", "said"),
    [
        (NOON, False, "at 2025-11-24 16:00:00 UTC. That permits no installation any more"),
        (NOON, True, "at 2025-11-24 16:00:00 UTC. Nobody knows now whether that still holds"),
        (None, False, "It was allowed. That"),
    ],
)
def test_what_was_allowed_once_is_not_said_to_be_allowed_now(at: int | None, unread: bool, said: str) -> None:
    words = what_was_allowed(at, holds=False, unread=unread)

    assert said in words
    assert "Install it" not in words


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (None, "Nobody was asked for an exception."),
        (CASE, "alice asked for an exception in round 1; plugin-steward decides."),
        (
            CASE._replace(status=Status.APPROVED, approvals=APPROVALS),
            "alice asked for an exception in round 1, and it was approved by bob and sabine.",
        ),
        (CASE._replace(status=Status.REJECTED), "alice asked for an exception in round 1: it was refused."),
    ],
)
def test_who_was_asked_is_said(case: ExceptionCase | None, said: str) -> None:
    assert who_was_asked(case, policy(), sees=True) == said


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.UNKNOWN])
def test_nobody_is_named_to_whoever_may_not_see_the_exception(status: Status) -> None:
    said = who_was_asked(CASE._replace(status=status, approvals=(Approval("s", BOB, NOON),)), policy(), sees=False)

    assert said.startswith("Somebody asked for an exception")
    assert "alice" not in said
    assert "bob" not in said
    assert "rejected" not in said
