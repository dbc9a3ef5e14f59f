"""Processors of a release and of the guard as it is now, side by side in one group, under traffic: there and back.

By the order of deploy/UPGRADE.md: topics and ledger first, then one replica after another, each when the one before
is ready. Results, blocks and requests for exceptions have grown since 0.1.0, so old processors read what new ones
wrote. `GUARD_CHAOS=long` runs it: each release is built from the history, and installed with its own lock.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path
from subprocess import Popen
from typing import Any, NamedTuple

import psycopg
import pytest
import yaml
from bench import subjects
from examples.exceptions import PROVIDER, TOOL, public_jwk
from examples.ground import Ground, eventually
from examples.guard import now
from examples.releases import Build, current, released
from examples.stories import EVENTS, Traffic
from sqlalchemy import make_url

from processors.bootstrap.clients import registry_client
from processors.checker.check import check
from processors.configuration.settings import RegistrySettings
from processors.documents.canonical import digest_of
from processors.embedded import Stack
from processors.embedded.ports import free_port
from processors.embedded.registry import serves
from processors.events.subject_record import subject_to_record
from processors.events.topics import (
    BLOCKS,
    DEAD_LETTERS,
    EXCEPTION_DECISIONS,
    INSTALL_REQUESTS,
    NOTIFICATIONS,
    RESULTS,
)
from processors.events.vocabulary import Verdict
from processors.ledger.keys import new_keys, write_keys
from processors.matrix.merged import Matrix
from processors.matrix.text import parse_matrix
from processors.stream.types import Inbound
from processors.stream.wire.codec import Codec
from processors.stream.wire.registry import SchemaRegistry
from processors.stream.wire.schema import Schemas

pytestmark = [
    pytest.mark.stack,
    pytest.mark.chaos,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(
        os.environ.get("GUARD_CHAOS") != "long", reason="GUARD_CHAOS=long builds releases and upgrades from them"
    ),
]

REPLICAS = {"checker": 3, "exception-workflow": 2, "ledger": 2}
A_SECOND, DISTINCT = 20, 300
"""Requests, and questions among them."""

CALM = 10.0
"""Seconds of traffic before, between and after the rolls."""

MATRIX = """
source: governance
revision: "1"
expires_after: 24h
hosts:
  corex: {dialect: npm, releases: ["1.8.0", "1.9.0", "2.0.0"]}
undeclared: {host: block, runtime: allow, matrix: allow}
matrix:
  - {host: corex, plugin: "com.acme.plugins.*", action: allow, notes: ours}
  - {host: corex, plugin: "com.acme.plugins.p1*", action: warn, notes: watch it}
