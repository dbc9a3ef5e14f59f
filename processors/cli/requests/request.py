"""`compat-guard request`: ask the running guard through Kafka, and wait for its verdict."""

from __future__ import annotations

import getpass
import time
import uuid
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from processors.bootstrap.clients import codec
from processors.bootstrap.exception_workflow import read_policy
from processors.cli import talk
from processors.cli.requests.answers import KNOWN, Output, Style, ToFile, exit_code, show
from processors.cli.requests.question import (
    Database,
    HostOption,
    Installed,
    InstalledFile,
    ManifestFile,
    Previous,
    Question,
    Runtimes,
    Together,
)
from processors.cli.waiting import OutOfTime, await_answer
from processors.client.exceptions import case_of
from processors.client.install_request import InstallRequest, UnderException, headers_of
from processors.client.results import NoVerdict, ask
from processors.client.slips import refuse_mistyped_host
from processors.configuration.settings import Settings, settings
from processors.documents.scalars import unprintable
from processors.errors import SettingsInvalid, shorten
from processors.events.report_record import report_from_record
from processors.events.vocabulary import Verdict
from processors.exception_workflow.rules.reasons import Reason, in_words
from processors.stream.wire.codec import Codec

SOURCE = "/compat-guard/cli"

RequestId = Annotated[
    uuid.UUID | None, typer.Option("--request-id", help="of the request; a retry uses the same one")
]
Tenant = Annotated[str, typer.Option("--tenant", help="tenant that it is for")]
Operator = Annotated[
    str | None, typer.Option("--operator", help="who asks", show_default="the user that runs this")
]
Environment = Annotated[str, typer.Option("--environment", help="environment, such as production or staging")]
Target = Annotated[str, typer.Option("--target", help="installation it is meant for, such as a cluster id")]
ExceptionId = Annotated[str | None, typer.Option("--exception", help="approved exception to run under")]
Acknowledge = Annotated[
    str | None,
    typer.Option("--acknowledge-risk", help="the risk as you take it, in your words; needed with --exception"),
]
Monitoring = Annotated[
    str | None,
    typer.Option(
        "--monitoring",
        help="how it will be watched: a profile and its add-ons; needed with --exception",
        metavar="PROFILE[:ADDON,...]",
    ),
]
Patience = Annotated[float, typer.Option("--timeout", help="seconds to wait for the verdict", min=0.1)]


def request(
    manifest: ManifestFile,
    host: HostOption,
    runtime: Runtimes = None,
    installed: Installed = None,
    installed_from: InstalledFile = None,
    database: Database = None,
    previous: Previous = None,
    together: Together = None,
    request_id: RequestId = None,
    tenant: Tenant = "default",
    operator: Operator = None,
    environment: Environment = "production",
    target: Target = "",
    exception: ExceptionId = None,
    acknowledge_risk: Acknowledge = None,
    monitoring: Monitoring = None,
    timeout: Patience = 30.0,
    output: Output = Style.text,
    file: ToFile = None,
) -> None:
    """Ask the running guard whether a plugin may be installed, and wait for the verdict.

    Ends with 0 if it may be installed, 1 if it is blocked, 2 if the input cannot be read, 3 if nobody answers,
    130 after Ctrl-C. Without a verdict nothing may be installed; stderr shows the id at once, to find a late one.
    """
    _refuse_broken(
        {
            "--tenant": tenant,
            "--operator": operator,
            "--environment": environment,
            "--target": target,
            "--exception": exception,
            "--acknowledge-risk": acknowledge_risk,
            "--monitoring": monitoring,
        }
    )
    _only_under_exception(exception, acknowledge_risk, monitoring)
    question = Question(
        manifest=manifest,
        host=host,
        runtimes=runtime or (),
        installed=installed or (),
        installed_from=installed_from,
        database=database,
        previous=previous,
        together=together or (),
    )
    asked = InstallRequest(
        request_id=str(request_id or uuid.uuid4()),
        tenant=tenant,
        operator=operator or getpass.getuser(),
        environment=environment,
        target=target,
        subject=question.subject(),
        exception=_under_exception(exception, acknowledge_risk, monitoring) if exception else None,
    )
    now = time.time_ns() // 1_000_000
    event, headers = asked.record(now), headers_of(asked.request_id, SOURCE, now)
    with codec(settings()) as events:
        result = wait_for_verdict(settings(), events, event, headers, timeout)
        plan = _plan_needed(events, result)
    report = report_from_record(result["report"])
    verdict = Verdict(result["verdict"])
    refuse_mistyped_host(asked.subject.host, report.findings)
    asking = None if exception else event["request_id"]  # who has an exception need not be told to ask for one
    known = {name: result[name] for name in KNOWN} | {"decided": verdict}
    show(report, result["report_digest"], output, file, asking, verdict, known=known)
    if output is Style.text:
        _say_more(result, plan)
    raise typer.Exit(exit_code(verdict))


