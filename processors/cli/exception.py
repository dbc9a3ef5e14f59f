"""`compat-guard exception`: ask for an exception, look at it, change it, end it."""

from __future__ import annotations

import getpass
import json
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from processors.cli import tables, talk
from processors.cli.approve import signed
from processors.cli.block import from_block
from processors.cli.exceptions import (
    EXTENSION_WAITS,
    PATIENCE,
    AlreadyOpen,
    all_cases,
    announce,
    case_of,
    command,
    history,
    read_policy,
    say,
    why,
)
from processors.cli.rebuild import rebuild_exceptions
from processors.cli.wiring import codec
from processors.errors import SettingsInvalid
from processors.events.exceptions import Status
from processors.exception_workflow.config import Policy, duration
from processors.exception_workflow.notices import gist
from processors.exception_workflow.proof import Verb
from processors.exception_workflow.sla import REVIEWING, current_step, step_deadline
from processors.exception_workflow.state import Case
from processors.settings import settings

PENDING = 4
"""Exit code of what waits for an approval."""

app = typer.Typer(
    add_completion=False, help="Exceptions from a block: ask, look, change, end.", no_args_is_help=True
)
app.command("rebuild")(rebuild_exceptions)


class Style(StrEnum):
    table = "table"
    json = "json"


ExceptionId = Annotated[str, typer.Argument(help="exception", metavar="EXCEPTION")]
RequestId = Annotated[str, typer.Argument(help="blocked request that it is for", metavar="REQUEST")]
Risk = Annotated[str | None, typer.Option("--risk", help="what is at risk and why it is worth it")]
RiskFile = Annotated[Path | None, typer.Option("--risk-file", help="the same, from a file")]
Finding = Annotated[
    list[str] | None, typer.Option("--finding", help="id or code of what to except; all that block by default")
]
Control = Annotated[list[str] | None, typer.Option("--control", help="compensating control; repeatable")]
For = Annotated[str | None, typer.Option("--for", help="how long it is wanted, such as 3d; default: the longest")]
Window = Annotated[bool, typer.Option("--window", help="for several installations, where the risk permits it")]
Requester = Annotated[str | None, typer.Option("--requester", help="who asks", show_default="who runs this")]
Issuer = Annotated[str, typer.Option("--issuer", help="identity provider of the requester")]
Reason = Annotated[str, typer.Option("--reason", help="why")]
Output = Annotated[Style, typer.Option("--output", "-o", help="how to show it on stdout")]
Wait = Annotated[float, typer.Option("--timeout", help="seconds to wait for the workflow", min=0.1)]


@app.command()
def request(
    request_id: RequestId,
    risk: Risk = None,
    risk_file: RiskFile = None,
    finding: Finding = None,
    control: Control = None,
    valid_for: For = None,
    window: Window = False,
    requester: Requester = None,
    issuer: Issuer = "",
    timeout: Wait = PATIENCE,
) -> None:
    """Ask for an exception from the block of a request. Ends with 4: it waits for approval.

    Without --risk or --risk-file it prints the questions that a risk statement answers.

    If one is open already, nothing is changed, and it ends with 2; stdout names the exception all the same.
    """
    policy = read_policy(settings())
    statement = _statement(policy, risk, risk_file)
    with codec(settings()) as events:
        record = from_block(settings(), events, request_id, finding)
        record |= {
            "requester": requester or getpass.getuser(),
            "requester_issuer": issuer,
            "risk_statement": statement,
            **_terms(control, valid_for, window),
        }
        decided = say(settings(), events, record, timeout)
        typer.echo(decided["exception_id"])
        if decided["event"] == "already_open":
            raise AlreadyOpen(decided["exception_id"], Status(decided["to_state"]))
        announce(decided, case_of(settings(), events, decided["exception_id"]), policy)
    raise typer.Exit(PENDING)


@app.command()
def amend(
    exception: ExceptionId,
    risk: Risk = None,
    risk_file: RiskFile = None,
    request_id: Annotated[str | None, typer.Option("--request", help="rest it on this newer block instead")] = None,
    finding: Finding = None,
    control: Control = None,
    valid_for: For = None,
    window: Window = False,
    reason: Reason = "",
    timeout: Wait = PATIENCE,
) -> None:
    """Change what is asked for. Approvals given so far are void. Ends with 4: it waits for approval."""
    policy = read_policy(settings())
    statement = _statement(policy, risk, risk_file)
    with codec(settings()) as events:
        case = case_of(settings(), events, exception)
        record = from_block(settings(), events, request_id or case.request_id, finding, case.finding_ids)
        record |= {
            "kind": "AMENDED",
            "requester": case.requester.subject,
            "requester_issuer": case.requester.issuer,
            "risk_statement": statement,
            "reason": reason,
            **_terms(control, valid_for, window),
        }
        decided = say(settings(), events, record, timeout)
        announce(decided, case_of(settings(), events, exception), policy)
    raise typer.Exit(PENDING)


@app.command()
def withdraw(exception: ExceptionId, reason: Reason = "", timeout: Wait = PATIENCE) -> None:
    """Take a request back before it is decided."""
    _about(exception, "WITHDRAWN", timeout, reason=reason)


@app.command(
    help=f"Ask for more time, once; it is approved anew: {EXTENSION_WAITS}. Ends with 4: it waits for approval."
)
def extend(exception: ExceptionId, valid_for: For = None, reason: Reason = "", timeout: Wait = PATIENCE) -> None:
    _about(exception, "EXTENSION_REQUESTED", timeout, reason=reason, valid_until=_until(valid_for))
    raise typer.Exit(PENDING)


