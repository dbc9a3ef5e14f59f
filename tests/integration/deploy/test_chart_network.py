"""The chart's network policies: each pod reaches the servers that it calls, and no others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from examples.charts import of_kind, pod_of, rendered

ALL = (
    "processors.relay.enabled=true", "processors.security-context.enabled=true", "processors.gateway.enabled=true",
    "migrations.topics.enabled=true", "ledger.retention.schedule=@monthly", "ledger.retention.existingClaim=ours",
)  # fmt: skip
SHARED = {53, 8080, 8081, 9092, 9093, 9094, 4318}
"""Names; Kafka and the registry, also that of our compose file; traces."""
POSTGRES = {5432, 6432}
OWN: dict[str, set[int]] = {
    "checker": set(),
    "staleness": set(),
    "exception-workflow": {443, 8443},
    "ledger": POSTGRES,
    "relay": {443, 25, 465, 587},
    "security-context": {443},
    "gateway": {443, *POSTGRES},
    "ledger-retention": POSTGRES,
    "migrate-ledger": POSTGRES,
    "migrate-topics": set(),
}


def pods(objects: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """The labels of every pod, by component."""
    found = [pod_of(one) for one in objects if one["kind"] in ("StatefulSet", "Job", "CronJob")]
    labels = [one["metadata"]["labels"] for one in found]
    return {one["app.kubernetes.io/component"]: one for one in labels}


def egress(objects: list[dict[str, Any]], labels: dict[str, str]) -> list[dict[str, Any]]:
    """All rules that apply to a pod: policies add up."""
    policies = [one["spec"] for one in of_kind(objects, "NetworkPolicy").values()]
    ours = [one for one in policies if one["podSelector"]["matchLabels"].items() <= labels.items()]
    assert all({"Ingress", "Egress"} == set(one["policyTypes"]) for one in ours)
    return [rule for one in ours for rule in one.get("egress", ())]


def ports(rules: list[dict[str, Any]]) -> set[int]:
    assert all(rule["ports"] for rule in rules)  # a rule without ports would permit all of them
    return {port["port"] for rule in rules for port in rule["ports"]}


def test_a_pod_reaches_the_servers_that_it_calls_and_no_others() -> None:
    """The checker has no reason to call a web server, nor anybody but the relay to send mail."""
    objects = rendered(*ALL)

    found = {name: ports(egress(objects, labels)) for name, labels in pods(objects).items()}
    assert found == {name: SHARED | own for name, own in OWN.items()}


@pytest.mark.parametrize(
    ("values", "port"),
    [
        (("registry.url=https://registry.internal/apis",), 443),
        (("registry.url=http://registry.internal",), 80),
        (("registry.url=https://registry.internal:8443",), 8443),
        (("kafka.bootstrap=one:19093\\,two:29093",), 29093),
        (("kafka.mechanism=OAUTHBEARER", "kafka.tokenUrl=https://idp.internal/token"), 443),
    ],
)
def test_a_server_whose_address_is_known_is_reached(values: tuple[str, ...], port: int) -> None:
    """Its port need not be said a second time."""
    objects = rendered(*values)

    assert all(port in ports(egress(objects, labels)) for labels in pods(objects).values())


def test_the_workflow_reaches_the_gateway_whose_signatures_it_checks() -> None:
    """It fetches the keys from the Service; a policy sees the port of the pods behind it."""
    objects = rendered("processors.gateway.enabled=true")
    (container,) = pod_of(of_kind(objects, "StatefulSet")["compat-guard-gateway"])["spec"]["containers"]
    (port,) = [one["containerPort"] for one in container["ports"] if one["name"] == "http"]

    assert port in ports(egress(objects, pods(objects)["exception-workflow"]))


def test_peers_may_be_named_for_all_and_for_one() -> None:
    """Where the addresses of the servers are known, nothing else is reached."""
    servers, mail = [{"ipBlock": {"cidr": "10.1.0.0/16"}}], [{"ipBlock": {"cidr": "10.2.0.1/32"}}]
    more = [{"ports": [{"port": 9999, "protocol": "TCP"}], "to": mail}]
    objects = rendered(
        *ALL,
        f"networkPolicy.egressTo={json.dumps(servers)}",
        f"processors.relay.egressTo={json.dumps(mail)}",
        f"processors.relay.extraEgress={json.dumps(more)}",
    )
    rules = {
        name: {frozenset(ports([rule])): rule.get("to") for rule in egress(objects, labels)}
        for name, labels in pods(objects).items()
    }

    names, shared = frozenset({53}), frozenset(SHARED - {53})
    assert rules["checker"] == {names: None, shared: servers}
    assert rules["relay"] == {
        names: None, shared: servers, frozenset(OWN["relay"]): mail, frozenset({9999}): mail
    }  # fmt: skip
    assert rules["gateway"][frozenset(OWN["gateway"])] is None


def test_a_job_before_the_release_has_its_policy_before_it() -> None:
    """In a cluster that denies by default it would reach nobody, and a new switch would add its policy too late."""
    for name, policy in of_kind(rendered(*ALL), "NetworkPolicy").items():
        annotations = policy["metadata"].get("annotations", {})
        assert ("helm.sh/hook" in annotations) == ("-migrate-" in name)
        assert int(annotations.get("helm.sh/hook-weight", 0)) == (-5 if "-migrate-" in name else 0)
