"""What can happen to an exception. Each trigger has the broker's time and the record that caused it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from processors.events.exceptions import CommandKind, ExceptionCommand
from processors.events.outcomes import InstallFinished
from processors.exception_workflow.proof.claims import Verb
from processors.exception_workflow.proof.verify import Decision
from processors.exception_workflow.rules.scope import Basis, Use
from processors.exception_workflow.rules.timers import Timer, TimerKind


class On(StrEnum):
    """The rows of the state machine."""

    REQUESTED = "requested"
    AMENDED = "amended"
    APPROVAL = "approval of a step"
    DENIAL = "denial"
    WITHDRAWN = "withdrawn"
    SLA_TIMER = "SLA timer"
    TOO_OLD = "request too old"
    USE = "use"
    RECHECK_SENT = "matrix refreshed"
    RECHECKED = "re-check"
    CONFIRMED = "guard's answer"
    OUTCOME = "outcome"
    CANCELLED = "installation cancelled"
    MONITORING_LOST = "monitoring missing or lost"
    EXTENSION = "extension asked"
    REVOKED = "revoked"
    VALIDITY_OVER = "valid_until passed"
    HEADS_UP = "heads-up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commanded:
    """A command with a proved author.

    `basis` is what the report says, `subject` the bytes of the question that it answers, `spent_until` when the
    proof expires in any case.
    """

    command: ExceptionCommand
    at: int
    cause: str
    basis: Basis | None = None
    subject: bytes = b""
    subject_digest: str = ""
    mark: str = ""
    spent_until: int = 0

    @property
    def on(self) -> On:
        return _ON_COMMAND[self.command.kind]

    @property
    def actor(self) -> str:
        return self.command.requester.subject

    @property
    def request_id(self) -> str:
        return self.command.request_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A proved decision."""

    decision: Decision
    at: int
    cause: str
    request_id: str = ""

    @property
    def on(self) -> On:
        return _ON_VERB[self.decision.verb]

    @property
    def actor(self) -> str:
        return self.decision.person.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    """A timer fired. `at` is when it was due, not when that was noticed."""

    timer: Timer
    cause: str = "clock"
    actor: str = "clock"
    request_id: str = ""

    @property
    def at(self) -> int:
        return self.timer.due

    @property
    def on(self) -> On:
        return _ON_TIMER[self.timer.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class UseReported:
    """The checker asks whether a request may run under the exception, or answers a re-check of it.

    `confirms` says that this is the answer that a review waits for; `transitions.decide` sets it.
    """

    use: Use
    at: int
    cause: str
    confirms: bool = False

    @property
    def on(self) -> On:
        if self.use.recheck_of is None:
            return On.USE
        return On.CONFIRMED if self.confirms else On.RECHECKED

    @property
    def actor(self) -> str:
        return self.use.operator

    @property
    def request_id(self) -> str:
        return self.use.request_id


@dataclass(frozen=True, slots=True, kw_only=True)
class RecheckSent:
    """The matrix has changed since the exception was last judged: the checker is asked again."""

    mark: str
    at: int
    cause: str = "clock"
    actor: str = "matrix"
    request_id: str = ""
    on: On = On.RECHECK_SENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """The rollout reports the outcome of an installation.

    `lacks` says what is wrong with its monitoring. `transitions.reported` sets that and `on` by comparison with the
    exception.
    """

    news: InstallFinished
    at: int
    cause: str
    lacks: bool = False
    on: On = On.OUTCOME

    @property
    def actor(self) -> str:
        return self.news.operator

    @property
    def request_id(self) -> str:
        return self.news.request_id


Trigger = Commanded | Decided | TimerFired | UseReported | RecheckSent | Reported

_ON_COMMAND = {
    CommandKind.REQUESTED: On.REQUESTED,
    CommandKind.AMENDED: On.AMENDED,
    CommandKind.WITHDRAWN: On.WITHDRAWN,
    CommandKind.EXTENSION_REQUESTED: On.EXTENSION,
}
_ON_VERB = {Verb.APPROVE: On.APPROVAL, Verb.DENY: On.DENIAL, Verb.REVOKE: On.REVOKED}
_ON_TIMER = {
    TimerKind.REMINDER: On.SLA_TIMER,
    TimerKind.ESCALATION: On.SLA_TIMER,
    TimerKind.OVERDUE: On.SLA_TIMER,
    TimerKind.LAPSE: On.TOO_OLD,
    TimerKind.HEADS_UP: On.HEADS_UP,
    TimerKind.EXPIRY: On.VALIDITY_OVER,
}
