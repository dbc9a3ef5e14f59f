"""Whatever stands in an event or a matrix, the guard answers or quarantines it; it is never our own failure.

`GUARD_FUZZ=200000` runs so many mutants; two thousand are part of every run.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from contract.case import NOON, Case, record
from contract.test_processors import CASES
from examples.matrices import HOUR, a_document, a_release, a_rule
from examples.mutations import garbled, mutated, written_out
from examples.trust import SIGNER, TRUST, signed_parts

from processors.configuration.settings import shipped
from processors.contracts.topics import read_topics
from processors.errors import DocumentRefused, EventUnreadable
from processors.events.subject import Lifecycle, Migration, Provision, Requirement
from processors.events.topics import MATRIX_REFRESHES, SECURITY_POLICIES
from processors.matrix.canonical import digest_of
from processors.matrix.document import Override
from processors.matrix.fold import MatrixFold
from processors.matrix.records import release_from_record, rule_from_record
from processors.matrix.text import read_settings
from processors.policies.document import Advisory, SecurityPolicy
from processors.policies.fold import PolicyFold
from processors.policies.record import policy_to_record, statement_from_record, statement_of
from processors.stream.types import INTERNAL, Inbound, Reject
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schema, Schemas
from processors.trust.signatures import sign
from processors.trust.statements import Statement

MUTANTS = int(os.environ.get("GUARD_FUZZ", "2000"))
pytestmark = pytest.mark.timeout(300 + MUTANTS // 50)
BATCH = 20
SCHEMAS = Schemas.load(shipped("schemas"))
CODEC = Codec(SCHEMAS, OfflineRegistry())
SHAPES = {name: written_out(json.loads(schema.text)) for name, schema in SCHEMAS.items()}
EVENTS = {topic.name: topic.event for topic in read_topics((shipped("config") / "topics.yaml").read_bytes()).topics}

need = Requirement("com.acme.chat", ">=1.0.0")
MATRIX = a_document(
    a_rule("com.acme.*", "allow", min_version="1.0.0", max_version="2.0.0", host_range=">=1.0.0"),
    a_rule("com.acme.chat", "warn", overrides=Override("HOST_TOO_OLD", "agreed", NOON + HOUR)),
    releases=(
        a_release(
            "com.acme.crm", "1.2.0", hosts={"corex": ">=1.0.0"}, requires=(need,), conflicts=(need,),
            runtimes=(Requirement("go", ">=1.20"),), databases=(Requirement("postgres", ">=12"),),
            provides=(Provision("api", "1.0.0"),), consumes=(Requirement("api", ">=1.0.0"),),
            migrations=(Migration(id="0001", driver="postgres", from_version="1", to_version="2"),),
            lifecycle=Lifecycle("deprecated", NOON - HOUR, NOON + HOUR, "com.acme.chat"), data_format="2",
        ),
        a_release("com.acme.chat", "1.2.0", hosts={"corex": ">=1.0.0"}),
    ),
)  # fmt: skip
POLICY = SecurityPolicy(
    component_id="com.acme.crm",
    policy_id="SEC-1",
    published_at=NOON - HOUR,
    required_baseline="2026.1",
    advisories=(
        Advisory(id="CVE-1", severity="low", affected=("<2.0.0",), fixed=("2.0.0",), withdrawn_at=NOON + HOUR),
    ),
)


def mutants(seed: int, count: int) -> Iterator[random.Random]:
    """A source of chance for each, so that a single one can be made again."""
    return (random.Random(f"{seed}/{n}") for n in range(count))


def is_readable(schema: Schema, value: bytes) -> bool:
    try:
        return bool(schema.decode(value[5:]))
    except EventUnreadable:
        return False


def hostile(original: Inbound, offset: int, rng: random.Random) -> Inbound:
    """A record of the same topic whose event or bytes are changed."""
    event = EVENTS[original.topic]
    assert event is not None
    schema = SCHEMAS[event]
    value = original.value or b""
    if rng.random() < 0.25 or not is_readable(schema, value):
        value = garbled(value, rng)
    else:
        changed = mutated(SHAPES[event], schema.decode(value[5:]), rng)
        value = value[:5] + schema.encode(changed)
    key = original.key if rng.random() < 0.8 else rng.choice((None, b"", b"\xff\xfe", b"/", b"governance/0001"))
    return Inbound(original.topic, 0, offset, original.timestamp, key, value, original.headers)


def internal(rejects: list[Reject]) -> list[str]:
    return [f"{r.record.topic}@{r.record.offset}: {r.message}" for r in rejects if r.reason == INTERNAL]


@pytest.mark.parametrize("case", [c for c in CASES if c.name != "counting"], ids=lambda case: case.name)
def test_a_hostile_event_is_answered_or_quarantined_and_never_our_own_failure(case: Case) -> None:
    """Each mutant stands among honest records, which are answered as if it were not there or lay before them."""
    processor = case.processor()
    for n, rng in enumerate(mutants(1, MUTANTS // 4 // BATCH)):
        batch = [hostile(rng.choice(case.records), n * BATCH + k, rng) for k in range(BATCH)]

        outcome = processor.handle(batch, case.view())

        assert internal(outcome.rejects) == [], f"batch {n}"


def refresh(rng: random.Random) -> Inbound:
    """A refresh with hostile rows and settings, whose digest and signature are right: a trusted vendor's own."""
    honest = next(iter(signed_parts(replace(MATRIX, source="vendor"), NOON)))
    changed: dict[str, Any] = mutated(SHAPES["MatrixRefreshed"], honest, rng)
    changed |= {"source": "vendor", "part": 1, "parts": 1}
    if rng.random() < 0.9:
        changed |= {name: honest[name] for name in ("issued_at", "expires_at", "serial", "withdrawn")}
    changed["digest"] = _digest(changed)
    said = (changed[name] for name in ("source", "revision", "digest", "issued_at", "expires_at", "serial"))
    changed["signature"] = sign(Statement("matrix-refresh", *said), SIGNER)
    encode = CODEC.encoder(MATRIX_REFRESHES, "MatrixRefreshed")
    return record(MATRIX_REFRESHES, 1, "vendor/0001", encode(changed))


