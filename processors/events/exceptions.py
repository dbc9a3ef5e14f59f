"""Events around an exception: what people ask, how they decide, what the workflow answers.

Mirrors schemas/. A command or decision keeps what its sender wrote; nothing here judges it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from processors.events.fields import fields_of
from processors.events.vocabulary import Band

Record = Mapping[str, Any]
E = TypeVar("E", bound=StrEnum)

_SCOPES = uuid.uuid5(uuid.NAMESPACE_URL, "urn:compat-guard:exception-scope")


class Status(StrEnum):
    """The status of an exception."""

    UNKNOWN = "UNKNOWN"
    PENDING = "PENDING"
    IN_REVIEW = "IN_REVIEW"
    APPROVED = "APPROVED"
    CONSUMED = "CONSUMED"
    NEEDS_REVIEW = "NEEDS_REVIEW"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"
    LAPSED = "LAPSED"
    VOIDED = "VOIDED"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"
    CHECKING = "CHECKING"


class CommandKind(StrEnum):
    UNKNOWN = "UNKNOWN"
    REQUESTED = "REQUESTED"
    AMENDED = "AMENDED"
    WITHDRAWN = "WITHDRAWN"
    REVOCATION_REQUESTED = "REVOCATION_REQUESTED"
    EXTENSION_REQUESTED = "EXTENSION_REQUESTED"


class Category(StrEnum):
    UNKNOWN = "UNKNOWN"
    WAIVER = "WAIVER"
    MITIGATED = "MITIGATED"


class ProofKind(StrEnum):
    UNKNOWN = "UNKNOWN"
    SERVICE_JWS = "SERVICE_JWS"
    ID_TOKEN_NONCE = "ID_TOKEN_NONCE"  # noqa: S105 - the name of a kind


class Scope(NamedTuple):
    """What an exception covers. Versions are compared as text, because that is what was approved."""

    tenant: str
    plugin_id: str
    plugin_version: str
    host: str
    host_version: str
    environment: str

    @property
    def exception_id(self) -> str:
        """UUID5 of the scope, so that a second request finds the same exception.

        Parts are prefixed with their lengths.
        """
        return str(uuid.uuid5(_SCOPES, "".join(f"{len(part)}:{part}" for part in self)))


NO_SCOPE = Scope("", "", "", "", "", "")


class Person(NamedTuple):
    """A person, by the immutable subject at an identity provider; never by an address."""

    issuer: str
    subject: str


NOBODY = Person("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionCommand:
    """A command to the workflow, as its record states it; `proof` names the requester.

    The report and the question that it answers are separate, as bytes.
    """

    command_id: str
    exception_id: str
    kind: CommandKind
    at: int
    requester: Person
    scope: Scope
    request_id: str = ""
    report_digest: str = ""
    finding_ids: tuple[str, ...] = ()
    risk_statement: str = ""
    category: Category = Category.WAIVER
    compensating_controls: tuple[str, ...] = ()
    valid_until: int | None = None
    single_use: bool = True
    reason: str = ""
    proof_kind: ProofKind = ProofKind.SERVICE_JWS
    proof: str | None = None

    def record(self) -> dict[str, Any]:
        return {
            **fields_of(self, "requester", "scope"),
            "requester": self.requester.subject,
            "requester_issuer": self.requester.issuer,
            **self.scope._asdict(),
        }


@dataclass(frozen=True, slots=True)
class ExceptionRequested:
    """A command as it is published: with the question and the report of its block, as records."""

    command: ExceptionCommand
    subject: Record | None = None
    report: Record | None = None

    @property
    def id(self) -> str:
        return self.command.command_id

    @property
    def key(self) -> str:
        return self.command.exception_id

    def record(self) -> dict[str, Any]:
        return {**self.command.record(), "subject": self.subject, "report": self.report}


@dataclass(frozen=True, slots=True)
class ApprovalDecision:
    """A person's decision. Only `proof` counts; the other fields are for routing."""

    decision_id: str
    exception_id: str
    at: int
    proof_kind: ProofKind
    proof: str
    decision: str | None = None

    @property
    def id(self) -> str:
        return self.decision_id

    @property
    def key(self) -> str:
        return self.exception_id

    def record(self) -> dict[str, Any]:
        return fields_of(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionDecided:
    """One change of an exception, or an audited refusal of one. A refusal repeats the last change's sequence."""

    event_id: str
    exception_id: str
    round: int
    sequence: int
    at: int
    event: str
    from_state: Status
    to_state: Status
    actor: str = ""
    reason_code: str = ""
    reason: str = ""
    step: str = ""
    approval_id: str | None = None
    scope: Scope = NO_SCOPE
    request_id: str = ""
    report_digest: str = ""
    finding_ids: tuple[str, ...] = ()
    band: Band = Band.UNKNOWN
    valid_until: int | None = None
    waiting_step: str = ""
    due_at: int | None = None
    monitoring_profile: str = ""
    uses: int = 0
    caused_by: str = ""
    security_event: bool = False

    @property
    def id(self) -> str:
        return self.event_id

    @property
    def key(self) -> str:
        return self.exception_id

    def record(self) -> dict[str, Any]:
        return {**fields_of(self, "scope"), **self.scope._asdict()}


def exception_decided_from_record(record: Record) -> ExceptionDecided:
    return ExceptionDecided(
        event_id=record["event_id"],
        exception_id=record["exception_id"],
        round=record["round"],
        sequence=record["sequence"],
        at=record["at"],
        event=record["event"],
        from_state=_symbol(Status, record["from_state"]),
        to_state=_symbol(Status, record["to_state"]),
        actor=record["actor"],
        reason_code=record["reason_code"],
        reason=record["reason"],
        step=record["step"],
        approval_id=record["approval_id"],
        scope=scope_from_record(record),
        request_id=record["request_id"],
        report_digest=record["report_digest"],
        finding_ids=tuple(record["finding_ids"]),
        band=_symbol(Band, record["band"]),
        valid_until=record["valid_until"],
        waiting_step=record["waiting_step"],
        due_at=record["due_at"],
        monitoring_profile=record["monitoring_profile"],
        uses=record["uses"],
        caused_by=record["caused_by"],
        security_event=record["security_event"],
    )


def command_from_record(record: Record) -> ExceptionCommand:
    return ExceptionCommand(
        command_id=record["command_id"],
        exception_id=record["exception_id"],
        kind=_symbol(CommandKind, record["kind"]),
        at=record["at"],
        requester=Person(record["requester_issuer"], record["requester"]),
        scope=scope_from_record(record),
        request_id=record["request_id"],
        report_digest=record["report_digest"],
        finding_ids=tuple(record["finding_ids"]),
        risk_statement=record["risk_statement"],
        category=_symbol(Category, record["category"]),
        compensating_controls=tuple(record["compensating_controls"]),
        valid_until=record["valid_until"],
        single_use=record["single_use"],
        reason=record["reason"],
        proof_kind=_symbol(ProofKind, record["proof_kind"]),
        proof=record["proof"],
    )


def decision_from_record(record: Record) -> ApprovalDecision:
    return ApprovalDecision(
        decision_id=record["decision_id"],
        exception_id=record["exception_id"],
        at=record["at"],
        proof_kind=_symbol(ProofKind, record["proof_kind"]),
        proof=record["proof"],
        decision=record["decision"],
    )


def scope_from_record(record: Record) -> Scope:
    """The scope that an event states in fields of its own."""
    return Scope(*(record[name] for name in Scope._fields))


def _symbol(words: type[E], text: str) -> E:
    """The word, or UNKNOWN for one of a newer writer."""
    return words(text) if text in words.__members__ else words("UNKNOWN")
