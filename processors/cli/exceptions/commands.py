"""`compat-guard exception`: ask for an exception, look at it, change it, end it."""

from __future__ import annotations

import getpass
import json
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from processors.bootstrap.clients import codec
from processors.bootstrap.exception_workflow import read_policy
from processors.cli import tables, talk
from processors.cli.completion import exceptions
from processors.cli.exceptions.announce import EXTENSION_WAITS, announce
from processors.cli.exceptions.approve import signed
from processors.cli.exceptions.rebuild import rebuild_exceptions
from processors.cli.formats import Listing, ListingOption
from processors.cli.requests.answers import WhichQuestion
from processors.client.block import from_block
from processors.client.exception_facts import OPEN, date, facts_of
from processors.client.exceptions import (
    PATIENCE,
    AlreadyOpen,
    all_cases,
    case_of,
    command,
    history,
    say,
    why,
)
from processors.client.signing import signer_of
from processors.configuration.settings import settings
from processors.documents.durations import duration
from processors.errors import SettingsInvalid
from processors.events.exceptions import Person, Status
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.notify.notices import gist
from processors.exception_workflow.proof.claims import Verb
from processors.exception_workflow.rules.timers import step_deadline
from processors.exception_workflow.state.case import ExceptionCase

PENDING = 4
"""Exit code of what waits for an approval."""

LISTED = ("exception", "for", "status", "requester", "findings", "step", "left")
WIDE = (*LISTED, "due", "band", "approved_by", "valid_until")

app = typer.Typer(
    add_completion=False, help="Exceptions from a block: ask, look, change, end.", no_args_is_help=True
)
app.command("rebuild")(rebuild_exceptions)


ExceptionId = Annotated[str, typer.Argument(help="exception", metavar="EXCEPTION", autocompletion=exceptions)]
RequestId = Annotated[str, typer.Argument(help="blocked request that it is for", metavar="REQUEST")]
Risk = Annotated[str | None, typer.Option("--risk", help="what is at risk and why it is worth it")]
RiskFile = Annotated[Path | None, typer.Option("--risk-file", help="the same, from a file")]
Finding = Annotated[
    list[str] | None, typer.Option("--finding", help="id or code of what to except; all that block by default")
]
Control = Annotated[list[str] | None, typer.Option("--control", help="compensating control; repeatable")]
For = Annotated[str | None, typer.Option("--for", help="how long it is wanted, such as 3d; default: the longest")]
Longer = Annotated[
    str | None,
    typer.Option("--for", help="how much longer than now, such as 3d; default: the most that is permitted"),
]
Window = Annotated[bool, typer.Option("--window", help="for several installations, where the risk permits it")]
Requester = Annotated[str | None, typer.Option("--requester", help="who asks", show_default="who runs this")]
Issuer = Annotated[
    str | None,
    typer.Option("--issuer", help="issuer of the policy that signs for them", show_default="this laptop's"),
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
) -> None:
    """Ask for an exception from the block of a request. Ends with 4: it waits for approval.

    Without --risk or --risk-file it prints the questions that a risk statement answers.

    If one is open already, nothing is changed, and it ends with 2; stdout names the exception all the same.
    """
    policy = read_policy(settings())
    statement = _statement(policy, risk, risk_file)
    with codec(settings()) as events:
        record = from_block(settings(), events, request_id, finding, question=question)
        record |= {
            "risk_statement": statement,
            **_terms(control, valid_for, not window),
        }
        decided = say(settings(), events, _By(requester, issuer, key).signs(record, policy), timeout)
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
    window: Annotated[
        bool | None, typer.Option("--window/--single", help="for several installations, or for one")
    ] = None,
    question: WhichQuestion = None,
    reason: Reason = "",
    requester: Requester = None,
    issuer: Issuer = None,
    key: Key = None,
    timeout: Wait = PATIENCE,
) -> None:
    """Change what was asked for; what is not named stays. Approvals given so far are void.

    Ends with 4: it waits for approval.
    """
    policy = read_policy(settings())
    with codec(settings()) as events:
        case = case_of(settings(), events, exception)
        kept = case.finding_ids if request_id is None else ()
        record = from_block(settings(), events, request_id or case.request_id, finding, kept, question)
        _same_exception(case, record)
        controls = case.controls if control is None else control
        record |= {
            "kind": "AMENDED",
            "risk_statement": _statement(policy, risk, risk_file) if risk or risk_file else case.risk_statement,
            "reason": reason,
            **_terms(controls, valid_for, case.single_use if window is None else not window),
        }
        if valid_for is None:
            record["valid_until"] = case.asked_until
        decided = say(settings(), events, _By(requester, issuer, key).signs(record, policy), timeout)
        announce(decided, case_of(settings(), events, exception), policy)
    raise typer.Exit(PENDING)