def _digest(part: Mapping[str, Any]) -> str:
    try:
        head = read_settings(part["settings"])
    except DocumentRefused:
        return "sha256:0"
    rules = [rule_from_record(rule, "vendor", part["revision"]) for rule in part["rules"]]
    releases = [release_from_record(release, "vendor", part["revision"]) for release in part["releases"]]
    return digest_of("vendor", head, rules, releases)


def policy(rng: random.Random) -> Inbound:
    """Signed as it is, for a policy that nobody signed is not looked at any further."""
    honest = policy_to_record(POLICY, statement_of(POLICY, 1), "")
    changed = mutated(SHAPES["SecurityPolicyPublished"], honest, rng)
    changed["signature"] = sign(statement_from_record(changed), SIGNER)
    encode = CODEC.encoder(SECURITY_POLICIES, "SecurityPolicyPublished")
    return record(SECURITY_POLICIES, 1, changed["component_id"], encode(changed))


def test_a_hostile_matrix_or_policy_never_makes_honest_requests_our_own_failure() -> None:
    """Whoever may publish one source must not be able to stop the guard; what is unreadable in it blocks."""
    case = next(case for case in CASES if case.name == "checker")
    processor, asked = case.processor(), case.records[:3]
    for n, rng in enumerate(mutants(2, MUTANTS // 4)):
        matrix = MatrixFold(CODEC.decoder(MATRIX_REFRESHES, "MatrixRefreshed"), TRUST)
        policies = PolicyFold(CODEC.decoder(SECURITY_POLICIES, "SecurityPolicyPublished"), TRUST)
        refused = [*matrix.apply([refresh(rng)]), *policies.apply([policy(rng)])]
        tables = {MATRIX_REFRESHES: matrix.snapshot(), SECURITY_POLICIES: policies.snapshot()}

        outcome = processor.handle(asked, replace(case, tables=tables).view())

        assert internal([*refused, *outcome.rejects]) == [], f"mutant {n}"
        assert len(outcome.outputs) >= len(asked), f"mutant {n}"


def test_the_fuzz_reaches_the_rules() -> None:
    """Mutants that are refused at the door would prove nothing: most requests are judged, most matrices hold."""
    case = next(case for case in CASES if case.name == "checker")
    asked = [hostile(rng.choice(case.records), n, rng) for n, rng in enumerate(mutants(3, 200))]
    decode = CODEC.decoder(MATRIX_REFRESHES, "MatrixRefreshed")

    judged = len(asked) - len(case.processor().handle(asked, case.view()).rejects)
    held = sum(not MatrixFold(decode, TRUST).apply([refresh(rng)]) for rng in mutants(4, 200))

    assert judged > len(asked) / 2
    assert held > 100
