"""The exception workflow with many live exceptions: restoring them, and what a tick and a decision cost then."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import psutil
from confluent_kafka.admin import NewTopic
from joserfc import jws
from joserfc.jwk import ECKey

from processors.bootstrap.clients import stream_settings
from processors.bootstrap.development import ISSUER
from processors.bootstrap.seal_keys import new_seals
from processors.configuration.settings import Settings, shipped
from processors.events.exceptions import Category, Person, ProofKind, Scope, Status
from processors.events.topics import MATRIX_REFRESHES
from processors.events.vocabulary import Band
from processors.exception_workflow.config import load
from processors.exception_workflow.processor import ExceptionWorkflow
from processors.exception_workflow.proof.keys import KeyRing, read_jwks, ring
from processors.exception_workflow.proof.token import Proof
from processors.exception_workflow.proof.verify import verify
from processors.exception_workflow.rules.revisions import Refreshed
from processors.exception_workflow.state.case import Approval, ExceptionCase
from processors.stream.io.clients import admin, ends, plain_producer, reader
from processors.stream.loop.restore import restore
from processors.stream.seals import Seals
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.partitioner import partition_of
from processors.stream.wire.schema import Schemas

PARTITIONS = 6
CHANGELOG = "bench-exception-state"
DAY = 86_400_000
SUBJECT = bytes(range(256)) * 3
"""As long as the bytes of an ordinary question."""


@dataclass(frozen=True)
class Found:
    """Seconds to restore, bytes for each exception, seconds of a tick in which nothing is due, of one in which a
    thousand clocks ring, and of one verification."""

    restore: float
    memory: float
    idle_tick: float
    busy_tick: float
    verification: float


@dataclass
class Held:
    """A `View` on restored state."""

    now: int
    by_partition: Mapping[int, Mapping[str, Any]]
    clocks_agree: bool = True

    def state(self, partition: int) -> Mapping[str, Any]:
        return self.by_partition[partition]

    def table(self, topic: str) -> Refreshed:
        assert topic == MATRIX_REFRESHES
        return Refreshed("mark", 0)

    def partitions(self) -> Sequence[int]:
        return range(PARTITIONS)

    def partition_count(self, topic: str) -> int:
        return PARTITIONS

    def read_until(self, partition: int) -> int:
        return self.now


def measured(settings: Settings, count: int) -> Found:
    """Write a changelog of so many exceptions, half approved, half in review; then restore it."""
    codec = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())
    now = time.time_ns() // 1_000_000
    keys, token = _signed(now)
    seals = new_seals()
    _write(settings, _workflow(codec, keys, seals), seals, _cases(count, now))
    before = psutil.Process().memory_info().rss
    workflow = _workflow(codec, keys, seals)
    consumer, client = reader(stream_settings(settings), "bench"), admin(stream_settings(settings))
    started = time.perf_counter()
    spec = replace(workflow.state, changelog=CHANGELOG)
    written = ends(client, [(CHANGELOG, n) for n in range(PARTITIONS)])
    restored = restore(consumer, spec, written, seals, 60.0, lambda: None)
    taken = time.perf_counter() - started
    state = {partition: found.values for partition, found in restored.items()}
    consumer.close()
    memory = (psutil.Process().memory_info().rss - before) / max(1, sum(map(len, state.values())))
    idle = median(_seconds(lambda: workflow.tick(now, Held(now, state))) for _ in range(200))
    later = now + 5 * 3_600_000  # the first reminders are due; a tick takes a thousand of them at most
    busy = _seconds(lambda: workflow.tick(later, Held(later, state)))
    rules, proof = load(shipped("config") / "exception_workflow.yaml").proof, Proof(ProofKind.SERVICE_JWS, token)
    verification = median(_seconds(lambda: verify(proof, rules, keys, now)) for _ in range(500))
    return Found(taken, memory, idle, busy, verification)


def _workflow(codec: Codec, keys: KeyRing, seals: Seals) -> ExceptionWorkflow:
    return ExceptionWorkflow(codec, load(shipped("config") / "exception_workflow.yaml"), lambda: keys, seals)


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _cases(count: int, now: int) -> Iterator[ExceptionCase]:
    for number in range(count):
        scope = Scope("acme", f"com.acme.plugins.p{number}", "1.5.0", "corex", "1.9.0", "production")
        review = ExceptionCase(
            exception_id=scope.exception_id,
            round=1,
            sequence=1,
            status=Status.PENDING,
            changed_at=now,
            scope=scope,
            requester=Person("https://login.example", f"user-{number % 500}"),
            request_id=str(uuid.UUID(int=number)),
            report_digest="sha256:" + f"{number:064x}",
            input_digest="sha256:" + f"{number + 1:064x}",
            band=Band.HIGH,
            score=75,
            summary="p 1.5.0 needs corex >=2.0.0, and this host runs 1.9.0. Upgrade corex to 2.0.0.",
            finding_ids=("0123456789abcdef",),
            codes=("HOST_TOO_OLD",),
            risk_statement="The warehouse stands still without it, and the host is upgraded on Friday." * 3,
            category=Category.WAIVER,
            requested_at=now,
            opened_at=now,
            step_since=now,
            profile="enhanced",
            commands=(str(uuid.UUID(int=number)),),
            mark="mark",
            subject=SUBJECT,
        )
        yield review if number % 2 else _approved(review, now)


def _approved(case: ExceptionCase, now: int) -> ExceptionCase:
    people = (Approval("steward", Person("t", "petra"), now), Approval("security", Person("t", "sabine"), now))
    return case._replace(
        status=Status.APPROVED,
        approvals=people,
        approval_id=str(uuid.uuid5(uuid.NAMESPACE_URL, case.exception_id)),
        granted_at=now,
        approved_at=now,
        valid_until=now + 7 * DAY,
    )


def _write(settings: Settings, workflow: ExceptionWorkflow, seals: Seals, cases: Iterator[ExceptionCase]) -> None:
    topic = NewTopic(CHANGELOG, PARTITIONS, 1)
    client = admin(stream_settings(settings))
    client.create_topics([topic])[CHANGELOG].result()
    producer = plain_producer(stream_settings(settings))
    for case in cases:
        key, value = case.key.encode(), workflow.state.encode(case)
        at = partition_of(key, PARTITIONS)
        seal = seals.seal(CHANGELOG, key, value, partition=at, number=1)
        while True:
            try:
                producer.produce(CHANGELOG, value, key, at, headers=[seal])
                break
            except BufferError:
                producer.flush(10)
    producer.flush(60)


def _signed(now: int) -> tuple[KeyRing, str]:
    policy = load(shipped("config") / "exception_workflow.yaml")
    key = ECKey.generate_key("P-256", {"kid": "bench"})
    public = dict(key.as_dict(private=False))
    keys = ring(list(read_jwks(json.dumps({"keys": [public]}), policy.proof.issuers[0])))
    seconds = now // 1000
    claims = {
        "iss": ISSUER,
        "sub": "sabine",
        "aud": "compat-guard",
        "iat": seconds,
        "exp": seconds + 300,
        "auth_time": seconds,
        "amr": ["pwd", "otp"],
        "roles": ["security-approver"],
        "exception_id": str(uuid.UUID(int=1)),
        "report_digest": "sha256:" + "0" * 64,
        "step": "security",
        "decision": "approve",
        "reason": "looked at it",
        "jti": "1",
    }
    return keys, jws.serialize_compact(
        {"alg": "ES256", "kid": "bench"}, json.dumps(claims), key, algorithms=["ES256"]
    )
