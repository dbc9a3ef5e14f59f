"""The Helm chart: what it renders is valid, and each switch does what it says."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from examples.charts import CHART, ROOT, release_tools, rendered, template

EVERYTHING = (
    "keda.enabled=true", "keda.existingSecret=lag", "podMonitor.enabled=true", "prometheusRule.enabled=true",
    "dashboards.enabled=true", "migrations.topics.enabled=true", "kafka.ca.existingSecret=ca",
    "registry.existingSecret=registry", "registry.ca.existingSecret=ca",
    'config={"guard.yaml": "version: 1\\n"}', "imagePullSecrets[0].name=pull", "image.digest=sha256:00",
)  # fmt: skip
SWITCHES = {
    "nothing more": (),
    "everything": EVERYTHING,
    "no network policy": ("networkPolicy.enabled=false",),
    "no disruption budget": ("podDisruptionBudget.enabled=false",),
    "no migration": ("migrations.ledger.enabled=false",),
    "topics applied by a hook": ("migrations.topics.enabled=true",),
    "scaled by lag": ("keda.enabled=true", "keda.existingSecret=lag"),
    "scaled by lag, without a secret": ("keda.enabled=true",),
    "alerts": ("prometheusRule.enabled=true",),
    "scraped": ("podMonitor.enabled=true",),
    "dashboards": ("dashboards.enabled=true",),
    "mutual TLS": ("kafka.security=SSL", "keda.enabled=true", "keda.existingSecret=lag"),
    "OAUTHBEARER": ("kafka.mechanism=OAUTHBEARER", "kafka.tokenUrl=https://idp/token", "kafka.scope=kafka"),
    "plaintext": ("kafka.security=PLAINTEXT", "kafka.allowPlaintext=true"),
    "own service account": ("serviceAccount.create=false", "serviceAccount.name=ours"),
    "configuration of one's own": ("existingConfigMap=ours",),
    "a gateway": ("processors.gateway.enabled=true",),
    "a platform that is asked": ("processors.security-context.enabled=true",),
}
CUSTOM = {"ScaledObject", "TriggerAuthentication", "PodMonitor", "PrometheusRule"}

EVALUATE_CUSTOM = """
import sys, yaml
from cloudcoil.models.keda import v1alpha1
from cloudcoil.models.prometheus_operator import v1
for document in yaml.load_all(open(sys.argv[1]), yaml.CSafeLoader):
    models = v1alpha1 if document["apiVersion"].startswith("keda") else v1
    getattr(models, document["kind"]).model_validate(document, extra="forbid")
"""


def write(file: Path, objects: list[dict[str, Any]]) -> Path:
    file.write_text(yaml.dump_all(objects, Dumper=yaml.CSafeDumper))
    return file


def of_kind(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {found["metadata"]["name"]: found for found in objects if found["kind"] == kind}


def environment(of: dict[str, Any]) -> dict[str, Any]:
    (container,) = of["spec"]["template"]["spec"]["containers"]
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container["env"]}


def test_what_the_chart_renders_is_valid_with_and_without_each_switch(tmp_path: Path) -> None:
    """Strictly: a key that Kubernetes does not know is a mistake, not something to be ignored."""
    different = {json.dumps(found, sort_keys=True): found for of in SWITCHES.values() for found in rendered(*of)}
    known = [found for found in different.values() if found["kind"] not in CUSTOM]
    for found in known:
        if found["kind"] == "ConfigMap":  # a dashboard is 40 kB of text, and to Kubernetes one string
            found["data"] = {file: text[:80] for file, text in found["data"].items()}
    file = write(tmp_path / "known.yaml", known)
    command = [release_tools() / "kubernetes-validate", "--strict", "--quiet", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_operators_read_fits_their_own_definitions(tmp_path: Path) -> None:
    """KEDA and the Prometheus operator come with models of what they read; nothing beyond those is written."""
    objects = [found for found in rendered(*EVERYTHING) if found["kind"] in CUSTOM]
    file = write(tmp_path / "custom.yaml", objects)
    command = [release_tools() / "python", "-c", EVALUATE_CUSTOM, file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert {found["kind"] for found in objects} == CUSTOM


def test_an_operator_that_is_not_there_is_not_needed() -> None:
    """Without switches there is nothing that needs a definition from outside Kubernetes."""
    assert {found["apiVersion"] for found in rendered()} == {
        "v1", "apps/v1", "batch/v1", "networking.k8s.io/v1", "policy/v1"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("switch", "kind"),
    [
        ("networkPolicy.enabled=false", "NetworkPolicy"),
        ("podDisruptionBudget.enabled=false", "PodDisruptionBudget"),
        ("migrations.ledger.enabled=false", "Job"),
        ("serviceAccount.create=false", "ServiceAccount"),
    ],
)
def test_what_is_switched_off_is_gone(switch: str, kind: str) -> None:
    """And nothing else goes with it."""
    before, after = (Counter(found["kind"] for found in rendered(*values)) for values in ((), (switch,)))
    assert before[kind] > 0
    assert before - after == {kind: before[kind]}


def test_each_replica_has_an_ordinal_that_outlives_it() -> None:
    """The ordinal makes the transactional id, by which a new pod fences off its predecessor."""
    for found in of_kind(rendered(), "StatefulSet").values():
        path = environment(found)["GUARD_ORDINAL"]["fieldRef"]["fieldPath"]
        assert path == "metadata.labels['apps.kubernetes.io/pod-index']"


def test_no_container_has_more_rights_than_it_needs() -> None:
    """Also not the jobs: no root, no writable root file system, no capabilities, no token of the cluster."""
    objects = rendered("migrations.topics.enabled=true")
    pods = [found["spec"]["template"]["spec"] for found in objects if found["kind"] in ("StatefulSet", "Job")]
    assert len(pods) >= 6
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"]
        assert not pod["automountServiceAccountToken"]
        assert not pod["enableServiceLinks"]
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_no_secret_is_rendered() -> None:
    """Secrets are named, and mounted as files; a release in the cluster's store has none of them."""
    objects = rendered(*EVERYTHING)
    assert not of_kind(objects, "Secret")
    for found in of_kind(objects, "StatefulSet").values():
        assert environment(found)["GUARD_KAFKA__PASSWORD_FILE"] == "/etc/compat-guard/kafka/password"
        assert not {"GUARD_KAFKA__PASSWORD", "GUARD_POSTGRES__URL"} & set(environment(found))


