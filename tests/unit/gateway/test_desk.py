"""What a crowd needs at the same time is asked for once, and its answers are handed out over several rounds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from contract.case import NOON, FixedView, record
from examples.checkers import a_subject
from examples.sealing import SEALS
from joserfc.jwk import ECKey

from processors.checker.processor import Checker
from processors.client.install_request import InstallRequest
from processors.configuration.settings import shipped
from processors.errors import AccessDenied, BrokerUnavailable, RegistryUnavailable
from processors.events.kinds import INSTALL_REQUESTED
from processors.events.topics import INSTALL_REQUESTS, MATRIX_REFRESHES, RESULTS, SECURITY_POLICIES
from processors.gateway.asking import prepare
from processors.gateway.desk import WOKEN_IN_A_ROUND, Desk
from processors.gateway.signing import SigningKeys
from processors.matrix.merged import Matrix
from processors.policies import NO_POLICIES
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas

SCHEMAS = Schemas.load(shipped("schemas"))
ASKED = InstallRequest(request_id="r-1", tenant="acme", operator="alice", subject=a_subject())


class SlowRegistry(OfflineRegistry):
    """Answers when it is released, and counts the questions. `fails` has it answer nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.released = threading.Event()
        self.fails = False

    def id_of(self, subject: str, text: str) -> int:
        self._take_time(subject)
        return super().id_of(subject, text)

    def writer(self, subject: str, schema_id: int) -> str:
        self._take_time(subject)
        return super().writer(subject, schema_id)

    def _take_time(self, subject: str) -> None:
        self.asked.append(subject)
        self.released.wait(10)
        if self.fails:
            raise RegistryUnavailable("nobody there")


def a_desk(registry: OfflineRegistry) -> Desk:
    unused, keys = cast(Any, None), SigningKeys("urn:gateway", [ECKey.generate_key("P-256", {"kid": "k"})])
    return Desk(
        settings=unused, config=unused, events=Codec(SCHEMAS, registry), outbox=unused, gate=unused, keys=keys
    )


def a_result(registry: OfflineRegistry) -> bytes:
    """As a checker writes it, whose schemas have their ids from this registry."""
    codec = Codec(SCHEMAS, registry)
    asked = prepare(codec, ASKED).record
    view = FixedView(NOON, {}, {MATRIX_REFRESHES: Matrix.of([]), SECURITY_POLICIES: NO_POLICIES})
    came = record(INSTALL_REQUESTS, 0, (asked.key or b"").decode(), asked.value)
    outputs = Checker(codec, SEALS, lambda: True).handle([came], view).outputs
    return next(output.value for output in outputs if output.topic == RESULTS and output.value)


def play(scene: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(20):
            await scene()

    asyncio.run(run())


async def until(met: Callable[[], bool]) -> None:
    while not met():
        await asyncio.sleep(0.001)


def test_a_crowd_asks_the_registry_once_for_the_schema_of_its_results() -> None:
    registry = SlowRegistry()
    registry.released.set()
    value = a_result(registry)
    registry.released.clear()
    registry.asked.clear()
    desk = a_desk(registry)

    async def scene() -> None:
        waiting = [asyncio.create_task(desk.result(value)) for _ in range(200)]
        await until(lambda: bool(registry.asked))
        await asyncio.sleep(0.02)
        waiting[0].cancel()  # the one that began it: nobody else's answer is lost by that
        registry.released.set()
        found = await asyncio.gather(*waiting[1:])
        assert {one.question.request_id for one in found} == {"r-1"}
        assert registry.asked == [f"{RESULTS}-value"]

    play(scene)


def test_a_crowd_asks_the_registry_once_for_the_id_of_the_schema_it_writes() -> None:
    registry = SlowRegistry()
    desk = a_desk(registry)

    async def scene() -> None:
        encoder = desk.events.encoder(INSTALL_REQUESTED.topic, INSTALL_REQUESTED.schema)
        waiting = [asyncio.create_task(desk.ready(encoder)) for _ in range(200)]
        await until(lambda: bool(registry.asked))
        await asyncio.sleep(0.02)
        registry.released.set()
        await asyncio.gather(*waiting)
        await desk.ready(encoder)
        assert registry.asked == [f"{INSTALL_REQUESTS}-value"]

    play(scene)


def test_a_registry_that_does_not_answer_is_told_to_all_who_wait_and_asked_again_by_the_next() -> None:
    registry = SlowRegistry()
    registry.fails = True
    desk = a_desk(registry)

    async def scene() -> None:
        encoder = desk.events.encoder(INSTALL_REQUESTED.topic, INSTALL_REQUESTED.schema)
        waiting = [asyncio.create_task(desk.ready(encoder)) for _ in range(20)]
        await until(lambda: bool(registry.asked))
        registry.released.set()
        told = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(one) for one in told} == {RegistryUnavailable}

        registry.fails = False
        await desk.ready(encoder)
        assert encoder.is_ready

    play(scene)


@pytest.mark.parametrize("count", [1, WOKEN_IN_A_ROUND, WOKEN_IN_A_ROUND * 5 + 1])
def test_answers_that_came_together_wake_a_few_requests_in_each_round(count: int) -> None:
    desk = a_desk(OfflineRegistry())
    keys = [("result", str(n)) for n in range(count)]

    async def scene() -> None:
        expected = [desk.mailbox.expect(key) for key in keys]
        nobodys = [(("result", f"other-{n}"), b"no") for n in range(1000)]
        desk.deliver([*nobodys, *((key, key[1].encode()) for key in keys)], ())
        desk.deliver([(("result", "last"), b"late")], ())
        woken: list[int] = []
        while desk.mailbox.get(("result", "last")) is None:
            woken.append(sum(one.done() for one in expected))
            await asyncio.sleep(0)
        steps = [after - before for before, after in zip([0, *woken], [*woken, count], strict=True)]
        assert max(steps) <= WOKEN_IN_A_ROUND
        assert [one.result() for one in expected] == [key[1].encode() for key in keys]

    play(scene)


def test_what_the_broker_denies_the_gateway_is_no_mistake_of_whoever_asks() -> None:
    def denied() -> None:
        raise AccessDenied("this principal may not read topic `compat.exception-state`")

    async def scene() -> None:
        desk = a_desk(OfflineRegistry())
        with pytest.raises(BrokerUnavailable, match="may not read topic"):
            await desk.read(denied)
        desk.close()

    asyncio.run(scene())
