"""Servers go away under real checkers and come back: everybody waits, nothing is lost, nothing is said twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import httpx
import pytest
from examples import web
from examples.checkers import Crew, Desk, a_crew, a_request, a_subject, by_request
from examples.ground import eventually
from examples.servers import own_servers

from processors.embedded import Stack
from processors.embedded.ports import HOST, ports_of
from processors.events.topics import BLOCKS, DEAD_LETTERS, INSTALL_REQUESTS, RESULTS

pytestmark = [pytest.mark.stack, pytest.mark.chaos, pytest.mark.timeout(600)]

BLOCKED = a_subject(host_range=">=3.0.0")


@pytest.fixture(scope="module")
def own() -> Iterator[Stack]:
    """With a registry of its own, which goes away too."""
    with own_servers() as servers:
        yield servers


@pytest.fixture
def port(tmp_path_factory: pytest.TempPathFactory) -> int:
    return ports_of(tmp_path_factory.mktemp("port") / "ports.json").kafka


@pytest.fixture
def crew(own: Stack, desk: Desk, port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """One checker, whose health can be asked."""
    with a_crew(
        own.addresses, tmp_path_factory.mktemp("log") / "log", batch=50, GUARD_HEALTH_PORT=str(port)
    ) as crew:
        yield crew


def health(port: int, path: str) -> dict[str, object]:
    """What it says of itself; nothing before it serves."""
    try:
        return web.get(f"http://{HOST}:{port}{path}", trust_env=False, timeout=30).json()
    except httpx.HTTPError:
        return {}


def hand_in(desk: Desk, count: int) -> Sequence[bytes]:
    """The ids of so many requests that will be blocked."""
    requests = [a_request(BLOCKED) for _ in range(count)]
    desk.ground.write(INSTALL_REQUESTS, [(f"p{n}".encode(), desk.encode(r)) for n, r in enumerate(requests)])
    return [request["request_id"].encode() for request in requests]


def wait_for_answers(desk: Desk, tend: Callable[[], None], ids: Sequence[bytes], seconds: float = 240) -> None:
    """One result and one block for each, and for a moment longer, in which a second one would show."""
    until = time.monotonic() + seconds
    while desk.unanswered() and time.monotonic() < until:
        tend()
        time.sleep(0.5)
    time.sleep(1)
    desk.ground.wait_for_open_transactions(RESULTS, BLOCKS, DEAD_LETTERS)
    for topic in (RESULTS, BLOCKS):
        said = by_request(desk.ground.read(topic))
        assert {id: count for id in ids if (count := len(said.get(id, ()))) != 1} == {}, topic
    assert desk.ground.read(DEAD_LETTERS) == []


def test_a_broker_that_goes_away_under_load_is_waited_for(own: Stack, desk: Desk, crew: Crew) -> None:
    """Stopped in good order first, then killed. A checker that ends with 70 is started afresh by its supervisor."""
    sent: list[bytes] = []
    crew.tend()
    for end in (own.kafka.stop, own.kafka.kill):
        sent += hand_in(desk, 1_000)
        while desk.unanswered() > 900:
            time.sleep(0.01)
        end()
        own.kafka.start()
        desk.reconnect()
        sent += hand_in(desk, 200)
        wait_for_answers(desk, crew.tend, sent)
    assert set(crew.deaths) <= {70}, crew.log_tail()


def test_a_registry_that_is_not_there_at_the_start_is_waited_for(
    own: Stack, desk: Desk, crew: Crew, port: int
) -> None:
    """Alive, not ready, and no dead letter; it goes on as soon as the schemas can be asked for."""
    own.registry.stop()
    sent = hand_in(desk, 20)
    crew.tend()

    eventually(lambda: health(port, "/readyz").get("waiting") == "RegistryUnavailable", 60)
    eventually(lambda: health(port, "/healthz").get("alive"))
    assert desk.unanswered() == 20

    own.registry.start()
    wait_for_answers(desk, lambda: None, sent)
    crew.tend()
    assert crew.deaths == []


def test_a_registry_that_goes_away_later_is_not_missed(own: Stack, desk: Desk, crew: Crew, port: int) -> None:
    """What the schemas are was asked once; the topics' records are answered without it."""
    crew.tend()
    wait_for_answers(desk, lambda: None, hand_in(desk, 20))
    own.registry.stop()

    wait_for_answers(desk, lambda: None, hand_in(desk, 20))

    assert health(port, "/readyz")["ready"]
    own.registry.start()
    crew.tend()
    assert crew.deaths == []
