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
from processors.errors import Refused, Unavailable, shorten
from processors.events.exceptions import ExceptionDecided, Status
from processors.events.questions import Question
from processors.events.results import Result
from processors.exception_workflow.rules.timers import REVIEWING

SOURCE = "/compat-guard/cli"
"""Who has written the events of people and scripts, as CloudEvents names it."""

Record = dict[str, Any]
Tell = Callable[[str], None]
"""Is told what is waited for, such as "a checker"; on any thread."""

LISTED = "`compat-guard watch --from-beginning` lists those that are kept"
"""The way out for whoever gave the id of a request that is not there."""


class NoVerdict(Unavailable):
    """Nobody answered in time. Treat it as a block."""


class RequestRefused(Refused):
    """The guard could not read the request."""


class QuestionUnclear(Refused):
    """Several questions were asked under one id, and nobody said which one is meant."""

    def __init__(self, request_id: str, questions: Iterable[tuple[Question, str]]) -> None:
        listed = "\n".join(f"  --question {question.name}  {about}" for question, about in questions)
        super().__init__(
            f"several questions were asked under the id `{shorten(request_id)}`; an id is its sender's choice, "
            f"so say which one is yours:\n{listed}"
        )


class NoAnswer(Unavailable):
    """The workflow did not answer in time. The command may still take effect."""


class CommandRefused(Refused):
    """The workflow refuses the command; the exception stays as it was."""


class AlreadyOpen(Refused):
    """An exception of the same scope is open, and stands as it did. `status` is where it stands."""

    def __init__(self, exception_id: str, status: Status) -> None:
        self.exception_id = exception_id
        way_out = (
            f"`compat-guard exception amend {exception_id}` changes it"
            if status in REVIEWING
            else f"`compat-guard exception show {exception_id}` tells what it covers"
        )
        super().__init__(f"an exception is open already and is {status}; nothing was changed; {way_out}")


class Author(NamedTuple):
    """Who asks, and who vouches for them. Over HTTP an access token says both, so all of it must be left out.

    `name` is the person's, by default that of the user who runs this; `issuer` and `key` sign a command.
    """

    name: str | None = None
    issuer: str | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """A question, and what it is asked for. `id` makes a retry the same request."""

    id: uuid.UUID
    question: PluginQuestion
    tenant: str | None = None
    environment: str = "production"
    target: str = ""
    exception: UnderException | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an exception is asked for. No findings mean all that block, no `valid_until` as long as may be; that is
    milliseconds since the epoch."""

    risk: str
    findings: Sequence[str] = ()
    controls: Sequence[str] = ()
    valid_until: int | None = None
    single_use: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How a request for an exception is amended; what is None stays. `request_id` rests it on another block."""

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
    """Times are seconds of patience. Every method raises Refused or Unavailable as its way has it; besides:

    `ask` NoVerdict, RequestRefused; `result` QuestionUnclear, SettingsInvalid for an id that is not there; whatever
    is about an exception SettingsInvalid for one that is not there; commands CommandRefused and NoAnswer.
    """

    def known_as(self, inquiry: Inquiry) -> str | None:
        """The id of a request, where it is known before the answer."""
        ...

    def ask(self, inquiry: Inquiry, patience: float, tell: Tell) -> Result:
        """Ask, and wait for the result."""
        ...

    def result(self, request_id: str, question: str | None) -> Result:
        """The newest result of a request."""
        ...

    def results(self, *, from_beginning: bool, tell: Tell) -> Iterator[tuple[int, Result]]:
        """Results as they come, each with the broker's milliseconds. Ends with the caller.

        What was reached once and goes away is waited for, however long that takes: no result is missed or comes
        twice. `tell` is told that it went, and that it is back.
        """
        ...

    def exceptions(self, *, everything: bool) -> Sequence[Record]:
        """The facts of every exception that is open, or of all, the most urgent first."""
        ...

    def exception(self, exception_id: str) -> ExceptionView:
        """An exception with its history."""
        ...

    def waiting(self, exception_id: str) -> Waiting:
        """Whose decision it waits for."""
        ...

    def monitoring(self, exception_id: str) -> str:
        """The monitoring that was approved, as `PROFILE:ADDON,...`."""
        ...

    def request_exception(
        self, request_id: str, question: str | None, wanted: Wanted, patience: float
    ) -> ExceptionDecided:
        """Request an exception for a block. Raises AlreadyOpen if one is open."""
        ...

    def amend(self, exception_id: str, change: Change, patience: float) -> ExceptionDecided: ...

    def withdraw(self, exception_id: str, reason: str, patience: float) -> ExceptionDecided: ...

    def extend(self, exception_id: str, longer: int | None, reason: str, patience: float) -> ExceptionDecided:
        """`longer` is milliseconds beyond its present end, or beyond now if that is over; the most if None."""
        ...

    def decide(self, exception_id: str, proof: str, patience: float) -> ExceptionDecided:
        """Hand in what a person has decided and signed, as a compact JWS."""
        ...


def not_there(exception_id: str) -> str:
    """What whoever names an exception that is not there is told."""
    return f"there is no exception `{shorten(exception_id)}`; `compat-guard exception list --all` shows all"


def no_result(request_id: str) -> str:
    return f"there is no result for request `{shorten(request_id)}`; {LISTED}"
