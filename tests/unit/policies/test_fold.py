"""Only what security has signed comes into force, in the order of its serials."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from examples.trust import PUBLIC, SIGNER, a_key

from processors.configuration.settings import shipped
from processors.events.topics import SECURITY_POLICIES
from processors.matrix.floors import Floor, Floors
from processors.policies import Advisory, Policies, SecurityPolicy
from processors.policies.document import EXPIRED, UNUSABLE
from processors.policies.fold import PolicyFold
from processors.policies.record import (
    SECURITY,
    policy_to_record,
    statement_of,
    withdrawal_of,
    withdrawal_to_record,
)
from processors.stream.types import Inbound
from processors.stream.wire.schema import Schema
from processors.trust.keys import Signer
from processors.trust.signatures import sign
from processors.trust.sources import Trust, TrustedSource

SCHEMA = Schema.read((Path(shipped("schemas")) / "SecurityPolicyPublished.avsc").read_text("utf-8"))
TRUST = Trust({SECURITY: TrustedSource((PUBLIC,))})
STRANGER, _ = a_key("stranger")
WARNS = Advisory(id="GHSA-1", severity="critical", affected=("<2.0.0",))
STRICT = SecurityPolicy(component_id="libpdf", policy_id="strict", published_at=1, advisories=(WARNS,))
MILD = SecurityPolicy(component_id="libpdf", policy_id="mild", published_at=1)
SHORT = replace(MILD, policy_id="short", valid_until=100)


def published(policy: SecurityPolicy, number: int, by: Signer = SIGNER, **altered: Any) -> Inbound:
    statement = statement_of(policy, number)
    return written({**policy_to_record(policy, statement, sign(statement, by)), **altered})


def withdrawn(serial: int, by: Signer = SIGNER) -> Inbound:
    statement = withdrawal_of("libpdf", 1, serial)
    return written(withdrawal_to_record(statement, sign(statement, by)))


def written(record: dict[str, Any]) -> Inbound:
    return Inbound(SECURITY_POLICIES, 0, 0, 0, b"libpdf", SCHEMA.encode(record))


TOMBSTONE = Inbound(SECURITY_POLICIES, 0, 0, 0, b"libpdf", None)


def folded(*records: Inbound, floors: Floors | None = None) -> tuple[Policies, set[str]]:
    fold = PolicyFold(SCHEMA.decode, TRUST, lambda: floors or {})
    rejects = fold.apply(records)
    return fold.snapshot(), {reject.reason for reject in rejects}


def in_force(policies: Policies) -> list[str]:
    return [policy.policy_id for policy in policies.by_component.values()]


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(published(MILD, 2, STRANGER), id="signed by somebody else"),
        pytest.param(published(MILD, 2, signature=""), id="not signed"),
        pytest.param(published(STRICT, 2, advisories=[]), id="an advisory taken out"),
        pytest.param(published(MILD, 1, serial=2), id="a serial raised"),
        pytest.param(withdrawn(2, STRANGER), id="withdrawn by somebody else"),
        pytest.param(published(MILD, 2, withdrawn=True), id="a policy turned into a withdrawal"),
        pytest.param(published(MILD, 0), id="a policy of the past"),
        pytest.param(published(SHORT, 2, valid_until=101), id="its end moved"),
        pytest.param(published(SHORT, 2, valid_until=None), id="its end taken out"),
        pytest.param(published(MILD, 2, valid_until=100), id="an end put in"),
    ],
)
def test_what_security_has_not_signed_changes_nothing(forged: Inbound) -> None:
    policies, reasons = folded(published(STRICT, 1), forged)

    assert (in_force(policies), reasons) == (["strict"], {"untrusted"})


def test_a_tombstone_ends_no_policy() -> None:
    assert in_force(folded(published(STRICT, 1), TOMBSTONE)[0]) == ["strict"]


def test_a_policy_ends_by_its_withdrawal() -> None:
    policies, reasons = folded(published(STRICT, 1), withdrawn(2))

    assert (in_force(policies), reasons) == ([], set())
    assert policies.floors == {"policy/libpdf": Floor(2, "", True)}


def test_a_policy_of_which_only_the_floor_is_left_lets_nothing_through() -> None:
    """After compaction: an older one, or a tombstone, has displaced it."""
    floors = {"policy/libpdf": Floor(2, STRICT.digest, False), "governance": Floor(9, "d", False)}

    for record in (TOMBSTONE, published(MILD, 1)):
        policies, reasons = folded(record, floors=floors)
        assert (in_force(policies), reasons) == ([UNUSABLE], set())
    assert in_force(folded(published(STRICT, 2), floors=floors)[0]) == ["strict"]


def test_a_policy_whose_floor_is_a_withdrawal_is_gone() -> None:
    floors = {"policy/libpdf": Floor(2, "", True)}

    assert in_force(folded(published(MILD, 1), floors=floors)[0]) == []


def test_a_policy_that_is_over_before_it_begins_is_refused() -> None:
    """What is signed for it could stand for one without an end."""
    policies, reasons = folded(published(STRICT, 1), published(replace(SHORT, valid_until=SHORT.published_at), 2))

    assert (in_force(policies), reasons) == (["strict"], {"never_in_force"})


def test_a_policy_that_is_over_lets_no_version_through() -> None:
    """From its very end on; what it says besides still counts."""
    policy = replace(SHORT, advisories=(WARNS,))

    assert [a.id for a in policy.in_force(99)] == ["GHSA-1"]
    assert [(a.id, a.affected) for a in policy.in_force(100)] == [(EXPIRED, ("*",)), ("GHSA-1", ("<2.0.0",))]
    assert Policies.of([policy]).next_change(99) == 100
    assert Policies.of([policy]).next_change(100) is None


def test_a_policy_that_is_confirmed_is_the_one_that_reports_name() -> None:
    assert replace(SHORT, valid_until=200).digest == SHORT.digest


def test_the_statement_is_about_all_that_is_published() -> None:
    """Whatever field is added to a policy, its digest covers it."""
    assert json.loads(json.dumps(statement_of(STRICT, 1)._asdict()))["digest"] == STRICT.digest != MILD.digest
