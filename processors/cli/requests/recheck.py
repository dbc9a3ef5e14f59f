"""`compat-guard recheck`: asks an earlier question again, under the present matrix and policies."""

from __future__ import annotations

import getpass
import json
import time
import uuid
from contextlib import closing
from typing import Annotated, Any

import typer

from processors.bootstrap.clients import codec, stream_settings
from processors.checker.impact import Difference, difference
from processors.cli.formats import Prose, ProseOption
from processors.cli.requests.answers import Style, WhichQuestion, exit_code, show
from processors.cli.requests.replay import finding_json
from processors.cli.requests.request import Operator, Patience, wait_for_verdict
from processors.client.results import ask, only, read_request, results_of
from processors.client.transport import LISTED
from processors.configuration.settings import Settings, settings
from processors.errors import SettingsInvalid, shorten
from processors.events.install_requests import InstallRequested, KeptRequest
from processors.events.questions import Question
from processors.events.report import Finding
from processors.events.report_record import report_to_record
from processors.events.results import Result
from processors.events.topics import INSTALL_REQUESTS
from processors.stream.io.follow import Follower
from processors.stream.wire.codec import Codec


def recheck(
    request_id: Annotated[
        str, typer.Argument(help="request whose question to ask again", metavar="REQUEST_ID", show_default=False)
    ],
    operator: Operator = None,
    timeout: Patience = 30.0,
    question: WhichQuestion = None,
    output: ProseOption = Prose.text,
) -> None:
    """Ask an earlier question again, wait for the verdict, and show it and what has changed since.

    Ends like `request`: 0 if it may be installed, 1 if it is blocked, 2 if there is no such request, 3 if nobody
    answers.
    """
    with codec(settings()) as events:
        which, asked = _asked(settings(), events, request_id, question)
        earlier = results_of(settings(), events, request_id).get(which)
        event = again(asked, str(uuid.uuid4()), operator or getpass.getuser(), time.time_ns() // 1_000_000)
        result = wait_for_verdict(
            lambda tell: ask(settings(), events, event, asked.subject_record, timeout, tell), timeout, event.id
        )
    changed = changes(earlier, result) if earlier else None
    if output is Prose.json:
        typer.echo(json.dumps(_json(result, changed), ensure_ascii=False))
    else:
        show(result.report, result.report_digest, Style.text, None, event.id)
        typer.echo("\n".join(_told(changed)))
    raise typer.Exit(exit_code(result.verdict))


def again(asked: KeptRequest, request_id: str, operator: str, now: int) -> InstallRequested:
    """A new request with the same question.

    It does not name the exception that the first one may have named: the exception workflow re-checks exceptions by
    itself, and this must not count as a use.
    """
    return InstallRequested(
        request_id=request_id,
        requested_at=now,
        plugin_id=asked.subject_record["manifest"]["id"],
        tenant=asked.tenant,
        operator=operator,
        environment=asked.environment,
        target=asked.target,
        action=asked.action,
        recheck_of=asked.request_id,
    )


def changes(earlier: Result, later: Result) -> Difference:
    """The changes between two results. An earlier block under an exception counts with the exception's verdict."""
    return difference(earlier.report, later.report)._replace(before=earlier.verdict, after=later.verdict)


def _asked(of: Settings, events: Codec, request_id: str, question: str | None) -> tuple[Question, KeptRequest]:
    """The question of that id, and the request that asked it.

    Raises SettingsInvalid if the topic has no readable one, and QuestionUnclear if it has several and none is
    named. Requests are keyed by plugin, which the id does not show, so all partitions are read; only records whose
    bytes contain the id are decoded.
    """
    decode = events.decoder(INSTALL_REQUESTS, "InstallRequested")
    wanted, found = request_id.encode(), dict[Question, tuple[KeptRequest, str]]()
    with closing(Follower(stream_settings(of), "recheck", brief=True)) as follower:
        follower.from_beginning([INSTALL_REQUESTS])
        for record in follower.read():
            if record.value is None or wanted not in record.value:
                continue
            read = read_request(decode, record.value)
            if read is not None and read[0].request_id == request_id:
                found[read[0]] = read[1], _about(read[1])
    if not found:
        raise SettingsInvalid(f"there is no request `{shorten(request_id)}` on {INSTALL_REQUESTS}; {LISTED}")
    asked = only(request_id, found, question)
    return next(one for one, (request, _) in found.items() if request is asked), asked


def _about(request: KeptRequest) -> str:
    manifest, host = request.subject.manifest, request.subject.host
    return (
        f"{manifest.id} {manifest.version} on {host.name} {host.version}, "
        f"tenant {request.tenant}, by {request.operator}"
    )


def _told(changed: Difference | None) -> list[str]:
    if changed is None:
        return ["The earlier request has no result to compare with."]
    verdicts = (
        f"The verdict is {changed.after}, as before."
        if changed.before is changed.after
        else f"The verdict has changed from {changed.before} to {changed.after}."
    )
    if not (changed.gone or changed.come):
        return [verdicts, "The findings are the same."]
    return [
        verdicts,
        *(f"  gone  {_line(f)}" for f in changed.gone),
        *(f"  new   {_line(f)}" for f in changed.come),
    ]


def _line(finding: Finding) -> str:
    return f"{finding.code}: {finding.sentence}"


def _json(result: Result, changed: Difference | None) -> dict[str, Any]:
    return {
        "request_id": result.request_id,
        "recheck_of": result.recheck_of,
        "verdict": result.verdict,
        "changes": None
        if changed is None
        else {
            "before": changed.before,
            "after": changed.after,
            "gone": [finding_json(finding) for finding in changed.gone],
            "come": [finding_json(finding) for finding in changed.come],
        },
        "report": {
            **report_to_record(result.report),
            "report_digest": result.report_digest,
        },
    }
