"""What HTTP adds: the same questions, asked of a gateway and through Kafka, at a steady rate in one run."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import yaml

from processors.cli.demo.platform import GROUP, DemoPlatform
from processors.configuration.settings import Settings, shipped
from processors.embedded.ports import free_port
from processors.events.subject import Subject
from processors.events.topics import RESULTS
from processors.gateway.signing import make_signing_keys

from . import latency, subjects
from .ready import await_ready

RATE = 100
"""Requests a second."""

PEOPLE = 20
"""Callers, so that none of them asks more often than one may."""

AUDIENCE = "bench"


class Compared(NamedTuple):
    kafka: latency.Percentiles
    http: latency.Percentiles


def measured(settings: Settings, addresses: dict[str, str], folder: Path, seconds: float) -> Compared:
    """One checker, asked by a client of Kafka that polls, and over HTTP. `addresses` are variables of a child."""
    with (
        latency.serving("checker", settings),
        DemoPlatform(AUDIENCE, "bench") as platform,
        gateway(platform, addresses, folder) as url,
    ):
        asyncio.run(_asked(url, platform, 6.0))  # the checker knows all questions from here on
        kafka = latency.asked(settings, RESULTS, seconds, RATE)
        http = asyncio.run(_asked(url, platform, seconds))
    return Compared(kafka, latency.percentiles(http))


@contextmanager
def gateway(platform: DemoPlatform, addresses: dict[str, str], folder: Path) -> Iterator[str]:
    """One in a process of its own, that believes the platform."""
    config, port, health = folder / "config", free_port(), free_port()
    shutil.copytree(shipped("config"), config)
    issuer = {"issuer": platform.url, "audiences": [AUDIENCE], "jwks": f"{platform.url}/keys"}
    roles = {"requester": [{"claim": "groups", "any_of": [GROUP]}]}
    guard: dict[str, Any] = yaml.safe_load((config / "guard.yaml").read_text("utf-8"))
    (config / "guard.yaml").write_text(json.dumps(guard | {"gateway": {"issuers": [issuer], "roles": roles}}))
    make_signing_keys(folder / "gateway-keys.json")
    variables = {
        "GUARD_CONFIG": str(config),
        "GUARD_GATEWAY__PORT": str(port),
        "GUARD_GATEWAY__SIGNING_KEYS": str(folder / "gateway-keys.json"),
        "GUARD_HEALTH_PORT": str(health),
        "GUARD_LOG_LEVEL": "warning",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "processors.cli", "run", "gateway"], env={**os.environ, **addresses, **variables}
    )
    try:
        await_ready(f"http://127.0.0.1:{health}/readyz")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


async def _asked(url: str, platform: DemoPlatform, seconds: float) -> Sequence[float]:
    """Milliseconds of each request, from when it was due."""
    tokens = [platform.token(f"person-{n}") for n in range(PEOPLE)]
    bodies = [json.dumps(body(subjects.subject(n))).encode() for n in itertools.islice(subjects.cycling(500), 500)]
    address = f"{url}/internal/version/compat/check"
    async with httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=200), trust_env=False) as client:
        started = time.perf_counter()

        async def one(n: int) -> float:
            due = started + n / RATE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            answer = await client.post(
                address,
                content=bodies[n % len(bodies)],
                headers={
                    "Authorization": f"Bearer {tokens[n % PEOPLE]}",
                    "Content-Type": "application/json",
                    "Idempotency-Key": str(uuid.uuid4()),
                },
            )
            if answer.status_code != 200:
                raise RuntimeError(f"{answer.status_code}: {answer.text}")
            return (time.perf_counter() - due) * 1000

        return await asyncio.gather(*(one(n) for n in range(int(RATE * seconds))))


def body(asked: Subject) -> dict[str, Any]:
    """The question as a platform asks it, with the manifest as a file."""
    manifest = {
        "id": asked.manifest.id,
        "version": asked.manifest.version,
        "corex_version": asked.manifest.host_range,
        "dependencies": {"requires": [f"{need.id} {need.range}" for need in asked.manifest.requires]},
        "runtime": {need.id: need.range for need in asked.manifest.runtimes},
    }
    return {
        "manifest": {"name": "plugin.json", "content": json.dumps(manifest)},
        "host": f"{asked.host.name}@{asked.host.version}",
        "installed": [f"{plugin.id}@{plugin.version}" for plugin in asked.installed],
        "runtimes": [f"{runtime.id}@{runtime.version}" for runtime in asked.runtimes],
    }
