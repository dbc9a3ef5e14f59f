"""The transport through a gateway: for people and scripts with an access token and without rights on the broker."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import quote

from processors.client.exception_facts import Waiting
from processors.client.gateway_calls import Files, GatewayCalls, GatewayRefused, retry_after
from processors.client.installed import LARGEST_LIST, lines_of
from processors.client.mistyped import refuse_mistyped_before
from processors.client.question import PluginQuestion, only
from processors.client.streamed import watched
from processors.client.transport import (
    AlreadyOpen,
    Change,
    CommandRefused,
    ExceptionView,
    Inquiry,
    NoAnswer,
    NoVerdict,
    Record,
    RequestRefused,
    Tell,
    Wanted,
    no_result,
    not_there,
)
from processors.documents.files import content_of
from processors.errors import Refused, SettingsInvalid, Unavailable
from processors.events.exceptions import ExceptionDecided, Status, exception_decided_from_record
from processors.events.results import Result
from processors.manifests.read import file_bytes
from processors.versions import Dialect

CHECK: Final = "/internal/version/compat/check"
EXCEPTIONS: Final = "/internal/exceptions"

LOOKING: Final = 30.0
"""Seconds for read-only calls."""

_REFUSALS: Final = frozenset(
    {"approval-refused", "refused", "unprocessable", "key-reused", "too-large", "malformed"}
)
"""Problems with the caller's input, and not with the caller."""


class HttpTransport:
    """Asks as the person of the token, or as this machine's developer if the gateway needs no token."""

    def __init__(self, calls: GatewayCalls) -> None:
        self._calls = calls

    def known_as(self, inquiry: Inquiry) -> None:
        """The gateway derives the id from the requester and from the idempotency key."""

    def ask(self, inquiry: Inquiry, patience: float, tell: Tell) -> Result:
        tell(f"the gateway {self._calls.url}")
        subject = (
            inquiry.question.subject()
        )  # errors in files and options are reported here, in terms of the options
        refuse_mistyped_before(subject.host, self._dialect_of)
        until = time.monotonic() + patience
        try:
            answer = self._calls.post(CHECK, until, key=str(inquiry.id), files=form_of(inquiry))
            while answer.status_code == 202 and time.monotonic() < until:
                answer = self._calls.get(answer.headers["location"], until)
        except GatewayRefused as error:
            if error.kind in _REFUSALS:
                raise RequestRefused(f"the guard cannot read this request: {error.detail}") from None
            raise
        if answer.status_code == 202:
            raise NoVerdict(
                f"no verdict on request {answer.json()['request_id']} within {patience:g} s, which counts as a "
                "block; is a checker running? `compat-guard run checker`"
            )
        return Result(answer.json())

    def result(self, request_id: str, question: str | None) -> Result:
        named = {} if question is None else {"question": question}
        with _finding(no_result(request_id)):
            answer = self._calls.get(f"{CHECK}/{quote(request_id, safe='')}", _looking(), **named)
        return Result(answer.json())

    def results(self, *, from_beginning: bool, tell: Tell) -> Iterator[tuple[int, Result]]:
        if from_beginning:
            raise SettingsInvalid("a gateway streams results from now on; leave --from-beginning out, or ask Kafka")
        return watched(self._calls, tell)

    def exceptions(self, *, everything: bool) -> Sequence[Record]:
        return self._calls.get(EXCEPTIONS, _looking(), everything=str(everything).lower()).json()

    def exception(self, exception_id: str) -> ExceptionView:
        facts = self._about(exception_id)
        return ExceptionView(facts, list(map(exception_decided_from_record, facts.pop("history"))))

    def waiting(self, exception_id: str) -> Waiting:
        found = self._about(exception_id, "/approvers")
        return Waiting(**{name: found[name] for name in Waiting._fields})

    def monitoring(self, exception_id: str) -> str:
        return self._about(exception_id, "/approvers")["monitoring"]

    def request_exception(
        self, request_id: str, question: str | None, wanted: Wanted, patience: float
    ) -> ExceptionDecided:
        body = {
            "request_id": request_id,
            "question": question,
            "risk_statement": wanted.risk,
            "findings": list(wanted.findings),
            "compensating_controls": list(wanted.controls),
            "valid_until": wanted.valid_until,
            "single_use": wanted.single_use,
        }
        try:
            return self._say("/internal/version/compat/exception", body, no_result(request_id), patience)
        except GatewayRefused as error:
            if error.kind != "already-open":
                raise
            raise AlreadyOpen(error.more["exception_id"], Status(error.more["to_state"])) from None

    def amend(self, exception_id: str, change: Change, patience: float) -> ExceptionDecided:
        return self._change(exception_id, patience, kind="amend", **asdict(change))

    def withdraw(self, exception_id: str, reason: str, patience: float) -> ExceptionDecided:
        return self._change(exception_id, patience, kind="withdraw", reason=reason)

    def extend(self, exception_id: str, longer: int | None, reason: str, patience: float) -> ExceptionDecided:
        return self._change(exception_id, patience, kind="extend", longer=longer, reason=reason)

    def decide(self, exception_id: str, proof: str, patience: float) -> ExceptionDecided:
        body = {"exception_id": exception_id, "proof": proof}
        return self._say("/internal/version/compat/approve", body, not_there(exception_id), patience)

    def _change(self, exception_id: str, patience: float, **body: Any) -> ExceptionDecided:
        path = f"{EXCEPTIONS}/{quote(exception_id, safe='')}/commands"
        stated = {name: value for name, value in body.items() if value is not None}
        return self._say(path, stated, not_there(exception_id), patience)

    def _say(self, path: str, body: Mapping[str, Any], missing: str, patience: float) -> ExceptionDecided:
        """Repeated under its key until it is decided: a repetition is the same command."""
        until, key = time.monotonic() + patience, str(uuid.uuid4())
        try:
            with _finding(missing):
                answer = self._calls.post(path, until, key=key, body=body)
                while answer.status_code == 202 and (left := until - time.monotonic()) > 0:
                    time.sleep(min(retry_after(answer), left))
                    answer = self._calls.post(path, until, key=key, body=body)
        except GatewayRefused as error:
            if error.kind in _REFUSALS:
                raise CommandRefused(error.detail) from None
            raise
        if answer.status_code == 202:
            raise NoAnswer(
                f"nothing was decided within {patience:g} s, and the command may still take effect; "
                "is the workflow running? `compat-guard run exception-workflow`"
            )
        return exception_decided_from_record(answer.json())

    def _dialect_of(self, host: str) -> Dialect | None:
        """As the gateway says; an older one does not."""
        try:
            answer = self._calls.get(f"/internal/matrix/hosts/{quote(host, safe='')}", _looking())
            return Dialect(answer.json()["dialect"])
        except (Refused, Unavailable, ValueError, KeyError):
            return None

    def _about(self, exception_id: str, part: str = "") -> Record:
        with _finding(not_there(exception_id)):
            return self._calls.get(f"{EXCEPTIONS}/{quote(exception_id, safe='')}{part}", _looking()).json()


