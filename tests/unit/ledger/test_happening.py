"""Who did what: a refused decision is told from an accepted one, and a sent one from both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from examples.ledgers import rows_of

from processors.ledger.happening import REFUSED, SENT, Happening, happening, short
from processors.ledger.samples import story


def row(kind: str, payload: Mapping[str, Any], **columns: Any) -> dict[str, Any]:
    blank = dict.fromkeys(("state", "reason", "verdict", "approver", "operator"))
    return {
        "kind": kind,
        "status": "recorded",
        **blank,
        "finding_codes": [],
        "payload": json.dumps(payload),
        **columns,
    }


PETRA = "k1:3f2a0000000000000000000000000000 (p…)"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            row(
                "ExceptionDecided",
                {"actor": PETRA, "event": "refused", "reason": ""},
                approver="k1:3f2a",
                state="REQUESTED",
                reason="WRONG_ROLE",
            ),
            Happening(PETRA, "refused", REFUSED, "WRONG_ROLE"),
        ),
        (
            row(
                "ExceptionDecided",
                {"actor": PETRA, "event": "approved", "reason": ""},
                approver="k1",
                state="APPROVED",
            ),
            Happening(PETRA, "approved", "APPROVED", ""),
        ),
        (
            row("ExceptionDecided", {"actor": "timer", "event": "expired", "reason": ""}, state="EXPIRED"),
            Happening("", "expired", "EXPIRED", ""),
        ),
        (
            row("ApprovalDecided", {"claims": {"sub": PETRA, "reason": "tried it"}}, state="approve"),
            Happening(PETRA, "decision approve", SENT, "tried it"),
        ),
        (
            row("CompatibilityChecked", {"operator": PETRA}, verdict="BLOCK", finding_codes=["HOST_TOO_OLD"]),
            Happening(PETRA, "answered", "BLOCK", "HOST_TOO_OLD"),
        ),
    ],
)
def test_an_event_says_who_did_what_with_which_outcome(event: dict[str, Any], expected: Happening) -> None:
    """Listed alike, a refused approval read as one that let something run."""
    assert happening(event) == expected


def test_every_kind_of_event_has_its_words() -> None:
    """Of all that the ledger files, nothing breaks a search."""
    for filed in rows_of([sample for number in range(3) for sample in story(number)]):
        columns = {name: getattr(filed, name) for name in type(filed).__slots__}
        assert happening(columns).event


def test_two_people_of_one_initial_are_told_apart() -> None:
    assert short(PETRA) == "p… 3f2a"
    assert short("") == ""
