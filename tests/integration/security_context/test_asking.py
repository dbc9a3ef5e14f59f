"""A platform that is asked over HTTP, and a checker that goes by what it says."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from examples.checkers import Desk, a_request, a_subject
from examples.gateways import Edge, Provider
from examples.ground import eventually
from examples.guard import Guard, now
from examples.matrices import a_document, a_release
from examples.platform import Answer
from examples.sealing import SEALS
from examples.security_services import SecurityService, a_policy

from processors.bootstrap.trust import policy_trust, signer
from processors.checker.processor import Checker
from processors.client.matrix_topic import publish_matrix
from processors.client.policy_topic import publish_policies, read_policies
from processors.embedded import Addresses
from processors.events.topics import SECURITY_POLICIES
from processors.outbound.client import PinnedClient
from processors.policies import Advisory, SecurityPolicy
from processors.security_context.asker import Asker
from processors.security_context.inquiry import PUBLISHER
from processors.security_context.processor import SecurityContext

pytestmark = pytest.mark.stack

DAY = 24 * 3_600_000


@dataclass
class World:
    """A matrix of three plugins that nobody else has, a checker, and a platform that knows two of them."""

    guard: Guard
    desk: Desk
    plugins: Sequence[str]
    service: SecurityService
    notify: str

    @contextmanager
    def asking(self, valid_for: int = DAY, accepted: Sequence[str] = (), token: str = "") -> Iterator[None]:
        """Round after round, until the block ends."""
        networks, of = (ip_network("127.0.0.0/8"),), self.guard.of
        address = self.service.address()
        with Asker(lambda: PinnedClient(address, networks, None, 1), token, 0.15, first_retry=0.1) as asker:
            processor = SecurityContext(
                self.guard.new_codec(), SEALS, asker, signer(of), valid_for=valid_for, notify=self.notify,
                accepted=accepted, trust=self.guard.trust, security=policy_trust(of),
            )  # fmt: skip
            with self.desk.ground.running(processor):
                yield

    @contextmanager
    def ordinal(self, number: int) -> Iterator[None]:
        """What is started in the block is the replica of this number."""
        ground = self.desk.ground
        before, ground.settings = ground.settings, replace(ground.settings, ordinal=number)
        try:
            yield
        finally:
            ground.settings = before

    def rounds(self, count: int = 3) -> None:
        """Wait until the platform was asked so many times more."""
        seen = len(self.service.received)
        eventually(lambda: len(self.service.received) >= seen + count)

    def in_force(self) -> dict[str, list[str]]:
        policies = read_policies(self.guard.of)[0].by_component
        return {id: [a.id for a in policies[id].advisories] for id in self.plugins if id in policies}

    def records(self) -> int:
        keys = {plugin.encode() for plugin in self.plugins}
        return sum(record.key in keys for record in self.desk.ground.read(SECURITY_POLICIES))

    def objects(self, plugin: str) -> set[str]:
        findings = self.desk.ask(a_request(a_subject(plugin))).result["report"]["findings"]
        return {finding["object"] for finding in findings if finding["code"] == "SECURITY_ADVISORY"}

    def notices(self) -> list[dict[str, Any]]:
        return [one for one in self.guard.notifications() if one["recipient"] == self.notify]


@pytest.fixture(scope="module")
def guard(guarded: Addresses) -> Iterator[Guard]:
    guard = Guard(guarded)
    yield guard
    guard.forget_matrix_and_policies()
    guard.close()


@pytest.fixture(scope="module")
def desk(guard: Guard) -> Iterator[Desk]:
    desk = Desk(guard)
    with desk.ground.running(Checker(guard.new_codec(), SEALS, trust=guard.trust, security=policy_trust(guard.of))):
        yield desk
    desk.close()


@pytest.fixture
def world(guard: Guard, desk: Desk) -> Iterator[World]:
    guard.forget_matrix_and_policies()
    tag = uuid.uuid4().hex[:8]
    plugins = [f"org.s{tag}.{name}" for name in ("crm", "erp", "web")]
    document = a_document(releases=tuple(a_release(plugin, "1.0.0") for plugin in plugins))
    publish_matrix(guard.of, document, now())
    stated = {plugins[0]: [f"{tag}-{n}" for n in range(6)], plugins[1]: [f"{tag}-9"]}
    with SecurityService(stated) as service:
        yield World(guard, desk, plugins, service, f"role:{tag}")


def test_what_the_platform_says_of_a_plugin_blocks_it(world: World) -> None:
    crm, erp, web = world.plugins
    with world.asking():
        eventually(lambda: world.in_force() == world.service.stated)
        eventually(lambda: world.objects(crm) == {*world.service.stated[crm]})
        assert world.objects(web) == set()

    assert world.service.asked()[0] == [crm, erp, web]
    policy = read_policies(world.guard.of)[0].by_component[crm]
    assert (policy.publisher, policy.policy_id) == (PUBLISHER, f"SEC-{crm}")
    assert DAY - 60_000 < (policy.valid_until or 0) - now() <= DAY


def test_what_is_unchanged_is_asked_for_conditionally_and_not_written_again(world: World) -> None:
    with world.asking():
        eventually(lambda: world.in_force() == world.service.stated)
        world.rounds(4)
    with world.asking():  # a process that starts afresh asks in full, and writes nothing either
        world.rounds(3)

    assert world.records() == 2
    assert world.service.conditional >= 3


def test_only_the_difference_is_written(world: World) -> None:
    crm, erp, web = world.plugins
    with world.asking():
        eventually(lambda: world.in_force() == world.service.stated)
        before = dict(world.service.stated)
        world.service.stated = {crm: before[crm][:-1], erp: before[erp], web: ["NEW-1"]}
        eventually(lambda: world.in_force() == world.service.stated)
        world.service.stated = {crm: before[crm][:-1], web: ["NEW-1"]}
        eventually(lambda: world.in_force() == world.service.stated)

    assert world.records() == 2 + 2 + 1


MISBEHAVIOURS = {
    "an empty list": lambda _: Answer(200, body=b'{"policies": []}'),
    "two thirds of it": lambda w: reply(a_policy(w.plugins[0], w.service.stated[w.plugins[0]][:4])),
    "500": lambda _: Answer(500),
    "wrong JSON": lambda _: Answer(200, body=b'{"policies": [{'),
    "a list": lambda _: Answer(200, body=b"[]"),
    "10 MB": lambda _: Answer(200, body=b'{"policies": []}' + b" " * 10_000_000),
    "a redirect": lambda w: Answer(307, {"location": w.service.url("/elsewhere")}),
    "no answer": lambda _: Answer(dropped=True),
    "an unreadable range": lambda w: reply(
        {"component": w.plugins[0], "advisories": [{"id": "X", "affected": ["soon"]}]}
    ),
    "two that differ": lambda w: reply(
        *(a_policy(w.plugins[0], w.service.stated[w.plugins[0]], required_baseline=b) for b in ("1", "2"))
    ),
    "a policy that no record could hold": lambda w: reply(
        *(a_policy(id, names) for id, names in w.service.stated.items()),
        a_policy(w.plugins[2], [f"{'A' * 200}-{n}" for n in range(7000)]),
    ),
}


def reply(*policies: dict[str, Any]) -> Answer:
    return Answer(200, body=json.dumps({"policies": policies}).encode())


def test_nothing_that_a_platform_does_wrong_lets_anything_through(world: World) -> None:
    """One misbehaviour after the other, in one process; then it is well again, and heard."""
    crm = world.plugins[0]
    with world.asking():
        eventually(lambda: world.in_force() == world.service.stated)
        stood = world.in_force()
        for name, misbehave in MISBEHAVIOURS.items():
            world.service.behave = lambda _, misbehave=misbehave: misbehave(world)
            world.rounds(2)
            assert world.in_force() == stood, name
        assert world.objects(crm) == {*stood[crm]}
        world.service.behave = world.service.well
        world.service.stated = {**world.service.stated, world.plugins[2]: ["NEW-1"]}
        eventually(lambda: world.in_force() == world.service.stated)

    assert world.records() == 3
    assert "/elsewhere" not in {one.path for one in world.service.received}


def test_a_reply_that_leaves_out_too_much_is_told_once_and_takes_effect_when_it_is_accepted(world: World) -> None:
    crm = world.plugins[0]
    with world.asking():
        eventually(lambda: world.in_force() == world.service.stated)
        world.service.stated = {crm: world.service.stated[crm][:2]}
        eventually(world.notices)
        world.rounds(3)
    (notice,) = world.notices()
    digest = next(word for word in notice["body"].split() if word.startswith("sha256:"))
    with world.asking(accepted=[digest]):
        eventually(lambda: world.in_force() == world.service.stated)

    assert (notice["kind"], notice["urgency"]) == ("policies_held", "WARNING")
    assert "leaves out 5 of 7 advisories" in notice["body"]


def test_foreign_keys_and_policies_of_people_stay_as_they_are(world: World) -> None:
    crm, erp, _ = world.plugins
    theirs = SecurityPolicy(
        component_id=erp, policy_id="petra", published_at=0, publisher="petra",
        advisories=(Advisory(id="PETRA-1", severity="critical", affected=("<2.0.0",)),),
    )  # fmt: skip
    publish_policies(world.guard.of, [theirs], now())
    foreign = f"{crm}.foreign"
    world.service.behave = lambda received: world.service.tagged(
        received,
        [a_policy(crm, ["1"]), a_policy(erp, ["2"]), a_policy(foreign, ["3"]), a_policy("npm:left-pad", [])],
    )
    with world.asking():
        eventually(lambda: crm in world.in_force())
        world.rounds(2)

    assert world.in_force() == {crm: ["1"], erp: ["PETRA-1"]}
    assert foreign not in read_policies(world.guard.of)[0].by_component
    assert [
        r for r in world.desk.ground.read(SECURITY_POLICIES) if r.key in (foreign.encode(), b"npm:left-pad")
    ] == []


def test_what_is_not_confirmed_in_time_blocks_until_it_is(world: World) -> None:
    """The advisory itself is about another version: it is the silence of the platform that blocks."""
    web = world.plugins[2]
    old = {"id": "OLD-1", "severity": "low", "affected": ["<0.1.0"]}
    world.service.behave = well = lambda _: reply({"component": web, "advisories": [old]})
    with world.asking(valid_for=3000):
        eventually(lambda: world.in_force() == {web: ["OLD-1"]})
        eventually(lambda: world.records() >= 2)  # confirmed, and still the same
        assert world.in_force() == {web: ["OLD-1"]}
        world.service.behave = lambda _: Answer(503)
        eventually(lambda: world.objects(web) == {"policy-expired"})
        answer = world.desk.ask(a_request(a_subject(web))).result
        world.service.behave = well
        eventually(lambda: world.objects(web) == set())

    assert answer["verdict"] == "BLOCK"
    assert "held until a time that has passed" in answer["report"]["summary"]


def test_one_of_two_replicas_asks(world: World) -> None:
    """And when it leaves, the other one."""

    def lately() -> set[str]:
        return {one.headers["authorization"] for one in world.service.received[-6:]}

    with world.asking(token="first"):
        eventually(lambda: world.in_force() == world.service.stated)
        with world.ordinal(1), world.asking(token="second"):
            world.rounds(3)
            eventually(lambda: len(lately()) == 1)
        world.rounds(6)
        eventually(lambda: lately() == {"Bearer first"})

    assert world.records() == 2


def test_the_command_asks_as_its_configuration_says(world: World, guarded: Addresses, tmp_path: Path) -> None:
    """In a process of its own, with the keys of this machine. Its secret is in no log."""
    with Provider(tmp_path) as provider:
        edge = Edge(guarded, tmp_path, provider)
        edge.environment |= {"TOKEN": "t0ken"}
        (edge.config / "security_context.yaml").write_text(
            json.dumps(
                {
                    "version": 1,
                    "every": "500ms",
                    "notify": world.notify,
                    "platform": {
                        "url": world.service.address(),
                        "networks": ["127.0.0.0/8"],
                        "token": {"env": "TOKEN"},
                    },
                }
            )
        )
        with edge.processor("security-context"):
            eventually(lambda: world.in_force() == world.service.stated)
        log = (tmp_path / "security-context.log").read_text()

    assert world.service.received[0].headers["authorization"] == "Bearer t0ken"
    assert "t0ken" not in log
