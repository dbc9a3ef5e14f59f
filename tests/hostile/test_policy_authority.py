"""Somebody who may write the topic of security policies, and a checker that runs: no advisory goes out of force.

The attacker has every record that was ever written, and a key of their own. The key of security is missing.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest
from examples.checkers import Desk, a_request, a_subject
from examples.ground import eventually
from examples.guard import Guard, now
from examples.sealing import SEALS
from examples.trust import a_key

from processors.bootstrap.trust import policy_trust
from processors.checker.processor import Checker
from processors.client.policy_topic import publish_policies
from processors.embedded import Addresses
from processors.events.topics import SECURITY_POLICIES
from processors.policies import Advisory, SecurityPolicy
from processors.policies.record import policy_to_record, statement_of, withdrawal_of, withdrawal_to_record
from processors.trust.signatures import sign

pytestmark = pytest.mark.stack

STRANGER, _ = a_key("stranger")
WEAKNESS = Advisory(id="ACME-1", severity="critical", affected=("<2.0.0",))


@pytest.fixture(scope="module")
def desk(guarded: Addresses) -> Iterator[Desk]:
    guard = Guard(guarded)
    desk = Desk(guard)
    with desk.ground.running(Checker(guard.new_codec(), SEALS, trust=guard.trust, security=policy_trust(guard.of))):
        yield desk
    desk.close()
    guard.close()


@pytest.fixture
def plugin(desk: Desk) -> str:
    """One for which security knows a weakness, and the checker has heard of it."""
    plugin = f"org.p{uuid.uuid4().hex[:8]}.crm"
    publish_policies(desk.guard.of, [a_policy(plugin, WEAKNESS)], now())
    eventually(lambda: "SECURITY_ADVISORY" in codes(desk, plugin))
    return plugin


def a_policy(plugin: str, *advisories: Advisory) -> SecurityPolicy:
    return SecurityPolicy(component_id=plugin, policy_id=plugin, published_at=0, advisories=advisories)


def codes(desk: Desk, plugin: str) -> set[str]:
    return desk.ask(a_request(a_subject(plugin))).codes


def write(desk: Desk, plugin: str, record: dict[str, object] | None) -> None:
    encode = desk.guard.codec.encoder(SECURITY_POLICIES, "SecurityPolicyPublished")
    value = None if record is None else encode(record)
    desk.ground.write(SECURITY_POLICIES, [(plugin.encode(), value)])


def refused(desk: Desk, plugin: str) -> bool:
    return any(letter.record.key == plugin.encode() and letter.reason == "untrusted" for letter in desk.letters())


def test_a_milder_policy_that_security_has_not_signed_lets_nothing_through(desk: Desk, plugin: str) -> None:
    """Neither one that nobody signed, nor one of a stranger, nor the strict one's signature above other words."""
    mild = replace(a_policy(plugin), published_at=now())
    statement = statement_of(mild, now() + 1)
    write(desk, plugin, policy_to_record(mild, statement, ""))
    write(desk, plugin, policy_to_record(mild, statement, sign(statement, STRANGER)))

    eventually(lambda: refused(desk, plugin))
    assert "SECURITY_ADVISORY" in codes(desk, plugin)


def test_a_tombstone_or_a_strangers_withdrawal_ends_no_policy(desk: Desk, plugin: str) -> None:
    statement = withdrawal_of(plugin, now(), now() + 1)
    write(desk, plugin, withdrawal_to_record(statement, sign(statement, STRANGER)))
    write(desk, plugin, None)

    eventually(lambda: refused(desk, plugin))
    assert "SECURITY_ADVISORY" in codes(desk, plugin)


def test_a_policy_of_the_past_written_again_does_not_replace_a_newer_one(desk: Desk, plugin: str) -> None:
    """It is signed, and was in force once: before the weakness was known."""
    older = next(r for r in desk.ground.read(SECURITY_POLICIES) if r.key == plugin.encode())
    worse = Advisory(id="ACME-2", severity="critical", affected=("<2.0.0",))
    publish_policies(desk.guard.of, [a_policy(plugin, WEAKNESS, worse)], now())
    eventually(lambda: "ACME-2" in advisories(desk, plugin))
    desk.ground.write(SECURITY_POLICIES, [(older.key, older.value)])

    eventually(lambda: refused(desk, plugin))
    assert "ACME-2" in advisories(desk, plugin)


def advisories(desk: Desk, plugin: str) -> set[str]:
    findings = desk.ask(a_request(a_subject(plugin))).result["report"]["findings"]
    return {finding["object"] for finding in findings if finding["code"] == "SECURITY_ADVISORY"}
