"""The alert rules that the chart renders: those of deploy/, and one for each processor that may be missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from examples.charts import ROOT, of_kind, rendered
from examples.promtool import promtool

FILE = ROOT / "deploy" / "prometheus" / "alerts.yaml"
OPTIONAL = tuple(f"processors.{name}.enabled=true" for name in ("relay", "security-context", "gateway"))


def rules(*values: str) -> dict[str, Any]:
    found = rendered("prometheusRule.enabled=true", *values)
    return of_kind(found, "PrometheusRule")["compat-guard"]["spec"]


def watched(spec: dict[str, Any]) -> list[str]:
    (group,) = [group for group in spec["groups"] if group["name"] == "compat-guard-missing"]
    assert {rule["alert"] for rule in group["rules"]} <= {"ProcessorMissing"}
    return [rule["labels"]["processor"] for rule in group["rules"]]


def test_the_rules_of_an_installation_as_it_comes_are_those_of_the_file() -> None:
    assert rules() == yaml.safe_load(FILE.read_text())


def test_what_is_not_run_is_not_missed() -> None:
    """Some installations have no ledger; the alert would never end."""
    assert watched(rules("processors.ledger.enabled=false")) == ["checker", "exception-workflow"]
    assert watched(rules(*OPTIONAL)) == [
        "checker", "exception-workflow", "gateway", "ledger", "relay", "security-context"
    ]  # fmt: skip


def test_each_processor_that_is_run_is_missed_when_it_is_gone_and_not_before(tmp_path: Path) -> None:
    """By the names under which each serves its metrics: loops of the relay are called after its targets."""
    spec = rules(*OPTIONAL)
    names = watched(spec)
    called = {name: f"{name}-platform" if name == "relay" else name for name in names}
    beat = "compat_stream_beat_timestamp_seconds"
    ends = [f'{beat}{{processor="{called[name]}",job="{name}"}}' for name in names]
    ends += [f'up{{job="{name}"}}' for name in names]
    series = [{"series": one, "values": "1x10 stale"} for one in ends]
    series += [{"series": 'up{job="something-else"}', "values": "1x60"}]
    alerts = [
        {
            "exp_labels": {"severity": "critical", "processor": name} | ({"job": name} if name == "relay" else {}),
            "exp_annotations": {
                "summary": f"no replica of {name} is there",
                "runbook_url": "deploy/prometheus/RUNBOOKS.md#processormissing",
            },
        }
        for name in names
    ]
    cases = [
        {"eval_time": "10m", "alertname": "ProcessorMissing"},
        {"eval_time": "20m", "alertname": "ProcessorMissing", "exp_alerts": alerts},
        {"eval_time": "60m", "alertname": "ProcessorMissing", "exp_alerts": alerts},
    ]
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(spec))
    test = {"interval": "1m", "input_series": series, "alert_rule_test": cases}
    content = {"rule_files": ["alerts.yaml"], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "missing.test.yaml").write_text(yaml.safe_dump(content))

    promtool("check", "rules", str(tmp_path / "alerts.yaml"))
    promtool("test", "rules", str(tmp_path / "missing.test.yaml"))
