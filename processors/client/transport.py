"""The guard as people and scripts reach it, through Kafka or over HTTP: the same questions, answers and errors."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from processors.client.exception_facts import Waiting
from processors.client.install_request import UnderException
from processors.client.question import PluginQuestion
from processors.errors import Refused, SettingsInvalid, Unavailable, shorten
from processors.events.exceptions import ExceptionDecided, Status
from processors.events.questions import Question
from processors.events.results import Result
from processors.exception_workflow.rules.timers import REVIEWING

SOURCE = "/compat-guard/cli"
"""The source of events of people and scripts, in CloudEvents."""

Record = dict[str, Any]
Tell = Callable[[str], None]
"""Called with what is being waited for, such as "a checker"; on any thread."""

LISTED = "`compat-guard watch --from-beginning` lists those that are kept"
"""Advice for a request id without a result."""


class NoVerdict(Unavailable):
    """No answer in time. Treat it as a block."""


class RequestRefused(Refused):
    """The guard could not read the request."""


class QuestionUnclear(Refused):
    """Several questions were asked under one id, and none was named."""

    def __init__(self, request_id: str, questions: Iterable[tuple[Question, str]]) -> None:
        listed = "\n".join(f"  --question {question.name}  {about}" for question, about in questions)
        super().__init__(
            f"several questions were asked under the id `{shorten(request_id)}`; an id is its sender's choice, "
            f"so say which one is yours:\n{listed}"
        )


class NoAnswer(Unavailable):
    """The workflow did not answer in time. The command may still take effect."""


class NoSuchException(SettingsInvalid):
    """Nobody has ever asked for an exception with this id."""


class StateTooNew(Unavailable):
    """The workflow has sealed a state that this version cannot read."""


class CommandRefused(Refused):
    """The workflow refuses the command; the exception stays as it was."""


class AlreadyOpen(Refused):
    """An exception with the same scope is open already, and was not changed. `status` is its present status."""

    def __init__(self, exception_id: str, status: Status) -> None:
        self.exception_id = exception_id
        way_out = (
            f"`compat-guard exception amend {exception_id}` changes it"
            if status in REVIEWING
            else f"`compat-guard exception show {exception_id}` tells what it covers"
        )
        super().__init__(f"an exception is open already and is {status}; nothing was changed; {way_out}")


class Author(NamedTuple):
    """The requester and their issuer. Over HTTP an access token contains both, so all of it must be left out.

    `name` is the person's, by default that of the user who runs this; `issuer` and `key` sign a command.
    """

    name: str | None = None
    issuer: str | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """A question, and its purpose. `id` makes a retry the same request."""

    id: uuid.UUID
    question: PluginQuestion
    tenant: str | None = None
    environment: str = "production"
    target: str = ""
    exception: UnderException | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The requested exception.

    No findings mean all that block; without `valid_until` (milliseconds since the epoch) it lasts as long as
    permitted.
    """

    risk: str
    findings: Sequence[str] = ()
    controls: Sequence[str] = ()
    valid_until: int | None = None
    single_use: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How a request for an exception is amended; None means unchanged.

    `request_id` selects another block as its basis.
    """

    request_id: str | None = None
    question: str | None = None
    risk: str | None = None
    findings: Sequence[str] | None = None
    controls: Sequence[str] | None = None
    valid_until: int | None = None
    single_use: bool | None = None
    reason: str = ""


class ExceptionView(NamedTuple):
    """The facts of an exception, and every decision about it, oldest first."""

    facts: Record
    history: Sequence[ExceptionDecided]


class Transport(Protocol):
    """Times are seconds of patience. Every method raises the Refused and Unavailable errors of its transport;
    besides:

    `ask` NoVerdict, RequestRefused; `result` QuestionUnclear, SettingsInvalid for an unknown id; methods about an
    exception SettingsInvalid for an unknown one; commands CommandRefused and NoAnswer.
    """

    def known_as(self, inquiry: Inquiry) -> str | None:
        """The id of a request, if it is known before the answer."""
        ...

    def ask(self, inquiry: Inquiry, patience: float, tell: Tell) -> Result:
        """Ask, and wait for the result."""
        ...

    def result(self, request_id: str, question: str | None) -> Result:
        """The newest result of a request."""
        ...

    def results(self, *, from_beginning: bool, tell: Tell) -> Iterator[tuple[int, Result]]:
        """Results as they arrive, each with the broker's milliseconds. The caller ends the iteration.

        An interrupted connection is waited for, however long it takes: no result is missed or repeated. `tell` is
        called when it is lost and when it is back.
        """
        ...

    def exceptions(self, *, everything: bool) -> Sequence[Record]:
        """The facts of every open exception, or of all, the most urgent first."""
        ...

    def exception(self, exception_id: str) -> ExceptionView:
        """An exception with its history."""
        ...

    def waiting(self, exception_id: str) -> Waiting:
        """Whose decision it waits for."""
        ...

    def monitoring(self, exception_id: str) -> str:
        """The approved monitoring, as `PROFILE:ADDON,...`."""
        ...

    def request_exception(
        self, request_id: str, question: str | None, wanted: Wanted, patience: float
    ) -> ExceptionDecided:
        """Request an exception for a block. Raises AlreadyOpen if one is open."""
        ...

    def amend(self, exception_id: str, change: Change, patience: float) -> ExceptionDecided: ...

    def withdraw(self, exception_id: str, reason: str, patience: float) -> ExceptionDecided: ...

    def extend(self, exception_id: str, longer: int | None, reason: str, patience: float) -> ExceptionDecided:
        """`longer` is milliseconds beyond its present end, or beyond now if that has passed; the most permitted
        if None."""
        ...

    def decide(self, exception_id: str, proof: str, patience: float) -> ExceptionDecided:
        """Submit a person's signed decision, a compact JWS."""
        ...


def not_there(exception_id: str) -> str:
    """The message for an unknown exception."""
    return f"there is no exception `{shorten(exception_id)}`; `compat-guard exception list --all` shows all"


def no_result(request_id: str) -> str:
    return f"there is no result for request `{shorten(request_id)}`; {LISTED}"
