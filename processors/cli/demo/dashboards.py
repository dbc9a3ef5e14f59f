"""The demo's dashboards: Prometheus beside it, where Debian's build of it can be had."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from processors.bootstrap.processors import PROCESSORS
from processors.bootstrap.supervisor import health_ports
from processors.cli import talk

DEPLOY = Path(__file__).parents[3] / "deploy"


@contextmanager
def watched(folder: Path, first_port: int) -> Generator[Sequence[str]]:
    """Watch the processors that serve from `first_port` on; gives the pages to open, none where it cannot be."""
    from processors.embedded.debian import prometheus_tools  # noqa: PLC0415 - an optional extra
    from processors.embedded.monitoring import Monitoring  # noqa: PLC0415

    tools = prometheus_tools()
    if tools is None:
        talk().print("without dashboards: there is no Prometheus on the PATH, and no apt to get Debian's with")
        yield ()
        return
    targets = {name: f"127.0.0.1:{port}" for name, port in health_ports(list(PROCESSORS), first_port).items()}
    with Monitoring(folder / "monitoring", tools, targets, DEPLOY) as monitoring:
        urls = monitoring.watched
        yield (urls.console("compat-guard"), urls.console("compat-exceptions"))
