"""What came of a case, in one line that an auditor can take down."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from examples.ledgers import rows_of

from processors.ledger.samples import an_id, story
from processors.ledger.summary import consents, summary


def events(number: int = 1) -> list[dict[str, Any]]:
    """A case that was blocked, excepted by two steps, installed and watched."""
    return [{name: getattr(row, name) for name in type(row).__slots__} for row in rows_of(list(story(number)))]


def as_if(rows: Sequence[dict[str, Any]], kind: str, **payload: Any) -> list[dict[str, Any]]:
    """The same with other facts in the payloads of one kind."""
    return [
        {**row, "payload": json.dumps({**json.loads(row["payload"]), **payload})} if row["kind"] == kind else row
        for row in rows
    ]


def caused(rows: Sequence[dict[str, Any]], decided: dict[str, Any]) -> list[dict[str, Any]]:
    """The same where the first proof caused this decision."""
    proof = next(row for row in rows if row["kind"] == "ApprovalDecided")
    cause = f"{proof['topic']}/{proof['partition']}/{proof['offset']}"
    return [
        {**row, "payload": json.dumps({**json.loads(row["payload"]), "caused_by": cause})}
        if row["event_id"] == decided["event_id"]
        else row
        for row in rows
    ]


def test_a_case_that_ended_says_who_let_it_run_and_how_it_went() -> None:
    rows = events()
    first = next(row for row in rows if row["kind"] == "ExceptionDecided" and row["approver"])
    carol = first["approver"]
    signed = caused(as_if(rows, "ApprovalDecided", claims={"sub": "x", "roles": ["security-approver"]}), first)

    said = summary(signed)

    assert said.startswith(
        f"Allowed by exception {an_id('exception', 1)} for HOST_TOO_OLD; the exception is used up; "
    )
    assert f"approved by {carol} (c…@e…) as security-approver (security) and {carol}" in said
    assert f" under {an_id('approval', 1)}; " in said
    assert said.endswith("the installation succeeded, monitoring ATTACHED strict")


def test_a_block_that_nobody_excepted_is_a_block() -> None:
    rows = [
        row for row in events() if row["kind"] in {"InstallRequested", "CompatibilityChecked", "InstallBlocked"}
    ]
    assert summary([row for row in rows if row["exception_id"] is None]) == "Blocked for HOST_TOO_OLD"


def test_an_approval_that_the_workflow_did_not_count_lets_nobody_run_anything() -> None:
    """Whoever only sent one is named nowhere."""
    rows = as_if(events(), "ExceptionDecided", event="refused")
    assert consents(rows, 1) == []
    assert "approved by" not in summary(rows)


def test_what_another_proof_under_the_same_name_claims_is_not_believed() -> None:
    """Whoever files a proof that is refused, before the true one counts, gives nobody a role."""
    rows = events()
    first = next(row for row in rows if row["kind"] == "ExceptionDecided" and row["approver"])
    rows = caused(as_if(rows, "ApprovalDecided", claims={"sub": "bob", "roles": ["steward"]}), first)
    true = next(row for row in rows if row["kind"] == "ApprovalDecided")
    said = {**json.loads(true["payload"]), "claims": {"sub": "bob", "roles": ["ciso"]}}
    forged = {
        **true,
        "offset": 900,
        "event_id": "forged",
        "approver": first["approver"],
        "payload": json.dumps(said),
    }
    refusal = {**json.loads(first["payload"]), "event": "refused", "caused_by": f"{true['topic']}/0/900"}
    refused = {**first, "offset": 901, "event_id": "refused", "payload": json.dumps(refusal)}
    before = next(n for n, row in enumerate(rows) if row["event_id"] == first["event_id"])

    given = consents([*rows[:before], forged, refused, *rows[before:]], 1)

    assert list(given[0].roles) == ["steward"]
    assert not any("ciso" in consent.roles for consent in given)


def test_approvals_of_an_earlier_round_are_not_those_of_this_one() -> None:
    assert consents(events(), 2) == []
    assert len(consents(events(), 1)) == 2


def test_what_the_guard_asked_itself_is_not_what_came_of_it() -> None:
    """A re-check of an approved exception says BLOCK, as it must: the findings are those that were approved."""
    recheck = [
        {**row, "state": "RECHECK", "verdict": "BLOCK"} for row in events() if row["kind"] == "CompatibilityChecked"
    ]
    assert summary([*events(), *recheck]) == summary(events())


def test_where_nobody_has_judged_yet_there_is_nothing_to_say() -> None:
    assert summary([]) == ""
    assert summary([row for row in events() if row["kind"] == "InstallRequested"]) == ""


@pytest.mark.parametrize("roles", ["all", {"a": 1}, [1, None, ["x"]], None])
def test_a_claim_of_roles_that_is_none_names_none(roles: Any) -> None:
    rows = as_if(events(), "ApprovalDecided", claims={"roles": roles})
    named = [
        {**row, "approver": "k1"} if row["approver"] or row["kind"] == "ApprovalDecided" else row for row in rows
    ]
    assert all(consent.roles == () or list(consent.roles) == [] for consent in consents(named, 1))
