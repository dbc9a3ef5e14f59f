"""Two gateways behind a proxy that hands requests out in turn: any of them answers for the other.

`GUARD_CHAOS=long` has five hundred callers wait where a short run has fifty, and a thousand where it has a hundred.
"""

from __future__ import annotations

import asyncio
import os
import re
import statistics
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from examples import web
from examples.gateways import CHECK, Edge, Replica, ask, bearer, question
from examples.ground import eventually
from examples.guard import Guard
from examples.issuers import claims, token
from examples.round_robin import RoundRobin

pytestmark = pytest.mark.stack

LONG = os.environ.get("GUARD_CHAOS") == "long"
WAITING, CROWD = (500, 1_000) if LONG else (50, 100)
PEOPLE = 25
"""Callers, so that none of them asks more often than one may."""


@pytest.fixture(scope="module")
def pair(edge: Edge) -> Iterator[Sequence[Replica]]:
    with edge.gateways(2) as replicas:
        yield replicas


@pytest.fixture
def proxy(pair: Sequence[Replica]) -> Iterator[RoundRobin]:
    with RoundRobin(*(replica.port for replica in pair)) as proxy:
        yield proxy


def waiting(replica: Replica) -> int:
    found = re.search(r"^compat_gateway_waiting (\S+)$", replica.metrics(), re.M)
    return round(float(found[1])) if found else 0


def person(n: int) -> dict[str, str]:
    return bearer(token(claims(f"person-{n % PEOPLE}")))


async def insist(client: httpx.AsyncClient, url: str, n: int, key: str) -> dict[str, str]:
    """As a careful client does it: the same question under the same key, until there is a verdict."""
    until = time.monotonic() + 120
    where, method = url + CHECK, "POST"
    while True:
        assert time.monotonic() < until, f"caller {n} got no verdict"
        try:
            headers = {**person(n), "Idempotency-Key": key, "Connection": "close"}
            body = question(target=f"cluster-{n}") if method == "POST" else None
            answer = await client.request(method, where, json=body, headers=headers)
        except httpx.TransportError:
            await asyncio.sleep(0.2)
            where, method = url + CHECK, "POST"
            continue
        if answer.status_code == 200:
            return answer.json()
        assert answer.status_code in (202, 429, 503), answer.text
        if answer.status_code == 202:
            where, method = url + answer.headers["location"], "GET"
        await asyncio.sleep(0.2)


def insisted(url: str, keys: Sequence[str]) -> list[dict[str, str]]:
    async def all_of_them() -> list[dict[str, str]]:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        async with httpx.AsyncClient(timeout=60, limits=limits) as client:
            return await asyncio.gather(*(insist(client, url, n, key) for n, key in enumerate(keys)))

    return asyncio.run(all_of_them())


def test_any_replica_answers_any_retry(pair: Sequence[Replica], proxy: RoundRobin) -> None:
    key = str(uuid.uuid4())
    answers = [ask(proxy.url, key=key).json() for _ in range(6)]

    assert all(answer == answers[0] for answer in answers)
    assert proxy.connections == {replica.port: 3 for replica in pair}


def test_what_one_replica_has_put_off_another_one_answers(
    edge: Edge, pair: Sequence[Replica], proxy: RoundRobin
) -> None:
    with edge.checker_paused():
        put_off = [ask(proxy.url, headers={"Prefer": "wait=0"}) for _ in range(2)]
    places = [answer.headers["location"] for answer in put_off]
    ids = [answer.json()["request_id"] for answer in put_off]

    for replica in pair:
        found = [web.get(replica.url + place, headers=bearer(), timeout=60) for place in places]
        assert [one.status_code for one in found] == [200, 200]
        assert [one.json()["request_id"] for one in found] == ids


def test_a_key_means_one_question_at_every_replica(pair: Sequence[Replica]) -> None:
    key = str(uuid.uuid4())
    first, second = pair
    assert ask(first.url, key=key).status_code == 200
    other = ask(second.url, question(target="cluster-7"), key=key)

    assert (other.status_code, other.json()["type"]) == (422, "/internal/problems/key-reused")


