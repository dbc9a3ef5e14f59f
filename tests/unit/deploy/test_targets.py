"""Every way to deploy knows every processor, and shows nothing to the network that it need not."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from processors.bootstrap.processors import PROCESSORS
from processors.cli.root import every_command
from processors.contracts.access import ROLES
from processors.ledger.retention import REST

DEPLOY = Path(__file__).parents[3] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
VALUES: dict[str, Any] = yaml.safe_load((DEPLOY / "helm" / "compat-guard" / "values.yaml").read_text())
UNIT = (DEPLOY / "systemd" / "compat-guard@.service").read_text()
RETENTION = (DEPLOY / "systemd" / "compat-guard-ledger-retention.service").read_text()
TIMER = (DEPLOY / "systemd" / "compat-guard-ledger-retention.timer").read_text()


@pytest.mark.parametrize("name", PROCESSORS)
def test_a_processor_is_deployed_everywhere(name: str) -> None:
    """A new one that is missing in the chart is one that a cluster does not run."""
    assert VALUES["processors"][name]["enabled"] in (True, False)
    service = COMPOSE["services"][name]
    assert service["command"] == ["run", name]
    assert name in {role.name for role in ROLES}
    jobs = yaml.safe_load((DEPLOY / "compose" / "prometheus.yaml").read_text())["scrape_configs"]
    scraped = {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs}
    assert scraped[name] == [f"kafka:{service['environment']['GUARD_HEALTH_PORT']}"]


def test_compose_listens_on_loopback_only() -> None:
    """It is made to try things, and asks nobody who they are."""
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", ())]
    assert ports
    assert all(str(port).startswith("127.0.0.1:") for port in ports)


def test_compose_mounts_what_is_there() -> None:
    """A file that is missing would be made as an empty folder."""
    mounts = [mount for service in COMPOSE["services"].values() for mount in service.get("volumes", ())]
    paths = [mount.split(":")[0] for mount in mounts if mount.startswith(".")]
    assert len(paths) >= 7
    assert [path for path in paths if not (DEPLOY / path).exists()] == []


@pytest.mark.parametrize("name", PROCESSORS)
def test_a_container_has_no_more_rights_than_it_needs(name: str) -> None:
    """The same as in the chart."""
    service = COMPOSE["services"][name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_a_service_is_restarted_unless_a_setting_is_wrong() -> None:
    """70 asks to be started afresh; 2 would fail again, and a loop of starts hides the message."""
    assert "Restart=always" in UNIT
    assert "RestartPreventExitStatus=2" in UNIT


def test_a_stop_leaves_time_for_the_transaction() -> None:
    """A kill in between leaves the readers of its topics waiting until the transaction times out."""
    found = re.search(r"^TimeoutStopSec=(\d+)$", UNIT, re.M)
    assert found
    assert int(found[1]) > 30
    assert VALUES["terminationGracePeriodSeconds"] > 30
    assert all(COMPOSE["services"][name]["stop_grace_period"] == "45s" for name in PROCESSORS)


def test_the_timer_runs_a_command_that_there_is() -> None:
    """It has no option of its own: what is kept for how long is a setting."""
    found = re.search(r"^ExecStart=/opt/compat-guard/bin/compat-guard ([a-z ]+) (\S+)$", RETENTION, re.M)
    assert found
    dict(every_command())[found[1]].make_context(found[1], [found[2]])


def test_the_timer_runs_often_enough_to_drop_what_it_has_detached() -> None:
    """A month rests for a week in between. A machine that was off at that time runs it later."""
    assert re.search(r"^OnCalendar=Sun \d\d:\d\d$", TIMER, re.M)
    assert "Persistent=true" in TIMER
    assert timedelta(days=7) >= REST


def test_what_a_timer_runs_has_no_more_rights_than_a_processor() -> None:
    """It is given secrets as well, and may write to the folder of the months that it removed only."""
    begin = "DynamicUser=yes\n"
    sandbox = UNIT[UNIT.index(begin) : UNIT.index("\n[Install]")]
    assert sandbox.count("\n") > 12
    assert RETENTION.endswith(sandbox)