def test_each_processor_is_a_principal_of_its_own() -> None:
    """What one of them leaks gives nobody the rights of another."""
    names = [
        volume["secret"]["secretName"]
        for found in of_kind(rendered(), "StatefulSet").values()
        for volume in found["spec"]["template"]["spec"]["volumes"]
        if volume["name"] == "kafka"
    ]
    assert len(names) == len(set(names)) >= 4


def test_a_replica_count_that_lag_decides_is_not_stated_twice() -> None:
    """Else each upgrade would set it back."""
    for name, found in of_kind(rendered("keda.enabled=true"), "StatefulSet").items():
        assert ("replicas" in found["spec"]) == (name == "compat-guard-staleness"), name


def test_values_of_ones_own_reach_every_processor_and_only_the_one_named() -> None:
    """`extraEnv` and the like exist at the top and at each processor; both are used."""
    settings = ("extraEnv[0].name=A", "extraEnv[0].value=1", "extraContainers[0].name=sidecar",
                "extraContainers[0].image=sidecar:1", "processors.ledger.extraEnv[0].name=B",
                "processors.ledger.extraEnv[0].value=2")  # fmt: skip
    sets = of_kind(rendered(*settings), "StatefulSet")
    for name, found in sets.items():
        containers = {c["name"]: c for c in found["spec"]["template"]["spec"]["containers"]}
        names = {entry["name"] for c in containers.values() for entry in c.get("env", ())}
        assert "sidecar" in containers
        assert "A" in names
        assert ("B" in names) == (name == "compat-guard-ledger")


def test_a_gateway_has_an_address_with_tls_of_its_own_and_only_who_may_reaches_it() -> None:
    """Its callers never meet the port of health and metrics, nor those who scrape the one of its callers."""
    who = "networkPolicy.gatewayFrom[0].namespaceSelector.matchLabels.name=platforms"
    objects = rendered("processors.gateway.enabled=true", who)
    service = of_kind(objects, "Service")["compat-guard-gateway-http"]["spec"]
    given = of_kind(objects, "StatefulSet")["compat-guard-gateway"]
    (rule,) = of_kind(objects, "NetworkPolicy")["compat-guard-gateway"]["spec"]["ingress"]

    assert service["ports"] == [{"name": "https", "port": 443, "targetPort": "http"}]
    assert service["sessionAffinity"] == "ClientIP"  # who logged in at one replica is unknown to the others
    assert environment(given)["GUARD_GATEWAY__CERTIFICATE"] == "/etc/compat-guard/tls/tls.crt"
    assert rule["ports"] == [{"port": "http", "protocol": "TCP"}]
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"name": "platforms"}}}]


def test_whoever_asks_a_platform_has_a_key_to_sign_with() -> None:
    """And nobody else has it."""
    sets = of_kind(rendered("processors.security-context.enabled=true"), "StatefulSet")
    names = {name for name, found in sets.items() if "GUARD_SIGNING__KEY_FILE" in environment(found)}

    assert names == {"compat-guard-security-context"}


@pytest.mark.parametrize("missing", ["kafka.bootstrap", "registry.url"])
def test_a_chart_without_its_servers_says_which_one_is_missing(missing: str) -> None:
    """An empty address would only show in the log of a pod that restarts for ever."""
    given = {"kafka.bootstrap": "kafka:9093", "registry.url": "https://registry"}
    done = template(needed=tuple(f"{name}={value}" for name, value in given.items() if name != missing))
    assert done.returncode != 0
    assert missing in done.stderr


def test_the_plain_manifests_are_those_of_the_chart() -> None:
    """For clusters without Helm: `scripts/release manifests` makes them, nobody edits them."""
    file = ROOT / "deploy" / "kubernetes" / "compat-guard.yaml"
    done = subprocess.run(
        [ROOT / "scripts" / "release", "manifests", "/dev/stdout"], capture_output=True, text=True, check=True
    )
    assert file.read_text() == done.stdout


def test_chart_and_wheel_have_one_version() -> None:
    """A release is one thing: wheel, image and chart are called the same."""
    import tomllib

    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (chart["version"], chart["appVersion"]) == (version, version)