def _looking() -> float:
    return time.monotonic() + LOOKING


@contextmanager
def _finding(missing: str) -> Generator[None]:
    """Raises SettingsInvalid, with this message, for what does not exist; a GatewayRefused from inside passes
    through."""
    try:
        yield
    except GatewayRefused as error:
        if error.kind == "not-found":
            raise SettingsInvalid(missing) from None
        raise


def form_of(inquiry: Inquiry) -> Files:
    """The question as a form, with every file unchanged. Raises DocumentRefused and SettingsInvalid."""
    asked, under = inquiry.question, inquiry.exception
    manifest = only("--manifest", asked.manifest)
    texts: list[tuple[str, str | None]] = [
        ("host", only("--host", asked.host)),
        *(("runtime", runtime) for runtime in asked.runtimes),
        *(("installed", plugin) for plugin in asked.installed),
        ("database", asked.database),
        ("previous", asked.previous),
        ("tenant", inquiry.tenant),
        ("environment", inquiry.environment),
        ("target", inquiry.target or None),
    ]
    if under is not None:
        use = {"id": under.exception_id, "acknowledge_risk": under.statement, "monitoring": under.profile}
        texts.append(("exception", json.dumps({**use, "addons": list(under.addons)})))
    return [
        ("manifest", (manifest.name, file_bytes(manifest))),
        *(("together", (path.name, file_bytes(path))) for path in asked.together),
        *_installed(asked),
        *((name, (None, text.encode())) for name, text in texts if text is not None),
    ]


def _installed(asked: PluginQuestion) -> Files:
    if asked.installed_from is None:
        return []
    lines = lines_of(asked.installed_from)
    if lines is None:
        return [("installed_from", (asked.installed_from.name, content_of(asked.installed_from, LARGEST_LIST)))]
    return [("installed", (None, line.encode())) for line in lines]
