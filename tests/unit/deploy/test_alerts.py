"""Alert rules: complete, about metrics that exist, each with a runbook and with tests that promtool has passed."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from examples.promtool import promtool
from typer.main import get_command

from processors.bootstrap.processors import PROCESSORS
from processors.bootstrap.supervisor import health_ports
from processors.cli.root import app
from processors.observability import metrics
from processors.observability.metrics import CATALOGUE

FOLDER = Path(__file__).parents[3] / "deploy" / "prometheus"
TESTS = sorted(FOLDER.glob("*.test.yaml"))
RULES = [
    rule for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"] for rule in group["rules"]
]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
RUNBOOKS = (FOLDER / "RUNBOOKS.md").read_text()

every_alert = pytest.mark.parametrize("alert", ALERTS.values(), ids=list(ALERTS))


@every_alert
def test_an_alert_says_how_bad_it_is_and_what_to_do(alert: dict[str, Any]) -> None:
    """The link in the alert leads to a section that is there."""
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert alert["annotations"]["summary"]
    file, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    assert (FOLDER.parents[1] / file).read_text() == RUNBOOKS
    assert anchor == alert["alert"].lower()
    assert f"## {alert['alert']}\n" in RUNBOOKS


def test_every_runbook_is_about_an_alert() -> None:
    """A section that no alert leads to is found by nobody."""
    assert set(re.findall(r"^## (\w+)$", RUNBOOKS, re.M)) == set(ALERTS)


def exposed() -> set[str]:
    """Every name under which Prometheus may know one of ours."""
    names = {metric.exposed for metric in CATALOGUE}
    histograms = [metric.name for metric in CATALOGUE if metric.kind == "histogram"]
    return names | {f"{name}_{end}" for name in histograms for end in ("bucket", "count", "sum")}


@pytest.mark.parametrize("rule", RULES, ids=[rule.get("alert", rule.get("record")) for rule in RULES])
def test_a_rule_asks_for_metrics_that_exist(rule: dict[str, Any]) -> None:
    """A misspelled metric is an alert that never fires."""
    names = set(
        re.findall(
            r"\b(?:version_compat|compat_(?:stream|ledger|relay|gateway|security_context))_\w+|\bcompat:[\w:]+",
            rule["expr"],
        )
    )

    assert names or "up{" in rule["expr"] or "process_start_time_seconds{" in rule["expr"]
    assert names <= exposed() | RECORDED


def test_every_alert_is_tested_firing_and_quiet() -> None:
    """Against series that are given, by promtool."""
    tests = [test for file in TESTS for test in yaml.safe_load(file.read_text())["tests"]]
    cases = [
        (case["alertname"], bool(case.get("exp_alerts"))) for test in tests for case in test["alert_rule_test"]
    ]

    assert {name for name, fires in cases if fires} == set(ALERTS)
    assert {name for name, fires in cases if not fires} == set(ALERTS)


def test_promtool_passes_the_rules() -> None:
    """`promtool test rules`, with the Prometheus that will evaluate them."""
    promtool("test", "rules", *map(str, TESTS))


def test_promtool_accepts_the_configuration() -> None:
    """And the rules that it names."""
    promtool("check", "config", str(FOLDER / "prometheus.yaml"))


def test_prometheus_scrapes_every_processor_where_it_serves() -> None:
    """`run all` gives out ports in the order of the table, and the alerts go by the names of the jobs."""
    jobs = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())["scrape_configs"]
    scraped = {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs}

    assert scraped == {
        name: [f"127.0.0.1:{port}"] for name, port in health_ports([*PROCESSORS, "gateway"], 9301).items()
    }


def commands(group: Any, path: str = "") -> set[str]:
    """Every command as it is typed."""
    found: set[str] = set()
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        found |= commands(command, f"{path}{name} ") if hasattr(command, "list_commands") else {f"{path}{name}"}
    return found


def test_runbooks_name_commands_that_exist() -> None:
    """At night nobody wants to guess."""
    known = commands(get_command(app))
    mentioned = {
        " ".join(words) for words in re.findall(r"`compat-guard ([a-z-]+)(?: ([a-z-]+)\b(?!/))?", RUNBOOKS)
    }

    assert len(mentioned) > 5
    assert [
        command for command in mentioned if command.strip() not in known and command.split()[0] not in known
    ] == []


def test_the_table_of_metrics_is_what_the_code_says() -> None:
    """Made by `python -m processors.observability.metrics`."""
    assert (FOLDER / "METRICS.md").read_text() == metrics.page()


def test_every_label_says_what_bounds_it() -> None:
    """And none is named like something that an attacker or a busy day could multiply."""
    unbounded = {
        "plugin",
        "plugin_id",
        "version",
        "host",
        "tenant",
        "operator",
        "request_id",
        "exception_id",
        "key",
    }

    assert all(bound for metric in CATALOGUE for bound in metric.labels.values())
    assert [metric.name for metric in CATALOGUE if unbounded & set(metric.labels)] == []
