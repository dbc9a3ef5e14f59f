"""The Helm chart: what it renders is valid, and each switch does what it says."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from examples.charts import CHART, ROOT, environment, of_kind, pod_of, release_tools, rendered, template

TOKENS = ("kafka.mechanism=OAUTHBEARER", "kafka.tokenUrl=https://idp/token", "kafka.scope=kafka metrics")
LAG = ("keda.enabled=true", "keda.existingSecret=lag")
RETENTION = ("ledger.retention.schedule=17 3 2 * *", "ledger.retention.existingClaim=archive")
EVERYTHING = (
    *LAG, *RETENTION, "podMonitor.enabled=true", "prometheusRule.enabled=true",
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
    "topics of one's own applied by a hook": ("migrations.topics.enabled=true", "existingConfigMap=ours"),
    "scaled by lag": LAG,
    "scaled by lag, with OAUTHBEARER": (*LAG, *TOKENS),
    "scaled by lag, without a secret": ("keda.enabled=true",),
    "alerts": ("prometheusRule.enabled=true",),
    "scraped": ("podMonitor.enabled=true",),
    "dashboards": ("dashboards.enabled=true",),
    "mutual TLS": ("kafka.security=SSL", *LAG),
    "OAUTHBEARER": TOKENS,
    "plaintext": ("kafka.security=PLAINTEXT", "kafka.allowPlaintext=true"),
    "own service account": ("serviceAccount.create=false", "serviceAccount.name=ours"),
    "configuration of one's own": ("existingConfigMap=ours",),
    "a gateway": ("processors.gateway.enabled=true",),
    "a platform that is asked": ("processors.security-context.enabled=true",),
    "a relay": ("processors.relay.enabled=true",),
    "old months removed": RETENTION,
    "public keys": ("processors.gateway.enabled=true", "ledger.publicKeys.existingConfigMap=keys", *RETENTION),
    "public keys in a secret": (
        "processors.gateway.enabled=true",
        "ledger.publicKeys.existingSecret=keys",
        *RETENTION,
    ),
    "peers": (
        'networkPolicy.egressTo=[{"ipBlock": {"cidr": "10.1.0.0/16"}}]',
        'migrations.ledger.egressTo=[{"podSelector": {"matchLabels": {"app": "postgres"}}}]',
    ),
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


@pytest.mark.parametrize("more", [(), TOKENS], ids=["SCRAM", "OAUTHBEARER"])
def test_what_operators_read_fits_their_own_definitions(more: tuple[str, ...], tmp_path: Path) -> None:
    """KEDA and the Prometheus operator come with models of what they read; nothing beyond those is written."""
    objects = [found for found in rendered(*EVERYTHING, *more) if found["kind"] in CUSTOM]
    file = write(tmp_path / "custom.yaml", objects)
    command = [release_tools() / "python", "-c", EVALUATE_CUSTOM, file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert {found["kind"] for found in objects} == CUSTOM


def test_an_autoscaler_gets_its_tokens_where_the_processors_do() -> None:
    """KEDA's scaler of Kafka takes the address of the endpoint and the scopes from its authentication only."""
    objects = rendered(*LAG, *TOKENS)
    authentication = of_kind(objects, "TriggerAuthentication")["compat-guard-lag"]["spec"]
    data = of_kind(objects, "ConfigMap")["compat-guard-lag"]["data"]
    parts = {part["parameter"]: data[part["key"]] for part in authentication["configMapTargetRef"]}

    assert parts == {"oauthTokenEndpointUri": "https://idp/token", "scopes": "kafka,metrics"}
    assert {part["name"] for part in authentication["configMapTargetRef"]} == {"compat-guard-lag"}
    assert {part["parameter"] for part in authentication["secretTargetRef"]} == {"username", "password"}
    for found in of_kind(objects, "ScaledObject").values():
        (trigger,) = found["spec"]["triggers"]
        assert trigger["metadata"]["sasl"] == "oauthbearer"


