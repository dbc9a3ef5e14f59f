"""What people see who watch an installation: dashboards after a load, alerts with clocks that run fast, logs.

One file, so that one installation serves: it takes as long to come up as most of these tests.
"""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from examples.consoles import CHROMIUM, NO_CHROMIUM
from examples.ground import eventually
from examples.installation import DEPLOY
from examples.load import PLUGINS, requests
from examples.observed import Observed
from sqlalchemy import make_url

from processors.bootstrap.clients import codec, stream_settings
from processors.events.topics import NOTIFICATIONS
from processors.ledger.keys import read_keys
from processors.observability import metrics
from processors.stream.io.follow import Follower

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

VENDOR = """\
source: vendor-fast
revision: "{revision}"
expires_after: {life}
hosts:
  corex: {{dialect: npm, releases: ["1.9.0"]}}
"""


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


@pytest.mark.parametrize("name", ["compat-guard", "compat-exceptions"])
def test_a_console_draws_every_panel_in_a_browser(observed: Observed, name: str) -> None:
    """Served by Prometheus as a template, run by Chromium: no panel fails, and none is empty."""
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    url = f"{observed.urls.console(name)}?range=300"
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--dump-dom")
    page = subprocess.run([CHROMIUM, *options, url], capture_output=True, text=True, check=True, timeout=120).stdout

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


def publish(at: Observed, revision: str, life: str, age: timedelta) -> None:
    """As if it had been published that long ago."""
    file = at.installation.folder / "vendor-fast.yaml"
    file.write_text(VENDOR.format(revision=revision, life=life))
    issued = (datetime.now(UTC) - age).isoformat(timespec="seconds").replace("+00:00", "Z")
    at.installation.run("matrix", "publish", str(file), "--issued-at", issued)


def notifications(at: Observed, about: str) -> list[str]:
    """Kinds of all notifications that name it, in order."""
    follower = Follower(stream_settings(at.installation.of), "test")
    follower.from_beginning([NOTIFICATIONS])
    with codec(at.installation.of) as events:
        read = events.decoder(NOTIFICATIONS, "NotificationRequested")
        told = [read(record.value) for record in follower.read()]
    follower.close()
    return [n["kind"] for n in sorted(told, key=lambda n: n["at"]) if about in n["subject"]]


def kinds_in_ledger(at: Observed, text: str) -> set[str]:
    """Kinds of events in the ledger whose masked payload holds a text."""
    url = make_url(at.installation.of.postgres.url.get_secret_value()).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        query = "SELECT DISTINCT kind FROM ledger.ledger_events WHERE payload::text LIKE %s"
        return {kind for (kind,) in connection.execute(query, (f"%{text}%",))}


def ask(at: Observed, *codes: int) -> Any:
    return at.installation.json(
        "request", "--manifest", str(PLUGINS / "audit-log-4.0.1.yaml"), "--host", "corex@1.9.0",
        "--installed", "com.powerx.plugins.crm@0.6.0", "--runtime", "go@1.22", code=codes,
    )  # fmt: skip


def codes(report: Any) -> set[str]:
    return {finding["code"] for finding in report["findings"]}


def test_a_matrix_that_is_not_refreshed_is_noticed_before_it_blocks(observed: Observed) -> None:
    """Warning, alert, block, recovery: each once, also across a restart of everything that watches."""
    about, on_call = {"source": "vendor-fast"}, observed.on_call
    publish(observed, "1", "10m", timedelta(minutes=8, seconds=5))  # ageing, for two minutes

    assert "MATRIX_EXPIRED" not in codes(ask(observed, 0))
    eventually(lambda: on_call.heard("MatrixAgeing", **about) == ["firing"], 50)
    assert on_call.heard("MatrixExpired", **about) == []
    eventually(lambda: notifications(observed, "vendor-fast") == ["matrix_ageing"])
    (standing,) = (s for s in observed.installation.json("matrix", "status") if s["source"] == "vendor-fast")
    assert standing["level"] == "AGEING"

    publish(observed, "2", "200s", timedelta(seconds=180))  # as if most of the two minutes were over
    eventually(lambda: on_call.heard("MatrixExpired", **about) == ["firing"], 90)
    assert "MATRIX_EXPIRED" in codes(ask(observed, 1))
    observed.installation.run("matrix", "status", code=1)
    eventually(lambda: notifications(observed, "vendor-fast") == ["matrix_ageing", "matrix_expired"])

    publish(observed, "3", "24h", timedelta())
    eventually(lambda: "MATRIX_EXPIRED" not in codes(ask(observed, 0, 1)))
    eventually(lambda: on_call.heard("MatrixExpired", **about) == ["firing", "resolved"], 90)
    eventually(lambda: notifications(observed, "vendor-fast")[2:] == ["matrix_fresh"])
    observed.installation.restart("staleness")
    time.sleep(5)  # several ticks of the monitor, and of its successor, in which it must not repeat itself

    assert notifications(observed, "vendor-fast") == ["matrix_ageing", "matrix_expired", "matrix_fresh"]
    assert on_call.heard("MatrixAgeing", **about)[0] == "firing"
    assert on_call.heard("MatrixExpired", **about) == ["firing", "resolved"]


