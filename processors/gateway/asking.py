"""Asks the checker for a caller: publishes, waits, and returns only the answer to exactly this question."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from typing import Final, NamedTuple

from processors.client.install_request import InstallRequest
from processors.events.kinds import INSTALL_REQUESTED
from processors.events.questions import Question, asked_by
from processors.events.results import Result
from processors.events.subject_record import subject_to_record
from processors.gateway.auth.principal import Principal
from processors.gateway.desk import Desk
from processors.gateway.intake import AT_ONCE, LARGE
from processors.gateway.problems import Problem
from processors.gateway.replies import refusal_key, result_key
from processors.stream.types import LARGEST_VALUE, Outbound
from processors.stream.wire.codec import Codec
from processors.stream.wire.headers import new_trace
from processors.stream.wire.writer import EventWriter

SOURCE: Final = "/compat-guard/gateway"
LONGEST_KEY: Final = 255
"""The most characters of an idempotency key."""

_KEYS: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:compat-guard:idempotency-key")


class Prepared(NamedTuple):
    """A question that is ready to be published."""

    question: Question
    record: Outbound

    @property
    def request_id(self) -> str:
        return self.question.request_id


def id_under(key: str | None, who: Principal, tenant: str, kind: str) -> str:
    """The id of a question: the same for the same key of the same caller, so that a retry has no further effect.

    Parts are prefixed with their lengths, so that no two callers can get one id. Raises Problem for an invalid key.
    """
    if key is None:
        return str(uuid.uuid4())
    if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
        raise Problem("malformed", f"an Idempotency-Key has 1 to {LONGEST_KEY} printable characters")
    parts = (kind, who.issuer, who.subject, tenant, key)
    return str(uuid.uuid5(_KEYS, "".join(f"{len(part)}:{part}" for part in parts)))


async def prepared(desk: Desk, who: Principal, size: int, asked: Callable[[], InstallRequest]) -> Prepared:
    """The record of the question that `asked` makes of `size` bytes.

    Raises what `asked` raises, Problem, and Crowded: parsing large manifests takes seconds, and the number of those
    that are parsed at once is limited.
    """

    def make() -> Prepared:
        return prepare(desk.events, asked())

    if size <= AT_ONCE:
        await desk.ready(desk.events.encoder(INSTALL_REQUESTED.topic, INSTALL_REQUESTED.schema))
        return make()
    if size <= LARGE:
        return await asyncio.to_thread(make)
    return await desk.large.run(who.key, make)


def prepare(events: Codec, asked: InstallRequest) -> Prepared:
    """The record of a question. Raises Problem if it does not fit a topic."""
    now = time.time_ns() // 1_000_000
    event, write = asked.event(now), EventWriter(events, INSTALL_REQUESTED, SOURCE)
    subject = write.tail(subject_to_record(asked.subject))
    record = write.joined(event, subject, now, (new_trace(),))
    if (size := len(record.value or b"")) > LARGEST_VALUE:
        raise Problem("too-large", f"the question has {size} bytes, and a topic takes {LARGEST_VALUE}")
    return Prepared(asked_by(event.record(), subject), record)


class Asking:
    """Questions that are waiting here, so that a second one under the same id joins or is refused at once."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[Question, int]] = {}

    async def ask(self, desk: Desk, prepared: Prepared, patience: float) -> Result | None:
        """The result, or None if it has not come within `patience` seconds.

        Raises Problem, Crowded, BrokerUnavailable.
        """
        first, known = prepared.request_id not in self._open, desk.mailbox.get(result_key(prepared.request_id))
        if known is not None:
            return await answered(desk, known, prepared)
        with desk.mailbox.waiter() as waiter:
            waiter.on(result_key(prepared.request_id))
            self._enter(prepared)
            try:
                if first:
                    place = await desk.publish(prepared.record)
                    waiter.on(refusal_key("/".join(map(str, place))))
                found = await waiter.first(patience)
            finally:
                self._leave(prepared)
        if found is None:
            return None
        await desk.admission.take()  # many answers may have arrived together
        (kind, _), answer = found
        if kind == "refusal":
            raise Problem(
                "unprocessable", f"the guard cannot read this request: {answer.decode('utf-8', 'replace')}"
            )
        return await answered(desk, answer, prepared)

    def _enter(self, prepared: Prepared) -> None:
        question, many = self._open.get(prepared.request_id, (prepared.question, 0))
        if question != prepared.question:
            raise key_reused()
        self._open[prepared.request_id] = (question, many + 1)

    def _leave(self, prepared: Prepared) -> None:
        question, many = self._open.get(prepared.request_id, (prepared.question, 1))
        if many > 1:
            self._open[prepared.request_id] = (question, many - 1)
        else:
            self._open.pop(prepared.request_id, None)


async def answered(desk: Desk, value: bytes, prepared: Prepared) -> Result:
    """The result, which must answer exactly this question. Raises Problem if it answers another one."""
    result = await desk.result(value)
    if result.question != prepared.question:
        raise key_reused()
    return result


def key_reused() -> Problem:
    return Problem("key-reused", "this Idempotency-Key came with another question before; use a new one")
