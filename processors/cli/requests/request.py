"""`compat-guard request`: asks the running guard, through Kafka or a gateway, and waits for its verdict."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from processors.cli import talk
from processors.cli.gateway_option import GatewayOption
from processors.cli.requests.answers import Output, Style, exit_code, known_of, show
from processors.cli.requests.pages import ToFile
from processors.cli.requests.question import (
    Database,
    HostOption,
    Installed,
    InstalledFile,
    ManifestFile,
    Previous,
    Runtimes,
    Together,
)
from processors.cli.waiting import OutOfTime, await_answer
from processors.client.connecting import connected
from processors.client.install_request import UnderException
from processors.client.mistyped import refuse_mistyped_host
from processors.client.question import PluginQuestion
from processors.client.transport import Author, Inquiry, NoVerdict, Tell, Transport
from processors.configuration.settings import settings
from processors.documents.scalars import unprintable
from processors.errors import SettingsInvalid, shorten
from processors.events.results import Result
from processors.events.vocabulary import Verdict
from processors.exception_workflow.rules.reasons import Reason, in_words

RequestId = Annotated[
    uuid.UUID | None, typer.Option("--request-id", help="of the request; a retry uses the same one")
]
Tenant = Annotated[
    str | None,
    typer.Option(
        "--tenant", help="tenant that it is for", show_default="`default`; over a gateway the token's only one"
    ),
]
Operator = Annotated[
    str | None,
    typer.Option("--operator", help="who asks", show_default="the user that runs this; the token's over a gateway"),
]
Environment = Annotated[str, typer.Option("--environment", help="environment, such as production or staging")]
Target = Annotated[str, typer.Option("--target", help="installation it is meant for, such as a cluster id")]
ExceptionId = Annotated[str | None, typer.Option("--exception", help="approved exception to run under")]
Acknowledge = Annotated[
    str | None,
    typer.Option("--acknowledge-risk", help="acknowledge the risk, in your own words; needed with --exception"),
]
Monitoring = Annotated[
    str | None,
    typer.Option(
        "--monitoring",
        help="how it will be monitored: a profile and its add-ons; needed with --exception",
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
    tenant: Tenant = None,
    operator: Operator = None,
    environment: Environment = "production",
    target: Target = "",
    exception: ExceptionId = None,
    acknowledge_risk: Acknowledge = None,
    monitoring: Monitoring = None,
    timeout: Patience = 30.0,
    output: Output = Style.text,
    file: ToFile = None,
    gateway: GatewayOption = None,
) -> None:
    """Ask the running guard whether a plugin may be installed, and wait for the verdict.

    Ends with 0 if it may be installed, 1 if it is blocked, 2 if the input cannot be read, 3 if nobody answers, 130
    after Ctrl-C. Without a verdict nothing may be installed; stderr shows the id at once, to find a late one.
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
    question = PluginQuestion(
        manifest=manifest,
        host=host,
        runtimes=runtime or (),
        installed=installed or (),
        installed_from=installed_from,
        database=database,
        previous=previous,
        together=together or (),
    )
    subject = question.subject()
    inquiry = Inquiry(
        id=request_id or uuid.uuid4(),
        question=question,
        tenant=tenant,
        environment=environment,
        target=target,
        exception=_under_exception(exception, acknowledge_risk, monitoring) if exception else None,
    )
    with connected(settings(), gateway, Author(operator)) as guard:
        result = _verdict_on(guard, inquiry, timeout)
        plan = _plan_needed(guard, result)
    report = result.report
    refuse_mistyped_host(subject.host, report.findings)
    asking = None if exception else result.request_id  # not needed with an exception
    show(report, result.report_digest, output, file, asking, result.verdict, known=known_of(result))
    if output is Style.text:
        _say_more(result, plan)
    raise typer.Exit(exit_code(result.verdict))


def _verdict_on(guard: Transport, inquiry: Inquiry, timeout: float) -> Result:
    """Ask, and show the id of the request: at once, or when the gateway that chooses it has answered."""
    id = guard.known_as(inquiry)
    if id is not None:
        return wait_for_verdict(lambda tell: guard.ask(inquiry, timeout, tell), timeout, id)
    again = f"`--request-id {inquiry.id}` asks for it again"
    result = wait_for_verdict(lambda tell: guard.ask(inquiry, timeout, tell), timeout, None, again)
    talk().print(f"request {result.request_id}", style="dim", highlight=False)
    return result


def wait_for_verdict(
    ask: Callable[[Tell], Result], timeout: float, id: str | None, way_out: str | None = None
) -> Result:
    """Ask, and show on stderr the id at once, if it is known, and then what is being waited for.

    Raises NoVerdict within `timeout` seconds, whatever does not answer; Ctrl-C prints how to find a late verdict.
    """
    late = way_out or f"a late one is shown by `compat-guard report {id}`"
    about = f"no verdict on request {id}" if id else "no verdict"
    try:
        return await_answer(ask, timeout, f"request {id}" if id else "")
    except OutOfTime as error:
        raise NoVerdict(
            f"{about} within {timeout:g} s, which counts as a block; waited for {error.awaited}; {late}"
        ) from None
    except KeyboardInterrupt:
        talk().print(f"{about}; {late}", highlight=False)
        raise


def _refuse_broken(options: Mapping[str, str | None]) -> None:
    """No event can contain broken characters, and the error must not look like a block."""
    for option, text in options.items():
        if text is not None and unprintable(text):
            raise SettingsInvalid(f"{option} `{shorten(text)}` holds hidden or broken characters; type it anew")


def _only_under_exception(exception: str | None, acknowledged: str | None, monitoring: str | None) -> None:
    """Refuses options that would have no effect without an exception."""
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


def _plan_needed(guard: Transport, result: Result) -> str | None:
    """The approved monitoring as a --monitoring option; None if the plan was not the problem."""
    if not {Reason.MONITORING_PLAN_MISSING, Reason.MONITORING_NOT_COVERING} & set(result.refusals):
        return None
    return guard.monitoring(result.exception_id or "")


def _say_more(result: Result, plan: str | None) -> None:
    """Show what the report cannot contain, because it knows neither exceptions nor pages."""
    if result.report_url and result.verdict is not Verdict.ALLOW:
        talk().print(f"in a browser: {result.report_url}", highlight=False, soft_wrap=True)
    if result.approval_id:
        profile = result.monitoring_profile
        talk().print(
            f"allowed by exception {result.exception_id}, approval {result.approval_id}", style="bold cyan"
        )
        talk().print(f"monitoring `{profile}` is enforced", highlight=False)
    for refusal in result.refusals:
        talk().print(f"the exception does not cover this: {in_words(refusal)}", style="red", highlight=False)
    if plan is not None:
        talk().print(f"approved with: --monitoring {plan}", highlight=False, soft_wrap=True)
    if result.refusals and Reason.NO_SUCH_EXCEPTION not in result.refusals:
        talk().print(f"how it stands: compat-guard exception show {result.exception_id}", highlight=False)
