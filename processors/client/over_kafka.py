"""The transport through the topics: for programs with their own rights on the broker."""

from __future__ import annotations

import getpass
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace

from processors.bootstrap.exception_workflow import read_policy
from processors.bootstrap.sealing import has_seal_keys
from processors.client.block import from_block
from processors.client.exception_commands import amendment, command, extended_until, kept, request
from processors.client.exception_facts import Waiting, by_urgency, facts_of, monitoring_of, waiting_of
from processors.client.exceptions import all_cases, case_of, history, publish
from processors.client.install_request import InstallRequest
from processors.client.matrix_topic import read_matrix
from processors.client.mistyped import refuse_mistyped_before
from processors.client.results import ask, follow, result_of
from processors.client.signing import signer_of
from processors.client.transport import AlreadyOpen, Author, Change, ExceptionView, Inquiry, Record, Tell, Wanted
from processors.configuration.settings import Settings
from processors.errors import Refused, SettingsInvalid, Unavailable
from processors.events.exceptions import (
    ApprovalDecision,
    CommandKind,
    ExceptionDecided,
    ExceptionRequested,
    Person,
    ProofKind,
)
from processors.events.kinds import APPROVAL_DECIDED, EXCEPTION_COMMANDED
from processors.events.results import Result
from processors.events.subject_record import subject_to_record
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.state.case import ExceptionCase
from processors.stream.wire.codec import Codec
from processors.versions import Dialect


class KafkaTransport:
    """Asks as `author`, whose commands about exceptions are signed with the author's key."""

    def __init__(self, of: Settings, events: Codec, author: Author) -> None:
        self._of, self._events, self._author = of, events, author

    @property
    def _name(self) -> str:
        return self._author.name or getpass.getuser()

    def known_as(self, inquiry: Inquiry) -> str:
        return str(inquiry.id)

    def ask(self, inquiry: Inquiry, patience: float, tell: Tell) -> Result:
        asked = InstallRequest(
            request_id=str(inquiry.id),
            tenant=inquiry.tenant or "default",
            operator=self._name,
            environment=inquiry.environment,
            target=inquiry.target,
            subject=inquiry.question.subject(),
            exception=inquiry.exception,
        )
        tell(f"a broker at {self._of.kafka.bootstrap}")
        refuse_mistyped_before(asked.subject.host, self._dialect_of)
        subject = subject_to_record(asked.subject)
        return ask(self._of, self._events, asked.event(_now()), subject, patience, tell)

    def result(self, request_id: str, question: str | None) -> Result:
        return result_of(self._of, self._events, request_id, question)

    def results(self, *, from_beginning: bool, tell: Tell) -> Iterator[tuple[int, Result]]:  # noqa: ARG002
        return follow(self._of, self._events, from_beginning=from_beginning)

    def exceptions(self, *, everything: bool) -> Sequence[Record]:
        policy = read_policy(self._of)
        cases = all_cases(self._of, self._events, unverified=self._unverified)
        return [self._facts(case, policy) for case in by_urgency(cases, policy, everything=everything)]

    def exception(self, exception_id: str) -> ExceptionView:
        case = self._seen(exception_id)
        past = history(self._of, self._events, exception_id)
        return ExceptionView(self._facts(case, read_policy(self._of)), past)

    def waiting(self, exception_id: str) -> Waiting:
        return waiting_of(self._seen(exception_id), read_policy(self._of))

    def monitoring(self, exception_id: str) -> str:
        return monitoring_of(self._seen(exception_id), read_policy(self._of))

    def request_exception(
        self, request_id: str, question: str | None, wanted: Wanted, patience: float
    ) -> ExceptionDecided:
        block = from_block(self._of, self._events, request_id, wanted.findings, question=question)
        decided = self._say(request(block, wanted, _new_id()), patience)
        if decided.event == "already_open":
            raise AlreadyOpen(decided.exception_id, decided.to_state)
        return decided

    def amend(self, exception_id: str, change: Change, patience: float) -> ExceptionDecided:
        case = self._verified(exception_id)
        rests_on = change.request_id or case.request_id
        block = from_block(self._of, self._events, rests_on, change.findings, kept(case, change), change.question)
        return self._say(amendment(case, block, change, _new_id()), patience)

    def withdraw(self, exception_id: str, reason: str, patience: float) -> ExceptionDecided:
        case = self._seen(exception_id)  # whatever it says, a withdrawal can only end it
        return self._say(command(case, CommandKind.WITHDRAWN, _new_id(), reason=reason), patience)

    def extend(self, exception_id: str, longer: int | None, reason: str, patience: float) -> ExceptionDecided:
        case = self._verified(exception_id)
        until = extended_until(case, longer, _now())
        asked = command(case, CommandKind.EXTENSION_REQUESTED, _new_id(), reason=reason, valid_until=until)
        return self._say(asked, patience)

    def decide(self, exception_id: str, proof: str, patience: float) -> ExceptionDecided:
        self._verified(exception_id)
        decision = ApprovalDecision(_new_id(), exception_id, _now(), ProofKind.SERVICE_JWS, proof)
        return publish(self._of, self._events, APPROVAL_DECIDED, decision, patience)

    @property
    def _unverified(self) -> bool:
        return not has_seal_keys(self._of)

    def _seen(self, exception_id: str) -> ExceptionCase:
        """To show it."""
        return case_of(self._of, self._events, exception_id, unverified=self._unverified)

    def _verified(self, exception_id: str) -> ExceptionCase:
        """To sign something that rests on it. Raises SettingsInvalid where it cannot be verified."""
        if self._unverified:
            raise SettingsInvalid(
                "without the keys of the processors nobody can tell here whether the state of an exception is the "
                "guard's own, and what you decide or ask would rest on it; use a gateway, which has them: "
                "--gateway URL"
            )
        return case_of(self._of, self._events, exception_id)

    def _facts(self, case: ExceptionCase, policy: ExceptionPolicy) -> Record:
        return facts_of(case, policy) | ({"verified": False} if self._unverified else {})

    def _dialect_of(self, host: str) -> Dialect | None:
        """From the matrix in effect. Not every requester can read or verify the matrix."""
        try:
            return read_matrix(self._of)[0].snapshot().host_dialect(host)
        except (Unavailable, Refused):
            return None

    def _say(self, asked: ExceptionRequested, patience: float) -> ExceptionDecided:
        signer, provider = signer_of(read_policy(self._of), self._author.issuer, self._author.key)
        signed = replace(asked, command=signer.sign(asked.command, Person(provider, self._name)))
        return publish(self._of, self._events, EXCEPTION_COMMANDED, signed, patience)


def _new_id() -> str:
    return str(uuid.uuid4())


def _now() -> int:
    return time.time_ns() // 1_000_000
