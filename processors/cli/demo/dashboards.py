"""The demo's dashboards: Prometheus beside it, if Debian's build is available."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from processors.bootstrap.processors import PROCESSORS
from processors.bootstrap.supervisor import health_ports
from processors.cli import talk

DEPLOY = Path(__file__).parents[3] / "deploy"

_PATIENCE: Final = 60.0
"""Seconds for every processor to be scraped for the first time."""


@contextmanager
def watched(folder: Path, first_port: int) -> Generator[Mapping[str, str]]:
    """Monitor the processors that serve from `first_port` on; returns the pages to open, by title.

    None if that is impossible. Every processor was scraped when this returns, so that the first case is on the
    pages.
    """
    from processors.embedded.debian import prometheus_tools  # noqa: PLC0415 - an optional extra
    from processors.embedded.monitoring import Monitoring  # noqa: PLC0415

    tools = prometheus_tools()
    if tools is None:
        talk().print("without dashboards: there is no Prometheus on the PATH, and no apt to get Debian's with")
        yield {}
        return
    targets = {name: f"127.0.0.1:{port}" for name, port in health_ports(list(PROCESSORS), first_port).items()}
    with Monitoring(folder / "monitoring", tools, targets, DEPLOY) as monitoring:
        urls = monitoring.watched
        _await_scraped(urls.prometheus, len(targets))
        yield {
            "Requests and verdicts": urls.console("compat-guard"),
            "Exceptions": urls.console("compat-exceptions"),
            "Prometheus": urls.prometheus,
            "Alertmanager": urls.alertmanager,
        }


def _await_scraped(prometheus: str, count: int) -> None:
    """A processor that does not start is visible on the pages; the demo goes on."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        found = httpx.get(f"{prometheus}/api/v1/query", params={"query": "sum(up)"}).json()["data"]["result"]
        if found and int(found[0]["value"][1]) >= count:
            return
        time.sleep(0.5)
