"""Both dashboards against the real Prometheus, after a real load."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from examples.ground import eventually
from examples.installation import DEPLOY
from examples.load import requests
from examples.observed import Observed

from processors.observability import metrics

pytestmark = pytest.mark.stack


def expressions() -> Iterator[Any]:
    """Every expression of the files that are deployed."""
    for path in sorted((DEPLOY / "grafana").glob("*.json")):
        for panel in json.loads(path.read_text("utf-8"))["panels"]:
            for target in panel.get("targets", ()):
                expr = target["expr"].replace("$__rate_interval", "60s")
                yield pytest.param(expr, id=f"{path.stem}: {panel['title']} {target['refId']}")


@pytest.mark.parametrize("expr", list(expressions()))
def test_every_panel_has_something_to_show(observed: Observed, expr: str) -> None:
    """A panel that is empty after a load is empty when somebody needs it."""
    eventually(lambda: observed.values(expr))


def test_a_burst_leaves_no_unbounded_label(observed: Observed) -> None:
    """10,000 requests of as many plugins, hosts, tenants and operators: not one series more."""
    ours = '{__name__=~"(version_compat|compat)_.*"}'
    eventually(lambda: observed.value("min(up)") == 1)
    before = observed.value(f"count({ours})")
    answered = observed.value("sum(version_compat_check_total)")

    requests(observed.installation.of, 10_000)
    eventually(lambda: observed.value("sum(version_compat_check_total)") >= answered + 10_000, 120)

    assert observed.value(f"count({ours})") <= before + 5  # a topic or a reason that was not there before
    labels = {value for series, _ in observed.values(ours) for value in series.values()}
    assert [value for value in labels if re.search(r"com\.acme|operator-|tenant-|[0-9a-f]{8}-", value)] == []


@pytest.mark.parametrize("name", ["compat-guard", "compat-exceptions"])
def test_a_console_draws_every_panel_in_a_browser(observed: Observed, name: str) -> None:
    """Served by Prometheus as a template, run by Chromium: no panel fails, and none is empty."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("there is no Chromium on the PATH")
    url = f"{observed.urls.console(name)}?range=300"
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--dump-dom")
    page = subprocess.run([chromium, *options, url], capture_output=True, text=True, check=True, timeout=120).stdout

    assert 'data-drawn="yes"' in page
    assert re.findall(r'class="none[^"]*">([^<]*)', page) == []
    assert page.count("<svg") > 4
    assert "{{" not in page


def test_every_metric_that_is_served_is_in_the_catalogue(observed: Observed) -> None:
    """And is explained there."""
    known = {metric.exposed for metric in metrics.CATALOGUE}
    known |= {
        f"{m.name}_{end}" for m in metrics.CATALOGUE if m.kind == "histogram" for end in ("bucket", "count", "sum")
    }
    served = {series["__name__"] for series, _ in observed.values('{__name__=~"(version_compat|compat)_.*"}')}

    assert served - known == set()
    assert {"version_compat_check_total", "version_compat_matrix_staleness_hours"} <= served
