"""Checkers in processes of their own, as they run in production, and what clients do to them."""

from __future__ import annotations

import os
import random
import signal
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition
from examples import commands
from examples.ground import eventually
from examples.guard import Guard, now

from processors.embedded import Addresses
from processors.errors import BrokerUnavailable
from processors.events.subject import Host, Manifest, Subject
from processors.events.subject_record import subject_to_record
from processors.events.topics import BLOCKS, DEAD_LETTERS, INSTALL_REQUESTS, NOTIFICATIONS, RESULTS
from processors.stream.loop.dead_letters import Letter, read_letter
from processors.stream.loop.transaction import persist
from processors.stream.types import Inbound


class Crew:
    """Checkers by ordinal. One that has ended is replaced by another of the same ordinal, as a supervisor would."""

    def __init__(self, addresses: Addresses, log: Path, *, batch: int = 500, **variables: str) -> None:
        self._environment = {
            **os.environ,
            "GUARD_KAFKA__BOOTSTRAP": addresses.bootstrap,
            "GUARD_REGISTRY__URL": addresses.registry,
            "GUARD_BATCH": str(batch),
            "GUARD_LOG_LEVEL": "warning",
            **variables,
        }
        self._log = log
        self._checkers: dict[int, commands.Started] = {}
        self.deaths: list[int] = []
        """Exit codes of those that were not asked to leave."""

    def tend(self, count: int = 1) -> None:
        """See to it that so many work. Whoever is too many finishes its transaction and leaves."""
        for ordinal, checker in list(self._checkers.items()):
            if (code := checker.poll()) is not None:
                self.deaths.append(code)
                del self._checkers[ordinal]
        for ordinal in [ordinal for ordinal in self._checkers if ordinal >= count]:
            self._checkers[ordinal].send_signal(signal.SIGTERM)
            code = self._checkers.pop(ordinal).wait(60)
            in_order = (0, -signal.SIGTERM)  # the latter while it was still starting
            assert code in in_order, f"ended with {code}: {self.log_tail()}"
        for ordinal in range(count):
            if ordinal not in self._checkers:
                self._checkers[ordinal] = self._start(ordinal)

    def kill_one(self) -> None:
        """Kill -9 one of them, whatever it is doing; a beginner only if there is nobody else.

        Another one if it had just ended by itself.
        """
        while True:
            elders = sorted(self._checkers.values(), key=lambda checker: checker.pid)[:2]
            victim = random.choice(elders)
            victim.kill()
            if victim.wait() == -signal.SIGKILL:
                return
            self.tend(len(self._checkers))

    def dismiss(self) -> None:
        for checker in self._checkers.values():
            checker.kill()
            checker.wait()

    def log_tail(self) -> str:
        return "\n".join(self._log.read_text().splitlines()[-20:])

    def _start(self, ordinal: int) -> commands.Started:
        with self._log.open("ab") as log:
            environment = {**self._environment, "GUARD_ORDINAL": str(ordinal)}
            return commands.start("run", "checker", environment=environment, log=log)


@contextmanager
def a_crew(addresses: Addresses, log: Path, **more: Any) -> Iterator[Crew]:
    crew = Crew(addresses, log, **more)
    try:
        yield crew
    finally:
        crew.dismiss()


@dataclass(frozen=True)
class Answers:
    """All that was said about one request."""

    results: Sequence[dict[str, Any]]
    blocks: Sequence[dict[str, Any]]
    notifications: Sequence[dict[str, Any]]

    @property
    def result(self) -> dict[str, Any]:
        (result,) = self.results
        return result

    @property
    def codes(self) -> set[str]:
        return {finding["code"] for finding in self.result["report"]["findings"]}


