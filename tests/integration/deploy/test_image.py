"""The image of deploy/Containerfile, built and run: an installation of nothing but its containers decides case C-1.

`GUARD_TEST_IMAGE=build` builds it as a release does; `GUARD_TEST_IMAGE=NAME` takes one that podman has.
"""

from __future__ import annotations

import json
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from confluent_kafka import Consumer
from examples.case_c1 import MANIFEST, MATRIX
from examples.charts import ROOT
from examples.containers import ETC, Containers, podman, under_test
from examples.ground import eventually
from examples.protected import Protected
from sqlalchemy import make_url

from processors.events.topics import BLOCKS

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]

PROCESSORS = ("checker", "exception-workflow", "ledger", "staleness")
"""What every installation runs."""

RIGHTS = """
import os, pathlib
lines = pathlib.Path("/proc/self/status").read_text().splitlines()
status = dict(line.split(":\\t", 1) for line in lines)
print(os.getuid(), os.getgid(), *(status[of].strip("0") for of in ("CapEff", "CapBnd", "NoNewPrivs")), sep=",")
"""
WRITES = """
import pathlib
for folder in ("/", "/tmp", "/run", "/var/tmp", "/opt/compat-guard", "/etc/compat-guard/config"):
    try:
        pathlib.Path(folder, "written").touch()
        print(folder)
    except OSError:
        pass
"""
PACKAGES = """
from importlib.metadata import distributions
print(*sorted(f"{found.name.lower().replace('_', '-')}=={found.version}" for found in distributions()))
"""


@pytest.fixture(scope="module")
def containers() -> Iterator[Containers]:
    """Rules, topics, tables and matrix are made by the image too, each by the principal whose task it is."""
    with tempfile.TemporaryDirectory(prefix="compat-guard-test-") as name:
        image = under_test(folder := Path(name))
        (folder / "plugin.yaml").write_text(MANIFEST)
        (folder / "matrix.yaml").write_text(MATRIX)
        with Protected(folder).running() as broker, Containers(image, broker).ready() as made:
            made.run("admin", "acls", "apply")
            made.run("topics-admin", "topics", "apply")
            made.run("admin", "ledger", "migrate")
            made.run(
                *("matrix-publisher", "matrix", "publish", "/matrix.yaml"),
                *("--key", f"{ETC}/secrets/publisher.json"),
                mounts={"/matrix.yaml": folder / "matrix.yaml"},
            )
            with made.processors(*PROCESSORS):
                yield made


def test_case_c1_is_blocked_and_the_block_is_told(containers: Containers) -> None:
    """Asked under the deployer's principal, decided under the checker's, read by whoever may read and filed."""
    asked, folder = str(uuid.uuid4()), containers.broker.folder
    told = containers.run(
        *("deployer", "request", "--manifest", "/plugin.yaml", "--host", "corex@1.9.0", "--request-id", asked),
        *("--tenant", "acme", "--operator", "alice", "--target", "cluster-7", "--timeout", "60", "-o", "json"),
        code=1,
        mounts={"/plugin.yaml": folder / "plugin.yaml"},
    )

    assert [finding["code"] for finding in json.loads(told)["findings"]] == ["HOST_TOO_OLD"]
    assert asked in blocks(containers.broker)
    eventually(lambda: is_filed(containers.broker, asked), 60)


def blocks(broker: Protected) -> set[str]:
    """The requests that were blocked, as a program reads them that may read only."""
    consumer = Consumer(
        {**broker.client("reader"), "group.id": f"reader-{uuid.uuid4().hex}", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([BLOCKS])
    try:
        found = consumer.consume(1, 60)
        return {(message.key() or b"").decode() for message in found if message.error() is None}
    finally:
        consumer.close()


def is_filed(broker: Protected, request_id: str) -> bool:
    """Whether the block of a request is in the ledger."""
    url = make_url(broker.addresses.postgres).set(drivername="postgresql")
    query = "SELECT count(*) FROM ledger.ledger_events WHERE topic = %s AND request_id = %s"
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        return connection.execute(query, (BLOCKS, request_id)).fetchone() == (1,)


def test_doctor_finds_nothing_wrong(containers: Containers) -> None:
    """It warns that topics on one broker do not outlive it."""
    found = {row["part"]: row["state"] for row in json.loads(containers.run("admin", "doctor", "-o", "json"))}
    assert found.pop("durability") == "warning"
    assert set(found.values()) == {"ok"}, found


@pytest.mark.parametrize("name", PROCESSORS)
def test_a_processor_is_nobody_and_writes_nothing(containers: Containers, name: str) -> None:
    """No capability is left, none can be gained, and there is no folder that takes a file."""
    assert containers.inside(name, RIGHTS).strip() == "65532,65532,,,1"
    assert containers.inside(name, WRITES) == ""


def test_the_image_alone_tells_its_commands(containers: Containers) -> None:
    """Without arguments and without any server; what shows the guard on a laptop is not in it."""
    told = podman(containers.folder, "run", "--rm", "--network", "none", containers.image)
    assert " request " in told
    assert " demo " not in told


def test_the_image_has_the_packages_of_the_lock_and_no_others(containers: Containers) -> None:
    """Nothing that installs either."""
    locked = {
        line.split()[0] for line in (ROOT / "requirements.txt").read_text().splitlines() if line[:1].isalnum()
    }
    found = set(containers.inside("checker", PACKAGES).split())
    assert {package.partition("==")[0] for package in found - locked} == {"compat-guard"}


def test_a_processor_that_is_stopped_ends_in_good_order(containers: Containers) -> None:
    """Its transaction is over: nobody waits for it. The last test, for the others need it."""
    assert {name: containers.stop(name) for name in PROCESSORS} == dict.fromkeys(PROCESSORS, 0)
