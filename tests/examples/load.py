"""Traffic for an installation: bursts of requests, and exceptions that go every way."""

from __future__ import annotations

import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from confluent_kafka import Producer
from examples.installation import ROOT, Installation

from processors.bootstrap.clients import codec
from processors.configuration.settings import Settings
from processors.events.subject import Host, InstalledPlugin, Manifest, Provision, Requirement, Subject
from processors.events.subject_record import subject_to_record
from processors.events.topics import INSTALL_REQUESTS
from processors.stream.wire.headers import event_headers, new_trace

PLUGINS = ROOT / "scripts" / "demo.plugins"


def requests(of: Settings, count: int) -> None:
    """As many requests, each of another plugin, host, operator and tenant; one in ten is blocked for its host, and
    one is no request at all."""
    client = {"bootstrap.servers": of.kafka.bootstrap, "linger.ms": 20, "partitioner": "murmur2_random"}
    producer = Producer(client)
    with codec(of) as events:
        encode = events.encoder(INSTALL_REQUESTS, "InstallRequested")
        for number in range(count):
            request = _request(number)
            headers = event_headers(
                id=request["request_id"],
                type="plugin.install.requested",
                source="/load",
                time=_now(),
                cause=(new_trace(),),
            )
            key = request["subject"]["manifest"]["id"].encode()
            producer.produce(INSTALL_REQUESTS, encode(request), key, headers=list(headers))
            producer.poll(0)
    producer.produce(INSTALL_REQUESTS, b"no request", b"nobody")
    assert producer.flush(60) == 0


def exceptions_of_every_kind(at: Installation) -> None:
    """One approved and used, one denied, one that waits, and a command that is refused."""
    hosts = {"cluster-0": "1.9.0", "cluster-1": "1.8.0", "cluster-2": "1.7.0"}
    with ThreadPoolExecutor(len(hosts)) as people:
        approved, denied, waiting = people.map(lambda target: _asked(at, target, hosts[target]), hosts)
    for person in ("petra", "sabine", "lena"):
        if "APPROVED" not in at.run("exception", "show", approved):
            at.run("approve", approved, "--as", person, "--reason", "watched closely")
    at.run("deny", denied, "--as", "petra", "--reason", "not worth the risk")
    at.run("approve", waiting, "--as", "sabine", "--reason", "out of turn", code=2)


def _asked(at: Installation, target: str, host: str) -> str:
    """The id of an exception that was asked for."""
    id = str(uuid.uuid4())
    at.run(
        "request",
        "--request-id",
        id,
        "--host",
        f"corex@{host}",
        "--manifest",
        str(PLUGINS / "inventory-sync-1.5.0.yaml"),
        "--installed",
        "com.powerx.plugins.crm@0.6.0",
        "--runtime",
        "go@1.22",
        "--target",
        target,
        code=1,
    )
    said = at.run("exception", "request", id, "--risk", "stock would not be synchronised for two days", code=4)
    found = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", said.replace(id, ""))
    assert found, said
    return found[0]


def _request(number: int) -> dict[str, Any]:
    subject = Subject(
        manifest=Manifest(
            id=f"com.acme.load.p{number}",
            version=f"1.{number}.0",
            host_range=">=3.0.0" if number % 10 == 0 else ">=1.8.0 <3.0.0",
            requires=(Requirement("com.powerx.plugins.crm", ">=0.5.0"),),
            runtimes=(Requirement("go", ">=1.21"),),
        ),
        host=Host("corex", f"1.9.{number}"),
        installed=(InstalledPlugin("com.powerx.plugins.crm", "0.6.0"),),
        runtimes=(Provision("go", "1.22"),),
    )
    return {
        "request_id": str(uuid.uuid4()),
        "requested_at": _now(),
        "tenant": f"tenant-{number}",
        "operator": f"operator-{number}@example.com",
        "environment": f"environment-{number}",
        "target": f"target-{number}",
        "action": "INSTALL",
        "exception_id": None,
        "acknowledgement": None,
        "monitoring": None,
        "recheck_of": None,
        "subject": subject_to_record(subject),
    }


def _now() -> int:
    return time.time_ns() // 1_000_000
