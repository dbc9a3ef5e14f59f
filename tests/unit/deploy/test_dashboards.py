"""The dashboards' files: made from the one list of panels, about metrics that exist."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.dashboards.__main__ import files
from deploy.dashboards.panels import DASHBOARDS, Panel
from processors.observability.metrics import CATALOGUE

PANELS = [panel for dashboard in DASHBOARDS for row in dashboard.rows for panel in row.panels]
RECORDED = {"compat:block_ratio:rate5m", "compat:block_ratio:usual"}


@pytest.mark.parametrize(("path", "content"), list(files()), ids=lambda value: getattr(value, "name", ""))
def test_a_file_is_what_the_code_makes(path: object, content: str) -> None:
    """Written by `python -m deploy.dashboards`; nobody edits them by hand."""
    assert path.read_text("utf-8") == content  # type: ignore[attr-defined]


@pytest.mark.parametrize("panel", PANELS, ids=[panel.title for panel in PANELS])
def test_a_panel_asks_for_metrics_that_exist(panel: Panel) -> None:
    """And says what a bad answer looks like."""
    known = {metric.exposed for metric in CATALOGUE} | {f"{metric.name}_bucket" for metric in CATALOGUE} | RECORDED
    for query in panel.queries:
        names = set(re.findall(r"\b(?:version_compat|compat_stream|compat_ledger)_\w+|\bcompat:[\w:]+", query.expr))
        assert names
        assert names <= known
    assert panel.description.endswith(".")


def test_every_metric_that_the_guard_is_judged_by_is_on_a_dashboard() -> None:
    """What nobody sees nobody needs."""
    shown = " ".join(query.expr for panel in PANELS for query in panel.queries)
    judged = {metric.exposed for metric in CATALOGUE if metric.name.startswith("version_compat_exception")}

    assert {
        name for name in ("version_compat_check_total", "version_compat_block_total") if name not in shown
    } == set()
    assert {name for name in judged if name not in shown} == set()


def test_a_grafana_dashboard_is_json() -> None:
    for path, content in files():
        if path.suffix == ".json":
            assert json.loads(content)["panels"]


CONSOLES = [path for path, _ in files() if path.suffix == ".html"]


@pytest.mark.parametrize("path", [*CONSOLES, CONSOLES[0].with_name("compat.lib")], ids=lambda path: path.name)
def test_a_console_is_a_page_without_strangers(path: Path) -> None:
    """It runs where Prometheus runs: nothing is fetched from anywhere else, and its script can be read."""
    content = path.read_text("utf-8")
    node = shutil.which("node")

    assert re.findall(r"(?:src|href)=\"?https?://", content) == []
    (script,) = re.findall(r"<script>(.*?)</script>", content, re.S)
    if node:
        subprocess.run([node, "--check", "-"], input=script, text=True, check=True, capture_output=True)
