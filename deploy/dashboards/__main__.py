"""Writes every dashboard: `python -m deploy.dashboards`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from deploy.dashboards.consoles import console
from deploy.dashboards.grafana import grafana
from deploy.dashboards.panels import DASHBOARDS

DEPLOY = Path(__file__).parents[1]


def files() -> Iterator[tuple[Path, str]]:
    """Every file that is made, with its content."""
    for dashboard in DASHBOARDS:
        yield DEPLOY / "grafana" / f"{dashboard.uid}.json", grafana(dashboard)
        yield DEPLOY / "prometheus" / "consoles" / f"{dashboard.uid}.html", console(dashboard, DASHBOARDS)


if __name__ == "__main__":
    for path, content in files():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
