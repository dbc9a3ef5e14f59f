"""Steady traffic as clients of several versions make it: requests, and exceptions from the block to the outcome."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from bench import subjects
from confluent_kafka import Consumer, TopicPartition
from examples.exception_events import Events
from examples.exceptions import ADDONS, ALICE, BOB, SABINE, SCOPE, claims, sign
from examples.ground import Ground
from examples.guard import now

from processors.events.exceptions import Scope
from processors.events.topics import (
    APPROVAL_DECISIONS,
    EXCEPTION_DECISIONS,
    EXCEPTION_REQUESTS,
    INSTALL_OUTCOMES,
    INSTALL_REQUESTS,
    RESULTS,
)
from processors.stream.wire.codec import Codec
from processors.stream.wire.headers import header

EVENTS = ["requested", "review_opened", "step_approved", "approved", "used", "execution_succeeded"]
"""What becomes of each exception, in this order."""


@dataclass
class Story:
    """One exception: blocked, asked for, approved by two people, used under monitoring, and what came of it."""

    scope: Scope
    codec: Codec
    blocked: str = field(default_factory=lambda: str(uuid.uuid4()))
    used: str = field(default_factory=lambda: str(uuid.uuid4()))
    bound: dict[str, Any] = field(default_factory=dict[str, Any])
    approvals: int = 0
    over: bool = False


class Traffic:
    """Writes so many requests a second, and begins a story every second, until the block ends and all are over.

    `clients` are the codecs of those who request, by turns, and `asking` that of whoever asks for exceptions, None
    for nobody. Both may be changed at any time, as clients are upgraded.
    """

    def __init__(self, ground: Ground, clients: Sequence[Codec], *, a_second: int, distinct: int) -> None:
        self.clients = clients
        self.asking: Codec | None = clients[0]
        self.asked: dict[str, int] = {}
        """The number of the question by the id of the request."""
        self.stories: list[Story] = []
        self._ground, self._reads = ground, clients[0]
        self._a_second, self._numbers = a_second, subjects.cycling(distinct)
        self._stop, self._failure = threading.Event(), list[BaseException]()
        self._thread = threading.Thread(target=self._work, name="traffic")
        self._by_request: dict[str, Story] = {}
        self._by_exception: dict[str, Story] = {}

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(240)
        assert not self._thread.is_alive(), f"{sum(not story.over for story in self.stories)} exceptions wait"
        if self._failure:
            raise self._failure[0]

    def _work(self) -> None:
        try:
            with closing(self._reader()) as reader:
                self._go_on(reader)
        except BaseException as error:  # noqa: BLE001 - raised when the traffic ends
            self._failure.append(error)

    def _reader(self) -> Consumer:
        """Of all that is said, from the beginning."""
        keys = {"group.id": f"stories-{uuid.uuid4().hex}", "isolation.level": "read_committed"}
        reader = Consumer({"bootstrap.servers": self._ground.settings.bootstrap, **keys})
        known = reader.list_topics(timeout=30).topics
        topics = (RESULTS, EXCEPTION_DECISIONS)
        reader.assign([TopicPartition(topic, n, 0) for topic in topics for n in known[topic].partitions])
        return reader

    def _go_on(self, reader: Consumer) -> None:
        """Each story takes its next step when the guard has answered the one before."""
        turns, due = count(), time.monotonic()
        while not self._stop.is_set() or not self.is_settled():
            if not self._stop.is_set() and time.monotonic() >= due:
                self._ask(self.clients[next(turns) % len(self.clients)])
                due += 1
            for message in reader.consume(500, 0.1):
                if message.error() is None:
                    self._hear(message.topic() or "", message.value() or b"")

    def _ask(self, codec: Codec) -> None:
        encoder = codec.encoder(INSTALL_REQUESTS, "InstallRequested")
        numbers = [next(self._numbers) for _ in range(self._a_second)]
        portion = list(subjects.requests(encoder, iter(numbers), len(numbers)))
        self._ground.write(INSTALL_REQUESTS, [(request.key, request.value) for request in portion], patience=120)
        self.asked |= {header(r.headers, "ce_id") or "": n for n, r in zip(numbers, portion, strict=True)}
        if self.asking is not None:
            self._begin(self.asking)

    def is_settled(self) -> bool:
        """Whether all exceptions have taken their course."""
        return all(story.over for story in self.stories)

    def _begin(self, codec: Codec) -> None:
        story = Story(SCOPE._replace(tenant=f"s{len(self.stories)}"), codec)
        self.stories.append(story)
        self._by_request |= {story.blocked: story, story.used: story}
        self._by_exception[story.scope.exception_id] = story
        self._install(story, story.blocked)

    def _hear(self, topic: str, value: bytes) -> None:
        if topic == RESULTS:
            self._answered(value)
        else:
            self._decided(self._reads.decoder(EXCEPTION_DECISIONS, "ExceptionDecided")(value))

    def _answered(self, value: bytes) -> None:
        envelope = self._reads.decoder(RESULTS, "CompatibilityChecked")(value)
        story = self._by_request.get(envelope["request_id"])
        if story is None:
            return
        result = story.codec.decoder(RESULTS, "CompatibilityChecked")(value)  # as that client knows it
        id, scope, events = story.scope.exception_id, story.scope, Events(story.codec, now)
        if result["request_id"] == story.blocked and not story.bound:
            story.bound = {"exception_id": id, "report_digest": result["report_digest"]}
            command = events.command(scope, result["report"], request_id=story.blocked)
            self._ground.write(EXCEPTION_REQUESTS, [(id.encode(), command)], patience=120)
        elif result["request_id"] == story.used:
            assert result["verdict"] == "ALLOW_BY_EXCEPTION", (result["verdict"], result["refusals"])
            outcome = events.outcome(scope, request_id=story.used)
            self._ground.write(INSTALL_OUTCOMES, [(id.encode(), outcome)], patience=120)

    def _decided(self, decided: dict[str, Any]) -> None:
        story = self._by_exception[decided["exception_id"]]
        if decided["event"] in ("review_opened", "step_approved") and story.approvals < 2:
            person = (BOB, SABINE)[story.approvals]
            story.approvals += 1
            proof = Events(story.codec, now).proof(sign(claims(person, now(), **story.bound)), story.scope)
            self._ground.write(APPROVAL_DECISIONS, [(story.scope.exception_id.encode(), proof)], patience=120)
        elif decided["event"] == "approved":
            self._install(
                story,
                story.used,
                exception_id=story.scope.exception_id,
                acknowledgement={"by": ALICE.subject, "at": now(), "statement": "I know"},
                monitoring={"profile": "enhanced", "addons": list(ADDONS), "owner": "warehouse-oncall"},
            )
        story.over = story.over or decided["event"] == EVENTS[-1]

    def _install(self, story: Story, request_id: str, **more: Any) -> None:
        scope = story.scope
        record = subjects.envelope(request_id) | {
            "requested_at": now(),
            "tenant": scope.tenant,
            "operator": ALICE.subject,
            "environment": scope.environment,
            "target": "cluster-7",
            "subject": Events(story.codec, now).subject(scope),
        }
        value = story.codec.encoder(INSTALL_REQUESTS, "InstallRequested")(record | more)
        self._ground.write(INSTALL_REQUESTS, [(scope.plugin_id.encode(), value)], patience=120)
