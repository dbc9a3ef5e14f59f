"""Case C-1 of the demo from a platform's point of view: a request over HTTP, and events from the relay."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any, Final

import httpx
from rich.console import Console
from rich.rule import Rule

from processors.cli.demo.platform import AUDIT, NOTIFY, DemoPlatform
from processors.cli.demo.scenes import C1, PLUGINS

CHECK: Final = "/internal/version/compat/check"

_PATIENCE: Final = 60.0
"""Seconds for gateway and relay to start, and to deliver."""

TOLD: Final = ("plugin.compat.notification", "plugin.compat.blocked")
"""Types of the events that follow a block, at the two addresses of the platform."""


def play(platform: DemoPlatform, gateway: str, digest: str) -> list[str]:
    """Ask, and wait until the platform gets the events. `digest` is that of the report that came through Kafka."""
    return list(_acts(platform, gateway, digest))


def _acts(platform: DemoPlatform, gateway: str, digest: str) -> Generator[str]:
    console = Console(soft_wrap=True, emoji=False)
    console.print(Rule("[bold]Case C-1 over HTTP: a platform asks, and is told[/]", align="left"))
    console.print(f"[dim]POST {gateway}{CHECK}[/]", highlight=False)
    answer = _asked(platform, gateway)
    if answer.status_code != 200:
        yield f"C-1 over HTTP: status {answer.status_code}, expected 200: {answer.text}"
        return
    result: dict[str, Any] = answer.json()
    console.print(f"{answer.status_code} {result['verdict']}  {result['report']['summary']}", highlight=False)
    if result["report_digest"] != digest:
        yield "C-1 over HTTP: the report is another one than through Kafka"
    if not _eventually(lambda: {event["type"] for event in platform.told_of(result["request_id"])} >= {*TOLD}):
        yield f"C-1 over HTTP: the platform was not told within {_PATIENCE:g} s"
    for event in platform.told_of(result["request_id"]):
        path = AUDIT if event["type"] == TOLD[1] else NOTIFY
        console.print(f"[dim]POST {platform.url}{path}[/]  {event['type']} {event['id']}", highlight=False)
    console.print()


def _asked(platform: DemoPlatform, gateway: str) -> httpx.Response:
    """As a careful platform does it: the same question under the same key, until there is an answer."""
    until, manifest = time.monotonic() + _PATIENCE, PLUGINS / C1.manifest
    while True:
        try:
            answer = httpx.post(
                gateway + CHECK,
                headers={"Authorization": f"Bearer {platform.token()}", "Idempotency-Key": "demo-c-1"},
                files={"manifest": (manifest.name, manifest.read_bytes())},
                data={"host": C1.host, "installed": [*C1.installed], "runtime": [*C1.runtimes]},
                timeout=_PATIENCE,
                trust_env=False,
            )
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
        else:
            if answer.status_code not in (202, 503) or time.monotonic() > until:
                return answer
        time.sleep(0.5)


def _eventually(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + _PATIENCE
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True
