"""The chart's jobs: topics as configured, before everything else; and months that leave the ledger."""

from __future__ import annotations

import json
from typing import Any

import pytest
from examples.charts import environment, of_kind, pod_of, rendered, template
from typer.testing import CliRunner

from processors.cli.root import app
from processors.configuration.settings import Settings, settings_from

TOPICS = "migrations.topics.enabled=true"
FILES = {"topics.yaml": "topics: []\n", "guard.yaml": "version: 1\n"}
INLINE = f"config={json.dumps(FILES)}"
RETENTION = ("ledger.retention.schedule=17 3 2 * *", "ledger.retention.existingClaim=archive")


def configured(of: dict[str, Any]) -> str | None:
    """The config map that stands where GUARD_CONFIG points to."""
    (container,) = pod_of(of)["spec"]["containers"]
    folder = environment(of).get("GUARD_CONFIG")
    names = [mount["name"] for mount in container["volumeMounts"] if mount["mountPath"] == folder]
    maps = {volume["name"]: volume.get("configMap") for volume in pod_of(of)["spec"]["volumes"]}
    return maps[names[0]]["name"] if names else None


def test_the_job_applies_the_topics_of_the_values() -> None:
    """On a first installation the release's config map does not exist yet; on an upgrade it has the old topics."""
    objects = rendered(TOPICS, INLINE)
    job = of_kind(objects, "Job")["compat-guard-migrate-topics"]
    maps = of_kind(objects, "ConfigMap")
    copy, own = maps[configured(job) or ""], maps["compat-guard-config"]
    of_job, of_copy = job["metadata"]["annotations"], copy["metadata"]["annotations"]

    assert copy["data"] == own["data"] == FILES
    assert "annotations" not in own["metadata"]  # a hook is no part of the release, and would be gone with it
    assert of_copy["helm.sh/hook"] == of_job["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert int(of_copy["helm.sh/hook-weight"]) < int(of_job["helm.sh/hook-weight"])
    assert "before-hook-creation" in of_copy["helm.sh/hook-delete-policy"]


@pytest.mark.parametrize(
    ("values", "job", "processors"),
    [
        ((), None, None),
        (("existingConfigMap=ours",), "ours", "ours"),
        ((INLINE,), "compat-guard-migrate-topics", "compat-guard-config"),
        ((INLINE, "existingConfigMap=ours"), "compat-guard-migrate-topics", "compat-guard-config"),
    ],
    ids=["the image's", "one that exists", "inline", "both"],
)
def test_the_job_reads_what_the_processors_read(
    values: tuple[str, ...], job: str | None, processors: str | None
) -> None:
    """Else it would set the retention of topics to that of another file at each upgrade."""
    objects = rendered(TOPICS, *values)

    assert configured(of_kind(objects, "Job")["compat-guard-migrate-topics"]) == job
    assert {configured(found) for found in of_kind(objects, "StatefulSet").values()} == {processors}
    hooks = [one for one in of_kind(objects, "ConfigMap").values() if "annotations" in one["metadata"]]
    assert len(hooks) == (1 if job == "compat-guard-migrate-topics" else 0)


def test_a_job_runs_a_command_that_there_is() -> None:
    """With the options that it is given: `--help` behind them is shown only where all of them are known."""
    found = [one for one in rendered(TOPICS, *RETENTION) if one["kind"] in ("Job", "CronJob")]
    assert len(found) == 3
    for one in found:
        (container,) = pod_of(one)["spec"]["containers"]
        assert CliRunner().invoke(app, [*container["args"], "--help"]).exit_code == 0, container["args"]


def test_months_leave_the_ledger_only_on_a_schedule_that_somebody_has_set() -> None:
    """Exported to a volume that is there, one run at a time, with logins of its own."""
    assert not of_kind(rendered(), "CronJob")
    job = of_kind(rendered(*RETENTION, "ledger.retention.days=500"), "CronJob")["compat-guard-ledger-retention"]
    given = {name: value for name, value in environment(job).items() if isinstance(value, str)}
    read = settings_from({name: value for name, value in given.items() if not name.endswith("_FILE")})
    volumes = {one["name"]: one for one in pod_of(job)["spec"]["volumes"]}
    mounts = {one["name"]: one["mountPath"] for one in pod_of(job)["spec"]["containers"][0]["volumeMounts"]}

    assert job["spec"]["schedule"] == "17 3 2 * *"
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert read.ledger.retention_days == 500
    assert str(read.ledger.keys).startswith(mounts["ledger-keys"])
    assert volumes["archive"]["persistentVolumeClaim"]["claimName"] == "archive"
    assert mounts["archive"] in pod_of(job)["spec"]["containers"][0]["args"]
    assert volumes["kafka"]["secret"]["secretName"] == "compat-guard-ledger-retention"
    assert volumes["postgres"]["secret"]["secretName"] == "compat-guard-ledger-retention-postgres"


def test_retention_keeps_months_as_long_as_the_guard_does_by_default() -> None:
    job = of_kind(rendered(*RETENTION), "CronJob")["compat-guard-ledger-retention"]
    assert environment(job)["GUARD_LEDGER__RETENTION_DAYS"] == str(Settings().ledger.retention_days)


def test_a_schedule_without_a_volume_is_refused() -> None:
    """Months would be exported into a container that ends."""
    done = template(RETENTION[0])
    assert done.returncode != 0
    assert "ledger.retention.existingClaim" in done.stderr
