"""The page for authors of approval tools: its tables are the claims, and its examples work as they stand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from examples.exception_stream import CODEC, Desk
from examples.exceptions import ALICE, ID, SABINE, keys, policy, signing_key
from examples.guard import now

from processors.events.topics import APPROVAL_DECISIONS, EXCEPTION_DECISIONS, EXCEPTION_REQUESTS
from processors.exception_workflow.proof.claims import COMMAND, CONTENT, LOGIN, TOKEN, Claim
from processors.exception_workflow.proof.commands import signed_text

PAGE = (Path(__file__).parents[2] / "schemas" / "APPROVALS.md").read_text("utf-8")
COMMANDS = CODEC.decoder(EXCEPTION_REQUESTS, "ExceptionRequested")


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    """What the page's code defines, run as a reader would run it."""
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "APPROVALS.md", "exec"), names)  # noqa: S102 - our own page
    return names


def row(claim: Claim) -> str:
    return f"| `{claim.name}` | {'yes' if claim.required else 'no'} | {claim.meaning} |"


@pytest.mark.parametrize("claims", [TOKEN, (*LOGIN, *CONTENT), COMMAND[len(TOKEN) :]])
def test_the_tables_are_the_claims_that_are_checked(claims: tuple[Claim, ...]) -> None:
    """Row by row, in one piece."""
    assert "\n".join(map(row, claims)) in PAGE


def test_the_signed_fields_of_a_command_are_all_there(example: dict[str, Any]) -> None:
    """Else a tool would sign another text than the workflow reads."""
    from examples.exceptions import command

    assert set(example["SIGNED"]) == set(json.loads(signed_text(command())))


def test_the_examples_ask_for_an_exception_and_approve_it(example: dict[str, Any]) -> None:
    """One page's code, with the keys of an issuer that the policy names, from the request to the approval."""
    desk, key = Desk(now()), signing_key("tool-1", "P-256")
    blank = COMMANDS(desk.events.command(proof=None))
    asked = example["ask"](key, ALICE.issuer, ALICE.subject, blank)
    desk.take(EXCEPTION_REQUESTS, ID, CODEC.encoder(EXCEPTION_REQUESTS, "ExceptionRequested")(asked))
    for person, role in (("bob", "plugin-steward"), (SABINE.subject, "security-approver")):
        login = {"sub": person, "auth_time": now() // 1000, "amr": ["pwd", "otp"], "roles": [role]}
        decided = example["decide"](key, login, desk.of(EXCEPTION_DECISIONS)[-1], "approve", "looked at it")
        desk.take(APPROVAL_DECISIONS, ID, CODEC.encoder(APPROVAL_DECISIONS, "ApprovalDecided")(decided))

    events = [d["event"] for d in desk.of(EXCEPTION_DECISIONS)]
    assert events == ["requested", "review_opened", "step_approved", "approved"]
    assert keys().find(str(key.kid))
    assert policy().proof.issuers[0].issuer == example["ISSUER"]


def test_the_example_of_an_approval_tool_is_short() -> None:
    """Thirty lines are what a page can show; what needs more needs a library."""
    (first, *_) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    body = first[first.index("def decide") :]

    assert len(body.splitlines()) <= 30