@pytest.mark.timeout(400)
def test_killing_a_replica_on_which_many_wait_leaves_nobody_without_their_verdict(
    edge: Edge, pair: Sequence[Replica], proxy: RoundRobin
) -> None:
    """They ask again under their keys, and the other one answers: with the same results, whoever published."""
    keys = [str(uuid.uuid4()) for _ in range(WAITING)]
    victim, survivor = pair
    with ThreadPoolExecutor(1) as pool:
        with edge.checker_paused():
            answers = pool.submit(insisted, proxy.url, keys)
            eventually(lambda: waiting(victim) + waiting(survivor) == WAITING)
            assert waiting(victim) > WAITING // 3
            victim.kill()
            eventually(lambda: waiting(survivor) >= WAITING * 2 // 3)
        first = answers.result(200)
    try:
        again = insisted(survivor.url, keys)
    finally:
        victim.start()
        eventually(victim.ready)

    assert [one["result_id"] for one in again] == [one["result_id"] for one in first]
    assert [one["target"] for one in first] == [f"cluster-{n}" for n in range(WAITING)]
    assert len({one["request_id"] for one in first}) == WAITING
    assert all(len(results) == 1 for results in published(edge, [one["request_id"] for one in first]).values())


def published(edge: Edge, ids: Sequence[str]) -> dict[str, set[str]]:
    """The ids of all results on the topic, by request."""
    found, wanted = defaultdict[str, set[str]](set), set(ids)
    guard = Guard(edge.stack)
    for result in guard.results():
        if result["request_id"] in wanted:
            found[result["request_id"]].add(result["result_id"])
    guard.close()
    assert found.keys() == wanted
    return found


@pytest.mark.timeout(400)
def test_a_crowd_that_waits_for_a_checker_is_answered_when_it_is_back(edge: Edge, pair: Sequence[Replica]) -> None:
    """Each with their own verdict. Meanwhile the gateway has time for others, and takes little memory."""
    replica = pair[0]
    keys = [str(uuid.uuid4()) for _ in range(CROWD)]
    before, looks, lags = resident(replica), list[float](), rounds(replica)
    with ThreadPoolExecutor(1) as pool:
        with edge.checker_paused():
            answers = pool.submit(insisted, replica.url, keys)
            eventually(lambda: waiting(replica) == CROWD)
            paused = time.monotonic() + (20 if LONG else 2)
            with httpx.Client(base_url=replica.url, headers=bearer(), timeout=10) as client:
                while time.monotonic() < paused:
                    began = time.monotonic()
                    assert client.get("/internal/whoami").status_code == 200
                    looks.append(time.monotonic() - began)
                    time.sleep(0.02)
        found = answers.result(200)

    p99 = statistics.quantiles(looks, n=100)[98]
    grown = (resident(replica) - before) / 1e6
    late = rounds(replica) - lags
    prompt = late["0.05"] / late.total()
    print(f"{CROWD} waited; a look in between took {p99 * 1000:.0f} ms (p99 of {len(looks)}), +{grown:.0f} MB")
    print(f"the event loop came round within 50 ms in {prompt:.1%} of {late.total()} looks")
    assert [one["target"] for one in found] == [f"cluster-{n}" for n in range(CROWD)]
    assert len({one["result_id"] for one in found}) == CROWD
    assert grown <= 100
    assert prompt >= 0.99 or not LONG


def rounds(replica: Replica) -> Counter[str]:
    """Rounds of its event loop by how late they came: the bucket of 50 ms, and the others."""
    found = dict(
        re.findall(r'^compat_gateway_loop_lag_seconds_bucket\{le="([^"]+)"\} (\S+)$', replica.metrics(), re.M)
    )
    prompt, all_of_them = (round(float(found[bucket])) for bucket in ("0.05", "+Inf"))
    return Counter({"0.05": prompt, "later": all_of_them - prompt})


def resident(replica: Replica) -> int:
    """Bytes of memory that its process takes."""
    status = Path(f"/proc/{replica.process.pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.M)
    assert found
    return int(found[1]) * 1024


def test_one_that_is_told_to_leave_is_not_ready_at_once_and_soon_gone(edge: Edge) -> None:
    """With fifty streams open and a caller who waits: streams end, and the caller is told where to come back."""
    with edge.gateways() as (replica,), ExitStack() as streams, ThreadPoolExecutor(60) as pool:
        client = streams.enter_context(httpx.Client(timeout=60, limits=httpx.Limits(max_connections=None)))
        opened = [
            streams.enter_context(client.stream("GET", f"{replica.url}/internal/events", headers=person(n)))
            for n in range(50)
        ]
        assert {stream.status_code for stream in opened} == {200}
        ended = [pool.submit(lambda stream=stream: list(stream.iter_raw())) for stream in opened]
        with edge.checker_paused():
            asked = pool.submit(ask, replica.url)
            eventually(lambda: waiting(replica) == 1)
            told = time.monotonic()
            replica.process.terminate()
            eventually(lambda: not replica.ready(), 10)
            unready = time.monotonic() - told
            code = replica.process.wait(30)
            gone = time.monotonic() - told
            answer = asked.result(10)
        for each in ended:
            each.result(10)

    print(f"not ready after {unready:.2f} s, gone after {gone:.2f} s")
    assert code == 0
    assert (unready < 1 and gone < 10) or not LONG
    assert answer.status_code == 202
    assert answer.headers["location"].startswith(CHECK)


def test_checks_go_on_while_postgres_is_away(edge: Edge) -> None:
    """What needs the ledger says so."""
    away = "postgresql+psycopg://guard:guard@127.0.0.1:1/guard"
    auditor = bearer(token(claims("ada", roles=("auditor",))))
    with edge.gateways(GUARD_POSTGRES__URL=away) as (replica,):
        ledger = web.get(f"{replica.url}/internal/ledger/events", headers=auditor, timeout=60)
        checked = ask(replica.url)

    assert (ledger.status_code, checked.status_code) == (503, 200)
    assert "retry-after" in ledger.headers
