"""`compat-guard exception`: request, show, change and end exceptions."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from processors.cli import tables, talk
from processors.cli.completion import exceptions
from processors.cli.exceptions.announce import EXTENSION_WAITS, announce
from processors.cli.exceptions.approve import PATIENCE, decide
from processors.cli.formats import Listing, ListingOption
from processors.cli.gateway_option import GatewayOption
from processors.cli.requests.answers import WhichQuestion
from processors.client.connecting import connected
from processors.client.exception_facts import date, in_words, why
from processors.client.transport import AlreadyOpen, Author, Change, Wanted
from processors.configuration.settings import settings
from processors.documents.durations import duration
from processors.errors import SettingsInvalid
from processors.events.exceptions import ExceptionDecided
from processors.exception_workflow.config import load as load_policy
from processors.exception_workflow.proof.claims import Verb
from processors.masking.texts import clean
from processors.matrix.writing import instant

PENDING = 4
"""Exit code for waiting for an approval."""

UNVERIFIED = (
    "not verified: whoever may write the topic of states can have made this up; a gateway shows what the guard has "
    "sealed (--gateway URL)"
)

LISTED = ("exception", "for", "status", "requester", "findings", "step", "left")
WIDE = (*LISTED, "due", "band", "approved_by", "valid_until")

app = typer.Typer(add_completion=False, help="Request, show, change and end exceptions.", no_args_is_help=True)


ExceptionId = Annotated[str, typer.Argument(help="exception", metavar="EXCEPTION", autocompletion=exceptions)]
RequestId = Annotated[str, typer.Argument(help="blocked request that it is for", metavar="REQUEST")]
Risk = Annotated[str | None, typer.Option("--risk", help="what is at risk and why it is worth it")]
RiskFile = Annotated[Path | None, typer.Option("--risk-file", help="the same, from a file")]
Finding = Annotated[
    list[str] | None, typer.Option("--finding", help="id or code of a finding to except; default: all that block")
]
Control = Annotated[list[str] | None, typer.Option("--control", help="compensating control; repeatable")]
For = Annotated[
    str | None,
    typer.Option("--for", help="how long it should last, such as 3d; default: the longest that is permitted"),
]
Longer = Annotated[
    str | None,
    typer.Option("--for", help="how much longer than now, such as 3d; default: the most that is permitted"),
]
Window = Annotated[bool, typer.Option("--window", help="for several installations, where the risk permits it")]
Requester = Annotated[str | None, typer.Option("--requester", help="who asks", show_default="who runs this")]
Issuer = Annotated[
    str | None,
    typer.Option("--issuer", help="issuer that signs for them, from the policy", show_default="this laptop's"),
]
Key = Annotated[Path | None, typer.Option("--key", help="its private key, a JWK", show_default="this laptop's")]
Reason = Annotated[str, typer.Option("--reason", help="why")]
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
    question: WhichQuestion = None,
    requester: Requester = None,
    issuer: Issuer = None,
    key: Key = None,
    timeout: Wait = PATIENCE,
    gateway: GatewayOption = None,
) -> None:
    """Request an exception for the block of a request. Ends with 4: it waits for approval.

    Without --risk or --risk-file it prints the questions that a risk statement must answer.

    If one is open already, nothing is changed, and it ends with 2; stdout still shows the id of the exception.
    """
    wanted = Wanted(
        risk=_statement(risk, risk_file),
        findings=finding or (),
        controls=control or (),
        valid_until=_until(valid_for),
        single_use=not window,
    )
    with connected(settings(), gateway, Author(requester, issuer, key)) as guard:
        try:
            decided = guard.request_exception(request_id, question, wanted, timeout)
        except AlreadyOpen as error:
            typer.echo(error.exception_id)
            raise
        typer.echo(decided.exception_id)
        announce(decided, guard.waiting(decided.exception_id))
    raise typer.Exit(PENDING)


@app.command()
def amend(
    exception: ExceptionId,
    risk: Risk = None,
    risk_file: RiskFile = None,
    request_id: Annotated[
        str | None, typer.Option("--request", help="use this newer block as the basis instead")
    ] = None,
    finding: Finding = None,
    control: Control = None,
    valid_for: For = None,
    window: Annotated[
        bool | None, typer.Option("--window/--single", help="for several installations, or for one")
    ] = None,
    question: WhichQuestion = None,
    reason: Reason = "",
    requester: Requester = None,
    issuer: Issuer = None,
    key: Key = None,
    timeout: Wait = PATIENCE,
    gateway: GatewayOption = None,
) -> None:
    """Change an open request; options that are left out stay as they were. Approvals given so far become void.

    Ends with 4: it waits for approval.
    """
    change = Change(
        request_id=request_id,
        question=question,
        risk=_statement(risk, risk_file) if risk or risk_file else None,
        findings=finding,
        controls=control,
        valid_until=_until(valid_for),
        single_use=None if window is None else not window,
        reason=reason,
    )
    with connected(settings(), gateway, Author(requester, issuer, key)) as guard:
        announce(guard.amend(exception, change, timeout), guard.waiting(exception))
    raise typer.Exit(PENDING)


@app.command()
def withdraw(
    exception: ExceptionId,
    reason: Reason = "",
    requester: Requester = None,
    issuer: Issuer = None,
    key: Key = None,
    timeout: Wait = PATIENCE,
    gateway: GatewayOption = None,
) -> None:
    """Withdraw a request before it is decided. Only the requester may do so."""
    with connected(settings(), gateway, Author(requester, issuer, key)) as guard:
        announce(guard.withdraw(exception, reason, timeout), guard.waiting(exception))


@app.command(
    help=f"Request more time, once; it needs a new approval: {EXTENSION_WAITS}. Ends with 4: it waits for approval."
)
def extend(
    exception: ExceptionId,
    valid_for: Longer = None,
    reason: Reason = "",
    requester: Requester = None,
    issuer: Issuer = None,
    key: Key = None,
    timeout: Wait = PATIENCE,
    gateway: GatewayOption = None,
) -> None:
    longer = None if valid_for is None else _duration(valid_for)
    with connected(settings(), gateway, Author(requester, issuer, key)) as guard:
        announce(guard.extend(exception, longer, reason, timeout), guard.waiting(exception))
    raise typer.Exit(PENDING)


@app.command()
def revoke(
    exception: ExceptionId,
    reason: Reason,
    person: Annotated[str, typer.Option("--as", help="who revokes; needs a security role")],
    timeout: Wait = PATIENCE,
    gateway: GatewayOption = None,
) -> None:
    """End an approved exception at once, with the same proof as an approval."""
    decide(exception, person, Verb.REVOKE, reason, timeout, gateway)


@app.command()
def show(exception: ExceptionId, output: ListingOption = Listing.table, gateway: GatewayOption = None) -> None:
    """Show an exception: its state, who approved it, and its history."""
    with connected(settings(), gateway) as guard:
        shown = guard.exception(exception)
    _warn_if_unverified([shown.facts])
    if output is Listing.json:
        past = [{**decided.record(), **_times(decided)} for decided in shown.history]
        typer.echo(json.dumps({**shown.facts, "history": past}, ensure_ascii=False, indent=2))
        return
    facts = ((name.replace("_", " "), text) for name, text in in_words(shown.facts).items())
    tables.show(("what", "is"), facts, header=False)
    for decided in shown.history:
        typer.echo(_told(decided))


@app.command("list")
def show_all(
    everything: Annotated[bool, typer.Option("--all", help="also what is over")] = False,
    columns: tables.ColumnsOption = None,
    wide: tables.WideOption = False,
    output: ListingOption = Listing.table,
    gateway: GatewayOption = None,
) -> None:
    """List exceptions with requester, findings and remaining time; the most urgent first."""
    with connected(settings(), gateway) as guard:
        found = guard.exceptions(everything=everything)
    _warn_if_unverified(found)
    if output is Listing.json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    if not found:
        talk().print("no exception is open; --all shows those that are over" if not everything else "no exceptions")
        return
    nothing = dict.fromkeys(found[0], "")
    tables.listing([nothing | in_words(one) for one in found], LISTED, WIDE, tables.Asked.of(columns, wide))


@app.command()
def rebuild(write: Annotated[bool, typer.Option("--write", help="write what the changelog lacks")] = False) -> None:
    """Rebuild every exception from the topics, and compare it with the changelog.

    With access rules on the broker it needs the principal of `recovery`. It cannot bring back what the topics lost.

    Ends with 0 if both are equal, or are after --write, and with 1 if anything differs or cannot be explained.
    """
    from processors.cli.exceptions.rebuild import rebuild_exceptions  # noqa: PLC0415 - needs Kafka's library

    rebuild_exceptions(write=write)


def _warn_if_unverified(found: Sequence[Mapping[str, Any]]) -> None:
    if any(facts.get("verified") is False for facts in found):
        talk().print(UNVERIFIED, highlight=False, soft_wrap=True)


def _told(decided: ExceptionDecided) -> str:
    """One decision: when, what and by whom, the resulting state, and the reason on a line of its own."""
    before, after = (state.lower().replace("_", " ") for state in (decided.from_state, decided.to_state))
    moved = "" if before == after else f", now {after}" if before == "unknown" else f": {before} to {after}"
    reason = why(decided)
    head = f"{date(decided.at)}  {decided.event.replace('_', ' ')} by {decided.actor}{moved}"
    return clean(f"{head}\n  {reason}" if reason else head)


def _times(decided: ExceptionDecided) -> dict[str, str]:
    """The times of a decision as everywhere on the command line; the event has milliseconds."""
    times = {"at": decided.at, "valid_until": decided.valid_until, "due_at": decided.due_at}
    return {name: instant(at) for name, at in times.items() if at is not None}


def _statement(risk: str | None, file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsInvalid(f"--risk-file `{file}` cannot be read: {error}") from None
    if risk is None:
        policy = load_policy(settings().config / "exception_workflow.yaml")
        talk().print(policy.risk_statement.template, highlight=False, markup=False)
        raise SettingsInvalid("a request states the risk; answer these questions with --risk or --risk-file")
    return risk


def _until(valid_for: str | None) -> int | None:
    return None if valid_for is None else time.time_ns() // 1_000_000 + _duration(valid_for)


def _duration(valid_for: str) -> int:
    try:
        return duration(valid_for)
    except ValueError as error:
        raise SettingsInvalid(f"--for {error}") from None