class Desk:
    """Where requests are handed in and answers are waited for. The topics are those of the contract."""

    def __init__(self, guard: Guard) -> None:
        self.guard, self.ground = guard, guard.ground
        self._group = self._observer()

    @cached_property
    def encode(self) -> Any:
        return self.guard.codec.encoder(INSTALL_REQUESTS, "InstallRequested")

    def hand_in(self, *requests: dict[str, Any], **more: Any) -> None:
        for request in requests:
            key = request["subject"]["manifest"]["id"]
            self.guard.send(INSTALL_REQUESTS, key, self.encode(request), **more)

    def ask(self, *requests: dict[str, Any], **more: Any) -> Answers:
        """Hand requests in, and wait for the answers to the last of them."""
        self.hand_in(*requests, **more)
        return self.answers(requests[-1]["request_id"])

    def answers(self, request_id: str, count: int = 1) -> Answers:
        """What is said about a request, as soon as it has that many results."""
        found = list[dict[str, Any]]()

        def all_there() -> bool:
            found[:] = self.said(RESULTS, "CompatibilityChecked", request_id)
            return len(found) >= count

        eventually(all_there, 60)
        self.ground.wait_for_open_transactions(RESULTS, BLOCKS, NOTIFICATIONS)
        return Answers(
            found,
            self.said(BLOCKS, "InstallBlocked", request_id),
            self.said(NOTIFICATIONS, "NotificationRequested", request_id),
        )

    def said(self, topic: str, event: str, request_id: str) -> list[dict[str, Any]]:
        read = self.guard.codec.decoder(topic, event)
        return [r for r in self.ground.reader.decoded(topic, read) if r["request_id"] == request_id]

    def letters(self) -> list[Letter]:
        return [letter for record in self.ground.read(DEAD_LETTERS) if (letter := read_letter(record))]

    def unanswered(self) -> int:
        """Requests that lie behind what the checkers have committed."""
        try:
            return persist(self._unanswered, 20)  # the broker may just be away
        except BrokerUnavailable:
            self._observe_anew()  # it saw the broker start, and may have lost it for good
            return persist(self._unanswered, 60)

    def reconnect(self) -> None:
        """For when the broker has started anew, or speaks again: see `Ground.reconnect`."""
        self.ground.reconnect()
        self._observe_anew()

    def _observe_anew(self) -> None:
        self._group.close()
        self._group = self._observer()

    def _unanswered(self) -> int:
        committed = self._group.committed([TopicPartition(INSTALL_REQUESTS, n) for n in range(6)], 30)
        if all(self._group.get_watermark_offsets(at, 30)[1] <= at.offset for at in committed):
            return 0
        done = {at.partition: at.offset for at in committed}  # the marker of a transaction may lie behind it
        return sum(record.offset >= done[record.partition] for record in self.ground.read(INSTALL_REQUESTS))

    def _observer(self) -> Consumer:
        """Asks about the checkers' group, and is no member of it; transactions that hang do not keep it waiting."""
        keys = {"group.id": "checker", "isolation.level": "read_uncommitted"}
        return Consumer({"bootstrap.servers": self.guard.of.kafka.bootstrap, **keys})

    def close(self) -> None:
        self._group.close()

    def uncommitted(self, topic: str) -> int:
        """Records of a topic, those included that were taken back."""
        keys = {"group.id": "uncommitted", "isolation.level": "read_uncommitted", "enable.partition.eof": True}
        consumer = Consumer({"bootstrap.servers": self.guard.of.kafka.bootstrap, **keys})
        try:
            unread = set(consumer.list_topics(topic, 30).topics[topic].partitions)
            consumer.assign([TopicPartition(topic, n, 0) for n in unread])
            count = 0
            while unread:
                for message in consumer.consume(1000, 0.2):
                    if message.error() is None:
                        count += 1
                    else:
                        unread.discard(message.partition())
            return count
        finally:
            consumer.close()


def a_subject(plugin: str = "com.acme.crm", host_range: str = ">=1.8.0 <3.0.0", **manifest: Any) -> Subject:
    """One that fits on its host, if the matrix has nothing against it."""
    stated = {"id": plugin, "version": "1.5.0", "host_range": host_range, "runtimes": (), **manifest}
    return Subject(manifest=Manifest(**stated), host=Host("corex", "2.0.0"))


def a_request(subject: Subject | None = None, **envelope: Any) -> dict[str, Any]:
    return {
        "request_id": str(uuid.uuid4()),
        "requested_at": now(),
        "tenant": "acme",
        "operator": "alice",
        "environment": "production",
        "target": "cluster-7",
        "action": "INSTALL",
        "exception_id": None,
        "recheck_of": None,
        "acknowledgement": None,
        "monitoring": None,
        "subject": subject_to_record(subject or a_subject()),
        **envelope,
    }


def by_request(records: Sequence[Inbound]) -> dict[bytes, list[Inbound]]:
    """Answers are keyed by the request that they are about."""
    found: dict[bytes, list[Inbound]] = {}
    for record in records:
        found.setdefault(record.key or b"", []).append(record)
    return found
