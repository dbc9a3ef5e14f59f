"""The guard through its topics: what programs with rights of their own on the broker use."""

from __future__ import annotations

import getpass
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from processors.bootstrap.exception_workflow import read_policy
from processors.client.block import from_block
from processors.client.exception_commands import amendment, command, extended_until, kept, request
from processors.client.exception_facts import Waiting, by_urgency, facts_of, monitoring_of, waiting_of
from processors.client.exceptions import SOURCE, all_cases, case_of, history, publish, say
from processors.client.install_request import InstallRequest, headers_of
from processors.client.results import ask, follow, result_of
from processors.client.signing import signer_of
from processors.client.transport import Author, Change, Inquiry, Record, Tell, Wanted
from processors.configuration.settings import Settings
from processors.events.exceptions import Person
from processors.events.topics import APPROVAL_DECISIONS
from processors.stream.wire.codec import Codec


class KafkaTransport:
    """Asks as `author`, whose commands about exceptions are signed with the key that stands there."""

    def __init__(self, of: Settings, events: Codec, author: Author) -> None:
        self._of, self._events, self._author = of, events, author

    @property
    def _name(self) -> str:
        return self._author.name or getpass.getuser()

    def known_as(self, inquiry: Inquiry) -> str:
        return str(inquiry.id)

    def ask(self, inquiry: Inquiry, patience: float, tell: Tell) -> Record:
        asked = InstallRequest(
            request_id=str(inquiry.id),
            tenant=inquiry.tenant or "default",
            operator=self._name,
            environment=inquiry.environment,
            target=inquiry.target,
            subject=inquiry.question.subject(),
            exception=inquiry.exception,
        )
        now = _now()
        headers = headers_of(asked.request_id, SOURCE, now)
        return ask(self._of, self._events, asked.record(now), headers, patience, tell)

    def result(self, request_id: str, question: str | None) -> Record:
        return result_of(self._of, self._events, request_id, question)

    def results(self, *, from_beginning: bool) -> Iterator[tuple[int, Record]]:
        return follow(self._of, self._events, from_beginning=from_beginning)

    def exceptions(self, *, everything: bool) -> Sequence[Record]:
        policy = read_policy(self._of)
        cases = by_urgency(all_cases(self._of, self._events), policy, everything=everything)
        return [facts_of(case, policy) for case in cases]

    def exception(self, exception_id: str) -> Record:
        case = case_of(self._of, self._events, exception_id)
        past = history(self._of, self._events, exception_id)
        return {**facts_of(case, read_policy(self._of)), "history": past}

    def waiting(self, exception_id: str) -> Waiting:
        return waiting_of(case_of(self._of, self._events, exception_id), read_policy(self._of))

    def monitoring(self, exception_id: str) -> str:
        return monitoring_of(case_of(self._of, self._events, exception_id), read_policy(self._of))

    def request_exception(self, request_id: str, question: str | None, wanted: Wanted, patience: float) -> Record:
        block = from_block(self._of, self._events, request_id, wanted.findings, question=question)
        return self._say(request(block, wanted), patience)

    def amend(self, exception_id: str, change: Change, patience: float) -> Record:
        case = case_of(self._of, self._events, exception_id)
        rests_on = change.request_id or case.request_id
        block = from_block(self._of, self._events, rests_on, change.findings, kept(case, change), change.question)
        return self._say(amendment(case, block, change), patience)

    def withdraw(self, exception_id: str, reason: str, patience: float) -> Record:
        return self._about(exception_id, "WITHDRAWN", patience, reason=reason)

    def extend(self, exception_id: str, longer: int | None, reason: str, patience: float) -> Record:
        case = case_of(self._of, self._events, exception_id)
        until = extended_until(case, longer, _now())
        return self._about(exception_id, "EXTENSION_REQUESTED", patience, reason=reason, valid_until=until)

    def decide(self, exception_id: str, proof: str, patience: float) -> Record:
        record: dict[str, Any] = {
            "decision_id": str(uuid.uuid4()),
            "exception_id": exception_id,
            "at": _now(),
            "proof_kind": "SERVICE_JWS",
            "proof": proof,
            "decision": None,
        }
        value = self._events.encoder(APPROVAL_DECISIONS, "ApprovalDecided")(record)
        id = record["decision_id"]
        return publish(self._of, self._events, APPROVAL_DECISIONS, exception_id, value, id, patience)

    def _about(self, exception_id: str, kind: str, patience: float, **more: Any) -> Record:
        case = case_of(self._of, self._events, exception_id)
        return self._say(command(case, kind, command_id=str(uuid.uuid4()), **more), patience)

    def _say(self, record: Record, patience: float) -> Record:
        signer, provider = signer_of(read_policy(self._of), self._author.issuer, self._author.key)
        signed = signer.sign(record, Person(provider, self._name))
        return say(self._of, self._events, signed, patience)


def _now() -> int:
    return time.time_ns() // 1_000_000