@app.command()
def revoke(
    exception: ExceptionId,
    reason: Reason,
    person: Annotated[str, typer.Option("--as", help="who revokes; needs a security role")],
    timeout: Wait = PATIENCE,
) -> None:
    """End an approved exception at once, with the same proof as an approval."""
    with codec(settings()) as events:
        case = case_of(settings(), events, exception)
        proof = signed(case, person, Verb.REVOKE, reason, "")
        record = command(case, "REVOCATION_REQUESTED", command_id=str(uuid.uuid4()), requester=person, proof=proof)
        decided = say(settings(), events, record | {"requester_issuer": "", "reason": reason}, timeout)
        announce(decided, case_of(settings(), events, exception), read_policy(settings()))


@app.command()
def show(exception: ExceptionId, output: Output = Style.table) -> None:
    """Show an exception: where it stands, who approved, what happened."""
    policy = read_policy(settings())
    with codec(settings()) as events:
        case = case_of(settings(), events, exception)
        past = history(settings(), events, exception)
    if output is Style.json:
        typer.echo(json.dumps({**_facts(case, policy), "history": past}, ensure_ascii=False, indent=2))
        return
    facts = ((name.replace("_", " "), str(value)) for name, value in _facts(case, policy).items() if value != "")
    tables.show(("what", "is"), facts, header=False)
    steps = ((_date(d["at"]), d["event"], d["from_state"], d["to_state"], d["actor"], why(d)) for d in past)
    tables.show(("when", "event", "from", "to", "by", "why"), steps)


@app.command("list")
def show_all(
    everything: Annotated[bool, typer.Option("--all", help="also what is over")] = False,
    output: Output = Style.table,
) -> None:
    """List exceptions with what is left of their SLA, the most urgent first."""
    policy = read_policy(settings())
    with codec(settings()) as events:
        cases = all_cases(settings(), events)
    chosen = [case for case in cases if everything or case.status in _OPEN]
    chosen.sort(key=lambda case: step_deadline(case, policy) or case.valid_until or 2**62)
    if output is Style.json:
        typer.echo(json.dumps([_facts(case, policy) for case in chosen], ensure_ascii=False, indent=2))
        return
    if not chosen:
        talk().print("no exception is open; --all shows those that are over" if not everything else "no exceptions")
        return
    rows = ((case, _facts(case, policy)) for case in chosen)
    tables.show(
        ("exception", "what", "band", "status", "step", "left"),
        ((c.exception_id, gist(c), c.band, c.status, facts["step"], facts["left"]) for c, facts in rows),
    )


_OPEN = frozenset({Status.PENDING, Status.IN_REVIEW, Status.APPROVED, Status.NEEDS_REVIEW})


def _about(exception: str, kind: str, timeout: float, **more: Any) -> None:
    with codec(settings()) as events:
        case = case_of(settings(), events, exception)
        record = command(case, kind, command_id=str(uuid.uuid4()), **more)
        decided = say(settings(), events, record, timeout)
        announce(decided, case_of(settings(), events, exception), read_policy(settings()))


def _statement(policy: Policy, risk: str | None, file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsInvalid(f"--risk-file `{file}` cannot be read: {error}") from None
    if risk is None:
        talk().print(policy.risk_statement.template, highlight=False, markup=False)
        raise SettingsInvalid("a request states the risk; answer these questions with --risk or --risk-file")
    return risk


def _terms(control: Sequence[str] | None, valid_for: str | None, window: bool) -> dict[str, Any]:
    return {
        "category": "MITIGATED" if control else "WAIVER",
        "compensating_controls": list(control or ()),
        "valid_until": _until(valid_for),
        "single_use": not window,
    }


def _until(valid_for: str | None) -> int | None:
    if valid_for is None:
        return None
    try:
        return time.time_ns() // 1_000_000 + duration(valid_for)
    except ValueError as error:
        raise SettingsInvalid(f"--for {error}") from None


def _facts(case: Case, policy: Policy) -> dict[str, Any]:
    step = current_step(case, policy) if case.status in REVIEWING else None
    return {
        "exception": case.exception_id,
        "for": gist(case),
        "status": case.status.value,
        "round": case.round,
        "band": case.band.value,
        "score": case.score,
        "findings": ", ".join(case.codes),
        "requester": case.requester.subject,
        "risk": case.risk_statement,
        "step": step.name if step is not None else "",
        "left": _left(
            step_deadline(case, policy) or (case.valid_until if case.status is Status.APPROVED else None)
        ),
        "approved_by": ", ".join(f"{a.person.subject} ({a.step})" for a in case.approvals),
        "approval_id": case.approval_id or "",
        "valid_until": _date(case.valid_until),
        "monitoring": case.profile,
        "uses": case.uses,
        "report_digest": case.report_digest,
    }


def _left(due: int | None) -> str:
    """What is left until then, as `3 h 20 min`; a minus says that it is over."""
    if due is None:
        return ""
    minutes = (due - time.time_ns() // 1_000_000) // 60_000
    days, hours = abs(minutes) // 1440, abs(minutes) % 1440 // 60
    text = f"{days} d {hours} h" if days else f"{hours} h {abs(minutes) % 60} min"
    return f"-{text}" if minutes < 0 else text


def _date(at: int | None) -> str:
    return "" if at is None else f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%S}Z"
