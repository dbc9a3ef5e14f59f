"""`compat-guard approve` and `deny`: the reference approval tool. It signs what a person decides, and nothing else.

In production an approval service with a real login takes its place; it signs the same claims. This one knows the
people of a laptop and says of them that they logged in with two factors, so its key is good for a laptop only.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from typing import Annotated, Any

import typer
from joserfc import jws

from processors.bootstrap import development
from processors.bootstrap.clients import codec
from processors.bootstrap.exception_workflow import read_policy
from processors.cli import talk
from processors.cli.completion import exceptions, people
from processors.cli.exceptions.announce import announce
from processors.client.exception_facts import facts_of
from processors.client.exceptions import PATIENCE, all_cases, case_of, publish
from processors.configuration.settings import settings
from processors.errors import SettingsInvalid
from processors.events.topics import APPROVAL_DECISIONS
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.proof.claims import Verb
from processors.exception_workflow.rules.timers import REVIEWING, current_step, step_deadline
from processors.exception_workflow.state.case import ExceptionCase
from processors.stream.wire.codec import Codec

LIFE = 300
"""Seconds that a signed decision is good for."""

ExceptionId = Annotated[
    str | None,
    typer.Argument(
        help="exception to decide on",
        metavar="EXCEPTION",
        show_default="one of those that wait",
        autocompletion=exceptions,
    ),
]
Person = Annotated[
    str,
    typer.Option("--as", help=f"who decides; on a laptop {', '.join(development.PEOPLE)}", autocompletion=people),
]
Why = Annotated[str, typer.Option("--reason", help="why; a denial needs one")]
Profile = Annotated[
    str | None, typer.Option("--monitoring", help="monitoring profile, if a stricter one is wanted")
]
Wait = Annotated[float, typer.Option("--timeout", help="seconds to wait for the workflow", min=0.1)]


def approve(
    person: Person,
    exception: ExceptionId = None,
    reason: Why = "",
    monitoring: Profile = None,
    timeout: Wait = PATIENCE,
) -> None:
    """Approve the step of an exception that waits. Ends with 0 if it counts, 2 if the workflow refuses it.

    Without an id it shows those that wait, and at a terminal asks which one is meant.
    """
    _decide(exception, person, Verb.APPROVE, reason, timeout, monitoring_profile=monitoring)


def deny(person: Person, reason: Why, exception: ExceptionId = None, timeout: Wait = PATIENCE) -> None:
    """Deny an exception, which ends it. Without an id it shows those that wait, as `approve` does."""
    _decide(exception, person, Verb.DENY, reason, timeout)


def signed(case: ExceptionCase, person: str, verb: Verb, reason: str, step: str, **more: Any) -> str:
    """The claims of a decision under the key of this machine's tool."""
    tool = development.tool()
    if person not in tool.people:
        raise SettingsInvalid(f"the approval tool does not know `{person}`; it knows {', '.join(tool.people)}")
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": tool.issuer,
        "sub": person,
        "aud": "compat-guard",
        "iat": now,
        "exp": now + LIFE,
        "auth_time": now,
        "amr": ["pwd", "otp"],
        "roles": tool.people[person],
        "exception_id": case.exception_id,
        "report_digest": case.report_digest,
        "decision": verb.value,
        "reason": reason,
        "jti": str(uuid.uuid4()),
        **({"step": step} if step else {}),
        **{name: value for name, value in more.items() if value is not None},
    }
    header = {"alg": "ES256", "kid": tool.key.kid, "typ": "compat-approval+jwt"}
    return jws.serialize_compact(header, json.dumps(claims), tool.key, algorithms=["ES256"])


def _decide(exception: str | None, person: str, verb: Verb, reason: str, timeout: float, **more: Any) -> None:
    policy = read_policy(settings())
    with codec(settings()) as events:
        exception = exception or _chosen(events, policy)
        case = case_of(settings(), events, exception)
        step = current_step(case, policy)
        id = str(uuid.uuid4())
        record = {
            "decision_id": id,
            "exception_id": exception,
            "at": time.time_ns() // 1_000_000,
            "proof_kind": "SERVICE_JWS",
            "proof": signed(case, person, verb, reason, step.name if step is not None else "", **more),
            "decision": None,
        }
        value = events.encoder(APPROVAL_DECISIONS, "ApprovalDecided")(record)
        decided = publish(settings(), events, APPROVAL_DECISIONS, exception, value, id, timeout)
        announce(decided, case_of(settings(), events, exception), policy)
    if decided["approval_id"]:
        typer.echo(decided["approval_id"])


def _chosen(events: Codec, policy: ExceptionPolicy) -> str:
    """The exception that is meant of those that wait. Raises SettingsInvalid where nobody can be asked."""
    waiting = [case for case in all_cases(settings(), events) if case.status in REVIEWING]
    if not waiting:
        raise SettingsInvalid("no exception waits for a decision")
    waiting.sort(key=lambda case: step_deadline(case, policy) or 2**62)
    for number, case in enumerate(waiting, 1):
        facts = facts_of(case, policy)
        about = f"{facts['for']}: {facts['findings']}; step {facts['step']}, {facts['left']}"
        talk().print(f"{number}. {case.exception_id}  {about}", highlight=False, markup=False)
    if not sys.stdin.isatty():
        raise SettingsInvalid("name the exception to decide on; those that wait are listed above")
    number: int = typer.prompt("Which one", type=int, err=True)
    if not 1 <= number <= len(waiting):
        raise SettingsInvalid(f"{number} is none of those that wait")
    return waiting[number - 1].exception_id