def wait_for_verdict(
    of: Settings, events: Codec, event: Mapping[str, Any], headers: Any, timeout: float
) -> dict[str, Any]:
    """Ask, and show on stderr the id at once and then what is waited for.

    Raises NoVerdict within `timeout` seconds, whatever does not answer; Ctrl-C leaves the id behind.
    """
    id = event["request_id"]
    late = f"a late one is shown by `compat-guard report {id}`"
    try:
        talk().print(f"request {id}", style="dim", highlight=False)
        return await_answer(lambda tell: ask(of, events, event, headers, timeout, tell), timeout)
    except OutOfTime as error:
        raise NoVerdict(
            f"no verdict on request {id} within {timeout:g} s, which counts as a block; waited for "
            f"{error.awaited}; {late}"
        ) from None
    except KeyboardInterrupt:
        talk().print(f"no verdict on request {id}; {late}", highlight=False)
        raise


def _refuse_broken(options: Mapping[str, str | None]) -> None:
    """No event can carry half a character, and to stop over one must not look like a block."""
    for option, text in options.items():
        if text is not None and unprintable(text):
            raise SettingsInvalid(f"{option} `{shorten(text)}` holds hidden or broken characters; type it anew")


def _only_under_exception(exception: str | None, acknowledged: str | None, monitoring: str | None) -> None:
    """Words that would count for nothing must not look as if they did."""
    given = {"--acknowledge-risk": acknowledged, "--monitoring": monitoring}
    idle = [option for option, value in given.items() if value is not None]
    if idle and not exception:
        raise SettingsInvalid(
            f"without --exception, {' and '.join(idle)} would be ignored; name the exception or drop it"
        )


def _under_exception(exception: str, acknowledged: str | None, monitoring: str | None) -> UnderException:
    profile, _, addons = (monitoring or "").partition(":")
    named = [addon.strip() for addon in addons.split(",") if addon.strip()]
    return UnderException(
        exception_id=exception,
        statement=acknowledged,
        profile=profile if monitoring else None,
        addons=named,
    )


def _plan_needed(events: Codec, result: Mapping[str, Any]) -> str | None:
    """The monitoring that was approved, as --monitoring states it; None where nothing was wrong with the plan."""
    if not {Reason.MONITORING_PLAN_MISSING, Reason.MONITORING_NOT_COVERING} & set(result["refusals"]):
        return None
    profile = case_of(settings(), events, result["exception_id"]).profile
    known = read_policy(settings()).monitoring.get(profile)
    return ":".join(filter(None, (profile, ",".join(known.addons) if known else "")))


def _say_more(result: Mapping[str, Any], plan: str | None) -> None:
    """What the report, which knows nothing of exceptions, cannot say."""
    if result["approval_id"]:
        profile = result["monitoring_profile"]
        talk().print(
            f"allowed by exception {result['exception_id']}, approval {result['approval_id']}", style="bold cyan"
        )
        talk().print(f"monitoring `{profile}` is enforced", highlight=False)
    for refusal in result["refusals"]:
        talk().print(f"the exception does not cover this: {in_words(refusal)}", style="red", highlight=False)
    if plan is not None:
        talk().print(f"approved with: --monitoring {plan}", highlight=False, soft_wrap=True)
    if result["refusals"] and Reason.NO_SUCH_EXCEPTION not in result["refusals"]:
        talk().print(f"how it stands: compat-guard exception show {result['exception_id']}", highlight=False)
