"""The real topics of the guard on the shared broker, and processors that run on them in threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import Any

import psycopg
from examples import compacted
from examples.exception_events import Events
from examples.exceptions import keys, policy
from examples.ground import Ground
from examples.groups import have_read
from examples.sealing import SEALS, as_ours
from sqlalchemy import make_url

from processors.bootstrap.clients import cluster, registry_client, stream_settings
from processors.bootstrap.trust import matrix_trust
from processors.client.matrix_topic import read_matrix, withdraw_matrix
from processors.client.policy_topic import read_policies, withdraw_policy
from processors.configuration.settings import KafkaSettings, RegistrySettings, Settings
from processors.contracts.files import load_contract
from processors.contracts.plan import diff
from processors.embedded import Addresses
from processors.errors import BrokerUnavailable
from processors.events.exceptions import Scope
from processors.events.topics import (
    DEAD_LETTERS,
    EXCEPTION_DECISIONS,
    EXCEPTION_STATE,
    EXCEPTION_USES,
    INSTALL_REQUESTS,
    LEDGER_ANCHORS,
    MATRIX_REFRESHES,
    NOTIFICATIONS,
    RESULTS,
)
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.processor import ExceptionWorkflow
from processors.exception_workflow.state.case import ExceptionCase
from processors.matrix.parts import part_at
from processors.stream.io.follow import Follower
from processors.stream.io.publish import Publisher
from processors.stream.types import Inbound, Outbound
from processors.stream.wire.codec import Codec
from processors.stream.wire.partitioner import partition_of
from processors.stream.wire.registry import SchemaRegistry
from processors.stream.wire.schema import Schemas


def now() -> int:
    return time.time_ns() // 1_000_000


_APPLIED = set[str]()
"""Clusters that have the contract: to compare it takes a second, and dozens of questions to the registry."""


def insist(publish: Publisher, records: Sequence[Outbound]) -> None:
    """Write records, however often the broker is away."""
    while records:
        try:
            publish(records)
        except BrokerUnavailable:
            continue
        return


class Guard:
    """Writes what clients write, runs what processors do, and reads what came of it."""

    def __init__(self, stack: Addresses) -> None:
        self._closing = ExitStack()
        self.of = Settings(
            kafka=KafkaSettings(bootstrap=stack.bootstrap), registry=RegistrySettings(url=stack.registry), batch=500
        )
        self.ground = Ground(stack.bootstrap, stack.registry)
        if (cluster_id := self.ground.cluster_id()) not in _APPLIED:
            contract = load_contract(self.of.config / "topics.yaml", self.of.schemas)
            with cluster(self.of) as real:
                real.apply(diff(contract, real.read(contract)))
            _APPLIED.add(cluster_id)
        self.ground.settings = replace(stream_settings(self.of), poll=0.1, tick=0.2, health_port=None, seals=SEALS)
        self.codec = self.new_codec()
        self.events = Events(self.codec, now)
        self.reports: dict[str, Mapping[str, Any]] = {}
        self.trust = matrix_trust(self.of)

    def close(self) -> None:
        self.ground.close()
        self._closing.close()

    def forget_matrix_and_policies(self) -> None:
        """Take back whatever is in effect, as somebody who withdraws every source would.

        Then tidy away the parts of matrices, withdrawals too: a process that trusts other keys believes none of
        them, and would take their sources for ones of which no whole refresh is to be had, which blocks everything.
        """
        for source in read_matrix(self.of)[0].snapshot().sources:
            withdraw_matrix(self.of, source.name)
        for component in read_policies(self.of)[0].by_component:
            withdraw_policy(self.of, component, now())
        last = {record.key: record.value for record in self.ground.read(MATRIX_REFRESHES) if part_at(record.key)}
        self.ground.write(MATRIX_REFRESHES, [(key, None) for key, value in last.items() if value is not None])

    def forget_ledger(self, stack: Addresses) -> None:
        """Nobody may be filing. The next ledger has other keys for its anchors, and begins where the topics do."""
        plain = make_url(stack.postgres).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute("DROP SCHEMA IF EXISTS ledger CASCADE")
        if ends := {record.partition: record.offset + 1 for record in self.ground.read(LEDGER_ANCHORS)}:
            compacted.forget_below(self.ground, LEDGER_ANCHORS, ends)

    def take_away(self, topic: str) -> None:
        """Delete all records of a topic that others on this broker must not meet.

        Groups that have begun it count as having read it: one that is away would refuse to start at the gap.
        """
        ends = {record.partition: record.offset + 1 for record in self.ground.read(topic)}
        have_read(self.ground.settings, topic, ends)
        for partition, end in ends.items():
            self.ground.forget_below(topic, partition, end)

    def new_codec(self) -> Codec:
        """One for each thread: a registry client is used from one thread only."""
        client = self._closing.enter_context(registry_client(self.of.registry))
        return Codec(Schemas.load(self.of.schemas), SchemaRegistry(client))

    @contextmanager
    def workflow(self, ordinal: int = 0, by: ExceptionPolicy | None = None) -> Iterator[ExceptionWorkflow]:
        """An instance of the exception workflow; several share the partitions."""
        processor = ExceptionWorkflow(self.new_codec(), by or policy(), keys, SEALS, trust=self.trust)
        settings, self.ground.settings = self.ground.settings, replace(self.ground.settings, ordinal=ordinal)
        running = self.ground.running(processor)
        running.__enter__()
        self.ground.settings = settings
        try:
            yield processor
        finally:
            running.__exit__(None, None, None)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """A checker that answers what the workflow asks before a review opens: with what `reports` has for the
        exception, else with the default report."""
        codec, stop, asking = self.new_codec(), threading.Event(), threading.Event()
        read, events = codec.decoder(INSTALL_REQUESTS, "InstallRequested"), Events(codec, now)

        def answer() -> None:
            with closing(Follower(self.ground.settings, "answering")) as follower:
                publish = Publisher(self.ground.settings)
                follower.from_end([INSTALL_REQUESTS])
                asking.set()
                while not stop.is_set():
                    questions = [read(record.value) for record in follower.follow(time.monotonic() + 0.3)]
                    ours = [q for q in questions if q["recheck_of"] and q["operator"] == "exception-workflow"]
                    insist(publish, [self._answer(events, question) for question in ours])

        thread = threading.Thread(target=answer, name="answering")
        thread.start()
        asking.wait(30)
        try:
            yield
        finally:
            stop.set()
            thread.join(30)

    def _answer(self, events: Events, asked: Mapping[str, Any]) -> Outbound:
        manifest, host = asked["subject"]["manifest"], asked["subject"]["host"]
        place = (asked["tenant"], manifest["id"], manifest["version"], host["name"], host["version"])
        scope, id = Scope(*place, asked["environment"]), asked["exception_id"]
        names = ("request_id", "recheck_of", "exception_id", "operator", "target", "action")
        more = {name: asked[name] for name in names} | {"acknowledgement": None, "monitoring": None}
        value = events.use(scope, self.reports.get(id), use_id=asked["request_id"], **more)
        headers = as_ours(EXCEPTION_USES, id, value)
        return Outbound(EXCEPTION_USES, id.encode(), value, headers)

    def send(self, topic: str, key: str, value: bytes | None, **more: Any) -> None:
        """As a well-behaved client or processor does: the key decides on the partition."""
        self.ground.write(topic, [(key.encode(), value)], **{"headers": list(as_ours(topic, key, value)), **more})

    def decided(self, *exception_ids: str) -> list[dict[str, Any]]:
        """Every decision on these exceptions; on all of them if none is named."""
        read = self.codec.decoder(EXCEPTION_DECISIONS, "ExceptionDecided")
        wanted = {id.encode() for id in exception_ids} or None
        return self.ground.reader.decoded(EXCEPTION_DECISIONS, read, wanted)

    def results(self) -> list[dict[str, Any]]:
        read = self.codec.decoder(RESULTS, "CompatibilityChecked")
        return self.ground.reader.decoded(RESULTS, read)

    def notifications(self) -> list[dict[str, Any]]:
        read = self.codec.decoder(NOTIFICATIONS, "NotificationRequested")
        return self.ground.reader.decoded(NOTIFICATIONS, read)

    def states(self) -> Mapping[str, ExceptionCase]:
        """What the changelog holds, as a restart would restore it."""
        spec = ExceptionWorkflow(self.codec, policy(), keys, SEALS).state
        last = {record.key: record.value for record in self.ground.read(EXCEPTION_STATE)}
        held = (spec.decode(value) for value in last.values() if value is not None)
        return {case.exception_id: case for case in held if isinstance(case, ExceptionCase)}

    def dead_letters(self) -> Iterable[Inbound]:
        return self.ground.read(DEAD_LETTERS)

    def partition(self, key: str) -> int:
        return partition_of(key.encode(), 6)
