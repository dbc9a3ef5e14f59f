"""The sink, Postgres and the broker are killed while events come in. Nothing is lost, doubled or broken."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from chaos.mortal_worker import IN_POSTGRES
from confluent_kafka.admin import AdminClient
from examples import commands, web
from examples.ground import eventually
from examples.mortals import started, until_all_have_died
from examples.servers import own_servers
from examples.silence import silence
from sqlalchemy import make_url

from processors.cli.demo.commands import environment_of
from processors.configuration.settings import shipped
from processors.contracts.files import load_topics
from processors.embedded import Addresses, Stack
from processors.embedded.ports import HOST, free_port
from processors.errors import BrokerUnavailable
from processors.ledger import numbering, views
from processors.ledger.database import connect, migrate, reading, writing
from processors.ledger.keys import new_keys, read_keys, write_keys
from processors.ledger.reading import Window
from processors.ledger.samples import story, traffic
from processors.ledger.whole import verify_all
from processors.stream.io.follow import Follower
from processors.stream.io.publish import Publisher
from processors.stream.settings import StreamSettings
from processors.stream.types import Outbound
from processors.stream.wire.codec import Codec
from processors.stream.wire.registry import SchemaRegistry
from processors.stream.wire.schema import Schemas

pytestmark = [pytest.mark.chaos, pytest.mark.stack, pytest.mark.timeout(1800)]

EVENTS = 200_000 if os.environ.get("GUARD_CHAOS") == "long" else 6_000
PORTION, PAUSE = (500, 0.0) if EVENTS > 100_000 else (100, 0.6)
"""Events written at once, and seconds from one portion to the next: few events last as long as the kills."""

KILLS = 16 if EVENTS > 100_000 else 8
"""Half of them hit the sink, a quarter each Postgres and the broker."""

ANCHORS = "compat.ledger-anchors"

TOPICS = [topic.name for topic in load_topics(shipped("config") / "topics.yaml").telling]


@dataclass
class World:
    """A stack of its own, since its servers are killed, and the sink as a process that a supervisor restarts."""

    stack: Stack
    environment: dict[str, str]
    log: Path
    sink: subprocess.Popen[bytes] | None = None

    @property
    def streams(self) -> StreamSettings:
        return StreamSettings(bootstrap=self.stack.addresses.bootstrap, registry=self.stack.addresses.registry)

    def start_sink(self) -> None:
        command = [sys.executable, "-m", "processors.cli", "run", "ledger"]
        with self.log.open("ab") as log:
            self.sink = subprocess.Popen(command, env=self.environment, stderr=log, stdout=log)

    def supervise(self) -> None:
        if self.sink is None or self.sink.poll() is not None:
            self.start_sink()

    def kill_sink(self) -> None:
        if self.sink is not None:
            self.sink.kill()
            self.sink.wait()
        self.start_sink()

    def kill_postgres(self) -> None:
        self.stack.postgres.kill()
        time.sleep(random.uniform(0, 2))
        self.stack.postgres.start()

    def kill_broker(self) -> None:
        self.stack.kafka.kill()
        time.sleep(random.uniform(0, 2))
        self.stack.kafka.start()


@pytest.fixture
def world(stack: Addresses, tmp_path: Path) -> Iterator[World]:
    with own_servers(stack.registry) as own:
        keys = tmp_path / "keys.json"
        write_keys(keys, new_keys())
        environment = {**os.environ, **environment_of(own.addresses), "GUARD_LEDGER__KEYS": str(keys)}
        environment["GUARD_LEDGER__ANCHOR_EVERY"] = "5"
        environment["GUARD_HEALTH_PORT"] = str(free_port())
        subprocess.run(
            [sys.executable, "-m", "processors.cli", "topics", "apply"],
            env=environment,
            check=True,
            capture_output=True,
        )
        migrate(own.addresses.postgres)
        world = World(own, environment, tmp_path / "sink.log")
        yield world
        if world.sink is not None:
            world.sink.terminate()
            world.sink.wait(60)


def feed(world: World, done: threading.Event, failures: list[BaseException]) -> None:
    """Write the events, each with an id of its own, whatever happens to the broker meanwhile."""
    try:
        with httpx.Client(base_url=world.stack.addresses.registry, timeout=30) as client:
            codec = Codec(Schemas.load(shipped("schemas")), SchemaRegistry(client))
            write_events(world, codec, range(EVENTS), PAUSE)
    except BaseException as error:  # noqa: BLE001 - shown by the test itself
        failures.append(error)
    finally:
        done.set()


def write_events(world: World, codec: Codec, numbers: range, pause: float = 0.0) -> None:
    """As fast as the broker takes them, but for a pause after each portion; one in a thousand is poison."""
    encoders: dict[str, Callable[[Any], bytes]] = {}
    publish = Publisher(world.streams, deadline=30.0)
    chunk: list[Outbound] = []
    samples = (s for n in itertools.count(numbers.start) for s in (story(n) if n % 20 == 0 else traffic(n)))
    for number, sample in zip(numbers, samples, strict=False):
        encode = encoders.setdefault(sample.topic, codec.encoder(sample.topic, sample.event))
        value = b"poison \xff" + str(number).encode() if number % 997 == 0 else encode(sample.value)
        chunk.append(Outbound(sample.topic, sample.key.encode(), value))
        if len(chunk) == PORTION:
            insist(publish, chunk)
            chunk = []
            time.sleep(pause)
    insist(publish, chunk)
    publish.close()


def insist(publish: Publisher, records: Sequence[Outbound], times: int = 4) -> None:
    """What was written in vain may be there all the same; the ledger knows an event that comes again by its id."""
    for _ in range(times - 1):
        with suppress(BrokerUnavailable):
            return publish(records)
    publish(records)
    return None


def test_every_record_is_once_in_an_unbroken_ledger(world: World) -> None:
    """kill -9 of sink, database and broker: every record once, every chain whole, current state as the events."""
    done, failures = threading.Event(), list[BaseException]()
    feeder = threading.Thread(target=feed, args=(world, done, failures), daemon=True)
    world.start_sink()
    feeder.start()
    dice, kills = random.Random(7), Counter[str]()
    rounds = 0
    while rounds < KILLS:
        time.sleep(dice.uniform(2, 7))  # some strike while the sink starts, some while it works
        what = ("kill_sink", "kill_postgres", "kill_sink", "kill_broker")[rounds % 4]
        getattr(world, what)()
        world.supervise()
        kills[what] += 1
        rounds += 1
    feeder.join()
    assert failures == []
    catch_up(world)
    stop(world)

    assert min(kills.values()) == KILLS // 4
    assert_exactly_once(world)
    engine = connect(world.stack.addresses.postgres, "guard_auditor")
    with reading(engine) as connection:
        keys = read_keys(Path(world.environment["GUARD_LEDGER__KEYS"])).public
        count, _, found = verify_all(connection, (), keys, Window())
    assert found == []
    assert count >= EVENTS
    engine.dispose()
    upkeep = connect(world.stack.addresses.postgres, "guard_maintenance")
    with writing(upkeep) as connection:
        assert views.compare(connection) == []
    upkeep.dispose()


def test_what_was_skipped_and_what_was_created_anew_is_told_and_gone_on_with(world: World) -> None:
    """Somebody moves a position, and somebody deletes a topic: by the commands that people type."""
    world.environment["GUARD_LEDGER__COMPARE_EVERY"] = "2"
    more(world, range(200))
    assert_skipped_and_filed_late(world)
    assert_created_anew_and_taken_up(world)


@pytest.mark.skipif(EVENTS < 100_000, reason="GUARD_CHAOS=long kills the sink at each step of its transaction")
def test_every_record_is_once_in_the_ledger_whatever_step_a_sink_died_at(world: World, tmp_path: Path) -> None:
    """Also where it was gone before it could see that Postgres had committed."""
    written = 0

    def write() -> None:
        nonlocal written
        with httpx.Client(base_url=world.stack.addresses.registry, timeout=30) as client:
            codec = Codec(Schemas.load(shipped("schemas")), SchemaRegistry(client))
            write_events(world, codec, range(written, written + 500))
        written += 500

    def start(ordinal: int, script: tuple[str, ...]) -> subprocess.Popen[bytes]:
        return started([*script, "run", "ledger"], tmp_path / "log", **world.environment)

    until_all_have_died(start, IN_POSTGRES, write, survived=3)
    more(world, range(written, written + 200))
    stop(world)

    filed = query(
        world,
        'SELECT topic, partition, "offset" FROM ledger.ledger_events '
        'UNION ALL SELECT topic, partition, "offset" FROM ledger.duplicates',
    )
    assert max(Counter(filed).values()) == 1
    assert guard(world, "ledger", "verify").returncode == 0
    assert guard(world, "ledger", "reconcile").returncode == 0


def test_a_sink_waits_for_a_database_that_says_nothing(world: World) -> None:
    """From its start: it shows its health, ends for nothing, and files what has come once the database speaks."""
    health = f"http://{HOST}:{world.environment['GUARD_HEALTH_PORT']}/healthz"
    with silence(world.stack.addresses.postgres) as way:
        way.fallen.set()
        world.environment["GUARD_POSTGRES__URL"] = way.to(world.stack.addresses.postgres)
        world.start_sink()
        sink = world.sink
        eventually(lambda: b"partitions wait" in world.log.read_bytes(), 60)

        def waits() -> bool:
            answer = web.get(health, trust_env=False, timeout=5)
            return (answer.status_code, answer.json()["waiting"]) == (200, "DatabaseUnavailable")

        eventually(waits)
        way.fallen.clear()
        more(world, range(100))
        assert world.sink is sink
        assert sink is not None
        assert sink.poll() is None
        stop(world)


def more(world: World, numbers: range) -> None:
    """Write so many events, and have the sink file them."""
    with httpx.Client(base_url=world.stack.addresses.registry, timeout=30) as client:
        write_events(world, Codec(Schemas.load(shipped("schemas")), SchemaRegistry(client)), numbers)
    world.supervise()
    wanted = "SELECT count(*) FROM ledger.ledger_events WHERE topic <> 'compat.ledger-anchors'"
    eventually(lambda: query(world, wanted)[0][0] >= numbers.stop - 6)


def guard(world: World, *words: str) -> subprocess.CompletedProcess[str]:
    return commands.run(*words, environment={**world.environment, "COLUMNS": "300"})


def assert_skipped_and_filed_late(world: World) -> None:
    stop(world)
    ((partition, offset),) = query(
        world,
        "UPDATE ledger.chain_head SET next_offset = next_offset + 3 WHERE (topic, partition) = "
        "(SELECT topic, partition FROM ledger.chain_head WHERE topic = 'compat.results' ORDER BY sequence DESC "
        "LIMIT 1) RETURNING partition, next_offset - 3",
    )
    more(world, range(200, 400))
    eventually(lambda: b"topic and ledger differ" in world.log.read_bytes())
    told = guard(world, "ledger", "reconcile")
    assert (told.returncode, told.stdout.count("MISSING")) == (1, 3), told

    mended = guard(world, "ledger", "reconcile", "--repair")

    assert mended.returncode == 0, mended
    assert f"compat.results/{partition}: 0 of 3 missing rows restored, 3 filed late" in mended.stderr
    late = query(world, 'SELECT partition, "offset" FROM ledger.ledger_events WHERE partition < 0 ORDER BY 2')
    assert late == [(numbering.late(partition, 1), offset + n) for n in range(3)]
    assert guard(world, "ledger", "verify").returncode == 0
    (anchored,) = query(world, "SELECT count(*) FROM ledger.batches WHERE partition < 0")
    assert anchored == (1,)


def assert_created_anew_and_taken_up(world: World) -> None:
    topic = "compat.install-outcomes"
    admin = AdminClient({"bootstrap.servers": world.stack.addresses.bootstrap})
    stop(world)
    admin.delete_topics([topic])[topic].result(30)
    eventually(lambda: topic not in admin.list_topics(timeout=10).topics)
    assert guard(world, "topics", "apply").returncode == 0
    found = json.loads(guard(world, "ledger", "verify", "--output", "json").stdout)
    assert [(wrong["kind"], wrong["topic"]) for wrong in found] == [("TOPIC_CHANGED", topic)]
    assert "deleted and created again" in guard(world, "doctor").stdout
    world.supervise()
    eventually(lambda: b"a topic has changed, and nothing is filed until it is taken up" in world.log.read_bytes())

    taken = guard(world, "ledger", "take-up", "--topic", topic)

    assert (taken.returncode, taken.stdout.startswith(f"{topic}: ")) == (0, True), taken
    more(world, range(400, 600))
    eventually(lambda: query(world, "SELECT count(*) FROM ledger.chain_head WHERE partition >= 100000") != [(0,)])
    stop(world)
    assert guard(world, "ledger", "verify").returncode == 0
    assert guard(world, "ledger", "reconcile").returncode == 0


def query(world: World, statement: str) -> list[tuple[Any, ...]]:
    url = make_url(world.stack.addresses.postgres).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        return connection.execute(statement.encode()).fetchall()


def catch_up(world: World, patience: float = 900.0) -> None:
    """Wait until what was written is filed, and a moment longer, in which what is filed twice would show."""
    wanted, until = sum(topic != ANCHORS for topic, _, _ in written_to(world)), time.monotonic() + patience
    counted = (
        f"SELECT (SELECT count(*) FROM ledger.ledger_events WHERE topic <> '{ANCHORS}') + "  # noqa: S608 - our own
        f"(SELECT count(*) FROM ledger.duplicates WHERE topic <> '{ANCHORS}')"
    )
    while (filed := query(world, counted)[0][0]) < wanted:
        assert time.monotonic() < until, f"{filed} of {wanted} after {patience:g} s; see {world.log}"
        world.supervise()  # it may have been fenced, or given up on a commit
        time.sleep(0.5)
    time.sleep(2)


def written_to(world: World) -> set[tuple[str, int, int]]:
    """Topic, partition and offset of every record that the ledger has to file."""
    follower = Follower(world.streams, "chaos")
    written: set[tuple[str, int, int]] = set()
    for topic in TOPICS:
        follower.from_beginning([topic])
        written |= {(r.topic, r.partition, r.offset) for r in follower.read()}
    follower.close()
    return written


def stop(world: World) -> None:
    assert world.sink is not None
    world.sink.terminate()
    assert world.sink.wait(60) in {0, -signal.SIGTERM}


def assert_exactly_once(world: World) -> None:
    """Each offset of each topic is in the ledger: once as a row, or as a duplicate that was dropped."""
    filed = Counter(
        query(
            world,
            'SELECT topic, partition, "offset" FROM ledger.ledger_events '
            'UNION ALL SELECT topic, partition, "offset" FROM ledger.duplicates',
        )
    )
    heads = {
        (topic, n): offset
        for topic, n, offset in query(world, "SELECT topic, partition, next_offset FROM ledger.chain_head")
    }
    written = written_to(world)
    late = {at for at in written if at[0] == ANCHORS and at[2] >= heads.get(at[:2], 0)}

    assert max(filed.values()) == 1
    assert set(filed) == written - late
    assert len(written) >= EVENTS