releases: []
"""


class Replica(NamedTuple):
    build: Build
    process: Popen[bytes]
    log: Path


@dataclass
class Installation:
    """Servers, and replicas of processors by name and ordinal; each is of one build or another."""

    stack: Stack
    folder: Path
    environment: dict[str, str]
    replicas: dict[tuple[str, int], Replica] = field(default_factory=dict[tuple[str, int], Replica])
    replaced: int = 0

    def start(self, name: str, ordinal: int, build: Build) -> None:
        """Until it is ready, as an orchestrator waits before it goes on."""
        port = free_port()
        environment = {**self.environment, "GUARD_ORDINAL": str(ordinal), "GUARD_HEALTH_PORT": str(port)}
        log = self.folder / f"{name}-{ordinal}.log"
        process = build.start(environment, log, "run", name)
        self.replicas[name, ordinal] = Replica(build, process, log)

        def ready() -> bool:
            assert process.poll() is None, f"{build.name} {name} ended: {log.read_text()[-2000:]}"
            return serves(f"http://127.0.0.1:{port}/readyz")

        eventually(ready, 90)

    def roll(self, build: Build) -> None:
        """One replica after another: told to end, ends in good order, and its place is taken."""
        for (name, ordinal), old in list(self.replicas.items()):
            old.process.terminate()
            code = old.process.wait(60)
            assert code == 0, f"{old.build.name} {name} ended with {code}: {old.log.read_text()[-2000:]}"
            self.replaced += 1
            self.start(name, ordinal, build)

    def dismiss(self) -> None:
        for replica in self.replicas.values():
            replica.process.terminate()
        for replica in self.replicas.values():
            assert replica.process.wait(60) == 0

    def kill(self) -> None:
        for replica in self.replicas.values():
            replica.process.kill()
            replica.process.wait()

    def assignments(self) -> dict[str, int]:
        """How often replicas of each processor were given partitions."""
        logs = {name: self.folder.glob(f"{name}-*.log") for name in REPLICAS}
        return {name: sum(log.read_text().count("partitions assigned") for log in of) for name, of in logs.items()}

    def is_filed(self, ground: Ground) -> bool:
        """Whether the sinks have taken the last result."""
        heads = dict(
            self.query("SELECT partition, next_offset FROM ledger.chain_head WHERE topic = 'compat.results'")
        )
        return all(heads.get(record.partition, 0) > record.offset for record in ground.read(RESULTS))

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        url = make_url(self.stack.addresses.postgres).set(drivername="postgresql")
        with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
            return connection.execute(statement.encode()).fetchall()


@contextmanager
def installed(build: Build, folder: Path) -> Iterator[Installation]:
    """With the configuration of that build, and its topics, tables and a matrix; nothing runs yet."""
    config = folder / "config"
    config.mkdir()
    for file in build.config.iterdir():
        if file.name != "compat_matrix.yaml":
            (config / file.name).write_bytes(file.read_bytes())
    policy = yaml.safe_load((config / "exception_workflow.yaml").read_text())
    service = {"issuer": TOOL, "kinds": ["SERVICE_JWS"], "audience": "compat-guard", "speaks_for": [PROVIDER]}
    policy["proof"]["issuers"] = [service | {"jwks": "tool.json"}]
    (config / "exception_workflow.yaml").write_text(yaml.safe_dump(policy))
    (config / "tool.json").write_text(json.dumps({"keys": [public_jwk("tool-1")]}))
    write_keys(folder / "keys.json", new_keys())
    (folder / "matrix.yaml").write_text(MATRIX)
    with tempfile.TemporaryDirectory(prefix="compat-guard-") as servers, Stack(Path(servers)) as stack:
        addresses = stack.addresses
        surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        installation = Installation(
            stack,
            folder,
            {
                **surroundings,
                "GUARD_KAFKA__BOOTSTRAP": addresses.bootstrap,
                "GUARD_REGISTRY__URL": addresses.registry,
                "GUARD_POSTGRES__URL": addresses.postgres,
                "GUARD_CONFIG": str(config),
                "GUARD_LEDGER__KEYS": str(folder / "keys.json"),
                "GUARD_LEDGER__ANCHOR_EVERY": "5",
            },
        )
        prepare(build, installation)
        build.run(installation.environment, "matrix", "publish", str(folder / "matrix.yaml"))
        try:
            yield installation
        finally:
            installation.kill()


def prepare(build: Build, at: Installation) -> None:
    """What comes before the processors of a build. Its contract is its own, whatever else is configured."""
    own = {**at.environment, "GUARD_CONFIG": str(build.config), "GUARD_SCHEMAS": str(build.schemas)}
    build.run(own, "topics", "apply")
    build.run(own, "ledger", "migrate")


@pytest.mark.parametrize("version", ["0.1.0"])
def test_an_upgrade_under_traffic_loses_nothing_and_repeats_nothing_there_and_back(
    version: str, tmp_path: Path
) -> None:
    """Each request has its answer once, each exception its whole course once, the ledger each record once.

    A report is compared to the byte, and it has grown, so nobody asks for exceptions between two versions.
    """
    old, new, issued_at = released(version, tmp_path / version), current(), now()
    with ExitStack() as opened:
        at = opened.enter_context(installed(old, tmp_path))
        ground = Ground(at.stack.addresses.bootstrap, at.stack.addresses.registry)
        opened.callback(ground.close)
        as_old, as_new = (opened.enter_context(codec(at, build)) for build in (old, new))
        for name, count in REPLICAS.items():
            for ordinal in range(count):
                at.start(name, ordinal, old)
        begun = at.assignments()
        with Traffic(ground, [as_old], a_second=A_SECOND, distinct=DISTINCT) as traffic:
            time.sleep(CALM)
            prepare(new, at)
            traffic.clients = [as_old, as_new]
            for build, client in ((new, as_new), (old, as_old)):
                traffic.asking = None
                eventually(traffic.is_settled, 120)
                at.roll(build)
                traffic.asking = client
                time.sleep(CALM)
        eventually(lambda: at.is_filed(ground), 120)
        at.dismiss()

        assert_answered(as_new, ground, traffic, verdicts(as_new, issued_at))
        assert_stories(as_new, ground, traffic)
        assert ground.read(DEAD_LETTERS) == []
        assert_filed(at, new)
        moves = {name: times - begun[name] for name, times in at.assignments().items()}
        print(f"{version} to current and back: {at.replaced} replicas replaced")
        print(f"{len(traffic.asked)} requests and {len(traffic.stories)} exceptions: 0 lost, 0 doubled")
        print(f"partitions assigned, times: {moves}")
        print(f"longest silence of a partition {longest_silence(ground.read(RESULTS)):.1f} s")
    for name, count in REPLICAS.items():
        # Each replica leaves and comes twice; each time something moves at every one of them at most.
        assert moves[name] <= 4 * count * count, "a storm of rebalances"


@contextmanager
def codec(at: Installation, build: Build) -> Iterator[Codec]:
    """What a client of that build reads and writes with."""
    with registry_client(RegistrySettings(url=at.stack.addresses.registry)) as client:
        yield Codec(Schemas.load(build.schemas), SchemaRegistry(client))


def verdicts(events: Codec, issued_at: int) -> dict[int, Verdict]:
    """What the pure check says to each question."""
    document = parse_matrix(MATRIX)
    matrix = Matrix.of([(document, issued_at, issued_at + document.expires_after)])
    encode = events.encoder(INSTALL_REQUESTS, "InstallRequested")

    def verdict(number: int) -> Verdict:
        asked = subjects.subject(number)
        question = digest_of(encode.tail(subject_to_record(asked)))
        return check(asked, matrix, issued_at + 1000, question).report.verdict

    return {number: verdict(number) for number in range(1, DISTINCT + 1)}


def assert_answered(events: Codec, ground: Ground, traffic: Traffic, wanted: dict[int, Verdict]) -> None:
    """One result for each request, and one block and one notification where there has to be one."""
    read = events.decoder(RESULTS, "CompatibilityChecked")
    results = [read(record.value) for record in ground.read(RESULTS)]
    said = {result["request_id"]: result["verdict"] for result in results}
    stories = {id for story in traffic.stories for id in (story.blocked, story.used)}
    own = [result for result in results if result["operator"] != "exception-workflow"]
    assert Counter(result["request_id"] for result in own) == Counter([*traffic.asked, *stories])
    assert {wanted[number] for number in traffic.asked.values()} == {Verdict.ALLOW, Verdict.WARN, Verdict.BLOCK}
    assert [id for id, number in traffic.asked.items() if said[id] != wanted[number]] == []
    blocked = {result["request_id"] for result in own if result["verdict"] == "BLOCK"}
    assert Counter((r.key or b"").decode() for r in ground.read(BLOCKS)) == Counter(blocked)
    tell = events.decoder(NOTIFICATIONS, "NotificationRequested")
    told = Counter(tell(record.value)["request_id"] for record in ground.read(NOTIFICATIONS))
    warned = [id for id, number in traffic.asked.items() if wanted[number] is not Verdict.ALLOW]
    assert [id for id in warned if told[id] != 1] == []


def assert_stories(events: Codec, ground: Ground, traffic: Traffic) -> None:
    read = events.decoder(EXCEPTION_DECISIONS, "ExceptionDecided")
    courses: dict[str, list[tuple[int, str]]] = {}
    for record in ground.read(EXCEPTION_DECISIONS):
        decided = read(record.value)
        courses.setdefault(decided["exception_id"], []).append((decided["sequence"], decided["event"]))
    assert courses.keys() == {story.scope.exception_id for story in traffic.stories}
    assert [course for course in courses.values() if course != list(enumerate(EVENTS, 1))] == []


def assert_filed(at: Installation, new: Build) -> None:
    """Each record is once in the ledger, by whichever sink, and the chains verify."""
    rows = 'SELECT topic, partition, "offset" FROM ledger.'
    filed = Counter(at.query(f"{rows}ledger_events UNION ALL {rows}duplicates"))
    assert max(filed.values()) == 1
    new.run(at.environment, "ledger", "verify")
    new.run(at.environment, "ledger", "reconcile")


def longest_silence(records: Sequence[Inbound]) -> float:
    """Seconds between two results on one partition, by the broker's clock. `records` are in their order."""
    by_partition = (list(found) for _, found in groupby(records, key=lambda record: record.partition))
    waits = (later.timestamp - earlier.timestamp for r in by_partition for earlier, later in pairwise(r))
    return max(waits) / 1000