def test_an_operator_that_is_not_there_is_not_needed() -> None:
    """Without switches there is nothing that needs a definition from outside Kubernetes."""
    assert {found["apiVersion"] for found in rendered()} == {
        "v1", "apps/v1", "batch/v1", "networking.k8s.io/v1", "policy/v1"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("switch", "kind", "of_its_own"),
    [
        ("networkPolicy.enabled=false", "NetworkPolicy", {}),
        ("podDisruptionBudget.enabled=false", "PodDisruptionBudget", {}),
        ("migrations.ledger.enabled=false", "Job", {"NetworkPolicy": 1}),
        ("serviceAccount.create=false", "ServiceAccount", {}),
    ],
)
def test_what_is_switched_off_is_gone(switch: str, kind: str, of_its_own: dict[str, int]) -> None:
    """With what only it needs, and nothing else goes with it."""
    before, after = (Counter(found["kind"] for found in rendered(*values)) for values in ((), (switch,)))
    assert before[kind] > 0
    assert before - after == {kind: before[kind], **of_its_own}


def test_each_replica_has_an_ordinal_that_outlives_it() -> None:
    """The ordinal makes the transactional id, by which a new pod fences off its predecessor."""
    for found in of_kind(rendered(), "StatefulSet").values():
        path = environment(found)["GUARD_ORDINAL"]["fieldRef"]["fieldPath"]
        assert path == "metadata.labels['apps.kubernetes.io/pod-index']"


def test_no_container_has_more_rights_than_it_needs() -> None:
    """Also not the jobs: no root, no writable root file system, no capabilities, no token of the cluster."""
    objects = rendered("migrations.topics.enabled=true", *RETENTION)
    pods = [pod_of(found)["spec"] for found in objects if found["kind"] in ("StatefulSet", "Job", "CronJob")]
    assert len(pods) >= 7
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


def test_replicas_stand_on_different_nodes_where_there_are_any() -> None:
    """Else one node that fails takes all of them. Each processor is spread by itself; values may say otherwise."""
    sets = of_kind(rendered(), "StatefulSet").values()
    for found in sets:
        (spread,) = pod_of(found)["spec"]["topologySpreadConstraints"]
        assert spread["labelSelector"] == found["spec"]["selector"]
        assert (spread["topologyKey"], spread["maxSkew"]) == ("kubernetes.io/hostname", 1)
        assert spread["whenUnsatisfiable"] == "ScheduleAnyway"
    replicas = {
        found["metadata"]["name"].removeprefix("compat-guard-"): found["spec"]["replicas"] for found in sets
    }
    assert [replicas[name] for name in ("checker", "exception-workflow", "ledger")] == [2, 2, 2]

    ours = {"maxSkew": 2, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    sets = of_kind(rendered(f"processors.ledger.topologySpreadConstraints=[{json.dumps(ours)}]"), "StatefulSet")
    assert pod_of(sets["compat-guard-ledger"])["spec"]["topologySpreadConstraints"] == [ours]
    assert pod_of(sets["compat-guard-checker"])["spec"]["topologySpreadConstraints"] != [ours]


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


@pytest.mark.parametrize(
    ("value", "kind", "named"),
    [("existingConfigMap", "configMap", "name"), ("existingSecret", "secret", "secretName")],
)
def test_whoever_only_verifies_the_ledger_has_its_public_keys_only(value: str, kind: str, named: str) -> None:
    """The gateway, and the job that removes months. Whoever signs has the secret ones."""
    objects = rendered("processors.gateway.enabled=true", *RETENTION, f"ledger.publicKeys.{value}=keys")
    sets = of_kind(objects, "StatefulSet")
    job = of_kind(objects, "CronJob")["compat-guard-ledger-retention"]

    for found in (sets["compat-guard-gateway"], job):
        volumes = {volume["name"]: volume for volume in pod_of(found)["spec"]["volumes"]}
        paths = {m["name"]: m["mountPath"] for m in pod_of(found)["spec"]["containers"][0]["volumeMounts"]}
        assert volumes["public-keys"][kind][named] == "keys"
        assert volumes["public-keys"][kind]["items"] == [{"key": "jwks.json", "path": "jwks.json"}]
        assert environment(found)["GUARD_LEDGER__PUBLIC_KEYS"] == f"{paths['public-keys']}/jwks.json"
        assert "GUARD_LEDGER__KEYS" not in environment(found)
        assert "ledger-keys" not in volumes
    others = [environment(found) for name, found in sets.items() if name != "compat-guard-gateway"]
    assert not [one for one in others if "GUARD_LEDGER__PUBLIC_KEYS" in one]
    assert "GUARD_LEDGER__KEYS" in environment(sets["compat-guard-ledger"])
    gateway = of_kind(rendered("processors.gateway.enabled=true"), "StatefulSet")["compat-guard-gateway"]
    assert "GUARD_LEDGER__PUBLIC_KEYS" not in environment(gateway)


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
