"""Results are watched across restarts: whichever gateway a reader comes back to, it misses nothing and sees nothing
twice."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from examples import web
from examples.gateways import ROOT, Edge, Replica, ask, bearer
from examples.ground import eventually
from examples.issuers import claims, token

from processors.client.streamed import StreamedEvent, events
from processors.gateway import positions

pytestmark = pytest.mark.stack

READER = bearer(token(claims("rita", roles=("reader",))))


@pytest.fixture(scope="module")
def pair(edge: Edge) -> Iterator[Sequence[Replica]]:
    with edge.gateways(2) as replicas:
        yield replicas


def read(replica: Replica, place: str | None, count: int, headers: dict[str, str] = READER) -> list[StreamedEvent]:
    """The place at which the stream begins, and so many results behind it."""
    found: list[StreamedEvent] = []
    since = {} if place is None else {"Last-Event-ID": place}
    patience = httpx.Timeout(10, read=60)
    with web.stream(
        "GET", f"{replica.url}/internal/events", headers={**headers, **since}, timeout=patience
    ) as stream:
        assert stream.status_code == 200, stream.read()
        for event in events(stream.iter_lines()):
            if event.data or not found:
                found.append(event)
            if len(found) > count:
                return found
    raise AssertionError("the stream ended")


def requests_of(events: Sequence[StreamedEvent]) -> list[str]:
    return [json.loads(event.data)["result"]["request_id"] for event in events if event.data]


def asked(replica: Replica, count: int) -> list[str]:
    return [ask(replica.url).json()["request_id"] for _ in range(count)]


def test_any_replica_goes_on_where_another_one_ended(pair: Sequence[Replica]) -> None:
    first, second = pair
    (begin,) = read(first, None, 0)
    ids = asked(first, 5)

    whole = read(second, begin.id, 5)
    assert sorted(requests_of(whole)) == sorted(ids), "in any order, since they lie in several partitions"
    for number, event in enumerate(whole):
        rest = whole[number + 1 :]
        assert sorted(requests_of(read(first, event.id, len(rest)))) == sorted(requests_of(rest))


def test_who_goes_on_sees_the_results_of_their_own_tenants_alone(pair: Sequence[Replica]) -> None:
    (begin,) = read(pair[0], None, 0)
    others = asked(pair[0], 3)
    foreign = bearer(token(claims("gus", tenant=f"t-{uuid.uuid4()}", roles=("reader", "deployer"))))
    own = ask(pair[0].url, headers=foreign).json()["request_id"]

    assert requests_of(read(pair[1], begin.id, 1, foreign)) == [own]
    assert sorted(requests_of(read(pair[1], begin.id, 3))) == sorted(others)


@pytest.mark.parametrize(
    ("place", "status"), [("99999:0", 410), ("0:999999999", 410), ("0/7", 400), ("x" * 9_000, 400)]
)
def test_who_cannot_go_on_without_a_gap_is_told(pair: Sequence[Replica], place: str, status: int) -> None:
    answer = web.get(f"{pair[0].url}/internal/events", headers={**READER, "Last-Event-ID": place}, timeout=30)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text


def test_who_stands_behind_the_end_is_told(pair: Sequence[Replica]) -> None:
    """As where the topic was made anew: whatever comes until then would be passed over."""
    (begin,) = read(pair[0], None, 0)
    ahead = {partition: offset + 3 for partition, offset in positions.read(begin.id or "").items()}
    headers = {**READER, "Last-Event-ID": positions.text_of(ahead)}
    with web.stream("GET", f"{pair[0].url}/internal/events", headers=headers, timeout=30) as answer:
        assert answer.status_code == 410


def test_a_watch_outlives_the_gateway_that_it_watches(edge: Edge, pair: Sequence[Replica], tmp_path: Path) -> None:
    """It is killed, and results come while it is away; another one takes its place."""
    victim, other = pair
    words = [sys.executable, "-m", "processors.cli", "watch", "-n", "9", "-o", "json"]
    known = {"GUARD_GATEWAY__TOKEN": READER["Authorization"].partition(" ")[2], "GUARD_GATEWAY__URL": victim.url}
    said, complaints = tmp_path / "said", tmp_path / "complaints"
    with said.open("wb") as out, complaints.open("wb") as err:
        watching = subprocess.Popen(words, env=edge.environment | known, cwd=ROOT, stdout=out, stderr=err)
        try:
            eventually(lambda: "compat_gateway_streams 1.0" in victim.metrics(), 60)
            ids = asked(other, 3)
            eventually(lambda: len(said.read_text().splitlines()) == 3, 60)
            victim.kill()
            ids += asked(other, 3)
            eventually(lambda: "asked again" in complaints.read_text(), 60)
            victim.start()
            eventually(victim.ready, 60)
            ids += asked(other, 3)
            assert watching.wait(60) == 0
        finally:
            watching.kill()
            watching.wait()

    assert sorted(json.loads(line)["request_id"] for line in said.read_text().splitlines()) == sorted(ids)
    assert complaints.read_text().count("it is asked again until it is back") == 1
    assert "the gateway is back; results go on where they ended" in complaints.read_text()