@app.command()
def withdraw(
    exception: ExceptionId,
    reason: Reason = "",
    requester: Requester = None,
    issuer: Issuer = None,
    key: Key = None,
    timeout: Wait = PATIENCE,
) -> None:
    """Take a request back before it is decided. Only who asked may."""
    _about(exception, "WITHDRAWN", _By(requester, issuer, key), timeout, reason=reason)


@app.command(
    help=f"Ask for more time, once; it is approved anew: {EXTENSION_WAITS}. Ends with 4: it waits for approval."
)
def extend(
    exception: ExceptionId,
    valid_for: Longer = None,
    reason: Reason = "",
    requester: Requester = None,
    issuer: Issuer = None,
    key: Key = None,
    timeout: Wait = PATIENCE,
) -> None:
    with codec(settings()) as events:
        ends = case_of(settings(), events, exception).valid_until
    until = _until(valid_for, ends)
    by = _By(requester, issuer, key)
    _about(exception, "EXTENSION_REQUESTED", by, timeout, reason=reason, valid_until=until)
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
def show(exception: ExceptionId, output: ListingOption = Listing.table) -> None:
    """Show an exception: where it stands, who approved, what happened."""
    policy = read_policy(settings())
    with codec(settings()) as events:
        case = case_of(settings(), events, exception)
        past = history(settings(), events, exception)
    if output is Listing.json:
        typer.echo(json.dumps({**facts_of(case, policy), "history": past}, ensure_ascii=False, indent=2))
        return
    facts = ((name.replace("_", " "), str(value)) for name, value in facts_of(case, policy).items() if value != "")
    tables.show(("what", "is"), facts, header=False)
    steps = ((date(d["at"]), d["event"], d["from_state"], d["to_state"], d["actor"], why(d)) for d in past)
    tables.show(("when", "event", "from", "to", "by", "why"), steps)


@app.command("list")
def show_all(
    everything: Annotated[bool, typer.Option("--all", help="also what is over")] = False,
    columns: tables.ColumnsOption = None,
    wide: tables.WideOption = False,
    output: ListingOption = Listing.table,
) -> None:
    """List exceptions with who asks, which findings, and what is left of the timer; the most urgent first."""
    policy = read_policy(settings())
    with codec(settings()) as events:
        cases = all_cases(settings(), events)
    chosen = [case for case in cases if everything or case.status in OPEN]
    chosen.sort(key=lambda case: step_deadline(case, policy) or case.valid_until or 2**62)
    if output is Listing.json:
        typer.echo(json.dumps([facts_of(case, policy) for case in chosen], ensure_ascii=False, indent=2))
        return
    if not chosen:
        talk().print("no exception is open; --all shows those that are over" if not everything else "no exceptions")
        return
    tables.listing([facts_of(case, policy) for case in chosen], LISTED, WIDE, tables.Asked.of(columns, wide))


class _By(NamedTuple):
    """Who asks, and who vouches for them."""

    requester: str | None
    issuer: str | None
    key: Path | None

    def signs(self, record: dict[str, Any], policy: ExceptionPolicy) -> dict[str, Any]:
        signer, provider = signer_of(policy, self.issuer, self.key)
        return signer.sign(record, Person(provider, self.requester or getpass.getuser()))


def _about(exception: str, kind: str, by: _By, timeout: float, **more: Any) -> None:
    policy = read_policy(settings())
    with codec(settings()) as events:
        case = case_of(settings(), events, exception)
        record = command(case, kind, command_id=str(uuid.uuid4()), **more)
        decided = say(settings(), events, by.signs(record, policy), timeout)
        announce(decided, case_of(settings(), events, exception), policy)


def _statement(policy: ExceptionPolicy, risk: str | None, file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsInvalid(f"--risk-file `{file}` cannot be read: {error}") from None
    if risk is None:
        talk().print(policy.risk_statement.template, highlight=False, markup=False)
        raise SettingsInvalid("a request states the risk; answer these questions with --risk or --risk-file")
    return risk


def _same_exception(case: ExceptionCase, record: dict[str, Any]) -> None:
    """A block of another plugin, host or tenant belongs to another exception, which must not be changed instead."""
    if record["exception_id"] != case.exception_id:
        raise SettingsInvalid(
            f"request `{record['request_id']}` is not about {gist(case)}, which this exception is for; "
            f"ask for one of its own: `compat-guard exception request {record['request_id']}`"
        )


def _terms(control: Sequence[str] | None, valid_for: str | None, single_use: bool) -> dict[str, Any]:
    return {
        "category": "MITIGATED" if control else "WAIVER",
        "compensating_controls": list(control or ()),
        "valid_until": _until(valid_for),
        "single_use": single_use,
    }


def _until(valid_for: str | None, after: int | None = None) -> int | None:
    if valid_for is None:
        return None
    try:
        return max(time.time_ns() // 1_000_000, after or 0) + duration(valid_for)
    except ValueError as error:
        raise SettingsInvalid(f"--for {error}") from None