def test_the_guard_is_switched_off_and_on_without_a_restart(observed: Observed) -> None:
    """Off is told to whoever asks, to the person on call, and to the ledger."""
    file = observed.installation.config / "guard.yaml"
    shipped = file.read_text()
    file.write_text(shipped.replace("plugin-compat-guard: true", "plugin-compat-guard: false"))
    try:
        eventually(lambda: codes(ask(observed, 0)) == {"GUARD_OFF"})
        eventually(lambda: "firing" in observed.on_call.heard("GuardOff"))
        eventually(lambda: observed.value("sum(version_compat_unguarded_total)") >= 1)
        eventually(lambda: "CompatibilityChecked" in kinds_in_ledger(observed, "GUARD_OFF"))
    finally:
        file.write_text(shipped)

    eventually(lambda: "GUARD_OFF" not in codes(ask(observed, 0)))


def test_alertmanager_tells_of_dead_letters(observed: Observed) -> None:
    """The load holds a record that is no request."""
    where = {"processor": "checker", "reason": "unreadable"}
    eventually(lambda: "firing" in observed.on_call.heard("DeadLetters", **where), 60)
    told = [alert for delivery in observed.on_call.deliveries for alert in delivery["alerts"]]

    links = {alert["annotations"]["runbook_url"] for alert in told if alert["labels"]["alertname"] == "DeadLetters"}
    assert links == {"deploy/prometheus/RUNBOOKS.md#deadletters"}


def test_no_processor_that_runs_is_missing(observed: Observed) -> None:
    """Each is known by the name under which it serves; before its first scrape it was missing for a moment."""
    served = {series["processor"] for series, _ in observed.values("compat_stream_beat_timestamp_seconds")}

    assert {"checker", "exception-workflow", "ledger"} <= served
    eventually(lambda: observed.values('ALERTS{alertname="ProcessorMissing"}') == [], 60)


def test_logs_of_the_whole_run_hold_nobody_and_tell_enough(observed: Observed) -> None:
    """Operators are pseudonyms, as in the ledger; plugin version, host, band and trace can be searched for."""
    lines = observed.installation.lines()
    answers = [line for line in lines if line["message"] == "request answered"]

    assert answers
    wanted = {"plugin_version", "host.name", "host.version", "dependencies", "band", "request_id", "trace.id"}
    assert wanted <= set(answers[0])
    current = read_keys(observed.installation.folder / "keys.json").pseudonyms.current
    assert all(line["operator"].startswith(f"{current}:") for line in answers if line["operator"])
    assert "@example.com" not in observed.installation.log.read_text("utf-8")
    assert any(line["message"].startswith("exception approved") and line["approval_id"] for line in lines)


def test_sync_publishes_what_changed_and_nothing_else(observed: Observed) -> None:
    """The same command twice changes nothing; another revision is published, and is in effect."""
    at = observed.installation
    file, settings = at.config / "compat_matrix.yaml", at.config / "guard.yaml"
    sources = "sync:\n  sources: [{name: governance, file: compat_matrix.yaml}]\n"
    settings.write_text(re.sub(r"^sync:\n(  .*\n)+", sources, settings.read_text(), flags=re.M))

    def sync(*more: str) -> list[str]:
        return [line["step"] for line in at.json("matrix", "sync", "--cache", str(at.folder / "cache"), *more)]

    assert sync() == ["unchanged"]
    file.write_text(re.sub(r"^revision: .*$", 'revision: "synchronised"', file.read_text(), flags=re.M))
    assert sync("--dry-run") == ["changed"]
    assert sync() == ["changed"]
    assert sync() == ["unchanged"]
    (standing,) = (s for s in at.json("matrix", "status") if s["source"] == "governance")
    assert standing["revision"] == "synchronised"


def settled(observed: Observed, expr: str) -> float:
    """The value of an expression, once it has been the same for five seconds."""
    seen: list[float] = []

    def is_settled() -> bool:
        time.sleep(1)
        seen.append(observed.value(expr))
        return len(seen) > 5 and len({*seen[-6:]}) == 1

    eventually(is_settled, 120)
    return seen[-1]


def test_a_burst_leaves_no_unbounded_label(observed: Observed) -> None:
    """10,000 requests of as many plugins, hosts, tenants and operators: not one series more."""
    ours = '{__name__=~"(version_compat|compat)_.*"}'
    eventually(lambda: observed.value("min(up)") == 1)
    answered = observed.value("sum(version_compat_check_total)")
    requests(observed.installation.of, 100)  # a process that handles its first batch has some series more
    eventually(lambda: observed.value("sum(version_compat_check_total)") >= answered + 100, 120)
    before = settled(observed, f"count({ours})")
    answered = observed.value("sum(version_compat_check_total)")

    requests(observed.installation.of, 10_000)
    eventually(lambda: observed.value("sum(version_compat_check_total)") >= answered + 10_000, 120)

    assert observed.value(f"count({ours})") <= before + 5  # a topic or a reason that was not there before
    labels = {value for series, _ in observed.values(ours) for value in series.values()}
    assert [value for value in labels if re.search(r"com\.acme|operator-|tenant-|[0-9a-f]{8}-", value)] == []
