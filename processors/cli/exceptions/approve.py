"""`compat-guard approve` and `deny`: the reference approval tool, which signs a person's decision.

In production an approval service with a real login replaces it and signs the same claims. This tool knows the
people of one machine and claims that they logged in with two factors, so its key is trusted on that machine only.
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
from processors.cli import talk
from processors.cli.completion import exceptions, people
from processors.cli.exceptions.announce import announce
from processors.cli.gateway_option import GatewayOption
from processors.client.connecting import connected
from processors.client.transport import Transport
from processors.configuration.settings import settings
from processors.errors import SettingsInvalid
from processors.exception_workflow.proof.claims import Verb

PATIENCE = 30.0
"""Seconds to wait for the workflow."""

LIFE = 300
"""Seconds for which a signed decision is valid."""

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
    gateway: GatewayOption = None,
) -> None:
    """Approve the current step of an exception. Ends with 0 if the approval counts, 2 if the workflow refuses it.

    Without an id it lists the exceptions that wait, and at a terminal asks which one is meant.
    """
    decide(exception, person, Verb.APPROVE, reason, timeout, gateway, monitoring_profile=monitoring)


def deny(
    person: Person,
    reason: Why,
    exception: ExceptionId = None,
    timeout: Wait = PATIENCE,
    gateway: GatewayOption = None,
) -> None:
    """Deny an exception, which ends it. Without an id it lists those that wait, as `approve` does."""
    decide(exception, person, Verb.DENY, reason, timeout, gateway)


def decide(
    exception: str | None, person: str, verb: Verb, reason: str, timeout: float, gateway: str | None, **more: Any
) -> None:
    """Sign and submit a person's decision, and print the result."""
    with connected(settings(), gateway) as guard:
        exception = exception or _chosen(guard)
        waiting = guard.waiting(exception)
        step = None if verb is Verb.REVOKE else waiting.step
        proof = _signed(exception, waiting.report_digest, person, verb, reason, step=step, **more)
        decided = guard.decide(exception, proof, timeout)
        announce(decided, guard.waiting(exception))
    if verb is not Verb.REVOKE and decided.approval_id:
        typer.echo(decided.approval_id)


def _signed(exception: str, digest: str, person: str, verb: Verb, reason: str, **more: str | None) -> str:
    """The claims of a decision, signed with the key of this machine's tool."""
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
        "exception_id": exception,
        "report_digest": digest,
        "decision": verb.value,
        "reason": reason,
        "jti": str(uuid.uuid4()),
        **{name: value for name, value in more.items() if value is not None},
    }
    header = {"alg": "ES256", "kid": tool.key.kid, "typ": "compat-approval+jwt"}
    return jws.serialize_compact(header, json.dumps(claims), tool.key, algorithms=["ES256"])


def _chosen(guard: Transport) -> str:
    """The selected exception of those that wait. Raises SettingsInvalid if there is no terminal to ask at."""
    waiting = [facts for facts in guard.exceptions(everything=False) if facts["step"]]
    if not waiting:
        raise SettingsInvalid("no exception waits for a decision")
    for number, facts in enumerate(waiting, 1):
        about = f"{facts['for']}: {facts['findings']}; step {facts['step']}, {facts['left']}"
        talk().print(f"{number}. {facts['exception']}  {about}", highlight=False, markup=False)
    if not sys.stdin.isatty():
        raise SettingsInvalid("name the exception to decide on; those that wait are listed above")
    number: int = typer.prompt("Which one", type=int, err=True)
    if not 1 <= number <= len(waiting):
        raise SettingsInvalid(f"{number} is none of those that wait")
    return waiting[number - 1]["exception"]
