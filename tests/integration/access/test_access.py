"""Least privilege on a real broker: what the table gives is allowed, and nothing else."""

from __future__ import annotations

import json
import re
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from examples import web
from examples.case_c1 import MANIFEST, MATRIX
from examples.gateways import CHECK, Provider, ask, bearer
from examples.ground import eventually
from examples.issuers import claims, token
from examples.protected import Protected

from processors.bootstrap.clients import stream_settings
from processors.configuration.settings import settings_from, shipped
from processors.contracts.access import ROLES, Role, Rule, rules
from processors.contracts.files import load_topics
from processors.embedded import Addresses
from processors.errors import AccessDenied, BrokerUnavailable
from processors.stream.admin.access import AccessRules
from processors.stream.io.atomically import publish_atomically
from processors.stream.io.clients import reader
from processors.stream.io.publish import send
from processors.stream.io.to_end import to_end
from processors.stream.types import Outbound

pytestmark = pytest.mark.stack

RISK = "The warehouse stands still without it, and the host is upgraded on Friday."
AUDITOR = bearer(token(claims("aude", roles=("auditor",))))
TOPICS = [topic.name for topic in load_topics(shipped("config") / "topics.yaml").topics]
DENIED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}


@pytest.fixture(scope="module")
def broker(stack: Addresses) -> Iterator[Protected]:
    """With the rules of the table, the topics, and one matrix; each made by the principal whose task it is."""
    with (
        tempfile.TemporaryDirectory(prefix="compat-guard-test-") as name,
        Protected(folder := Path(name)).running(stack.registry) as protected,
    ):
        (folder / "plugin.yaml").write_text(MANIFEST)
        (folder / "matrix.yaml").write_text(MATRIX)
        protected.run("admin", "acls", "apply")
        protected.run("topics-admin", "topics", "apply")
        protected.run("matrix-publisher", "matrix", "publish", str(folder / "matrix.yaml"))
        yield protected


def test_rules_that_are_applied_leave_nothing_to_do(broker: Protected) -> None:
    """Twice changes nothing more than once, and what is too much is shown, and taken away on demand."""
    assert "nothing to do" in broker.run("admin", "acls", "diff")

    broker.run("admin", "acls", "apply", "--principal", "deployer=User:checker")
    excess = json.loads(broker.run("admin", "acls", "diff", "--output", "json", code=1))
    broker.run("admin", "acls", "apply", "--prune")

    assert {(step["step"], step["principal"]) for step in excess} == {("remove", "User:checker")}
    assert "nothing to do" in broker.run("admin", "acls", "diff")


def test_what_others_may_do_to_the_guard_is_told(broker: Protected) -> None:
    """By name, by prefix and by wildcard; and what our own may do from one host. Pruning takes only the latter."""
    ours = Rule("User:deployer", "TOPIC", "compat.results", "LITERAL", "WRITE", "10.0.0.1")
    others = [
        Rule("User:*", "TOPIC", "compat.results", "LITERAL", "WRITE"),
        Rule("User:mallory", "TOPIC", "compat.", "PREFIXED", cast(Any, "ALL")),
        Rule("User:connect", "GROUP", "*", "LITERAL", "READ"),
    ]
    harmless = Rule("User:connect", "TOPIC", "orders", "LITERAL", "ALL")  # type: ignore[arg-type]
    there = AccessRules(AdminClient(broker.client("admin")))
    there.add([ours, *others, harmless])
    try:
        found = json.loads(broker.run("admin", "acls", "diff", "--output", "json", code=1))
        broker.run("admin", "acls", "apply", "--prune", code=1)
        left = json.loads(broker.run("admin", "acls", "diff", "--output", "json", code=1))
        expected = [word for rule in others for word in ("--expect", rule.principal)]
        assert "nothing to do" in broker.run("admin", "acls", "diff", *expected)
    finally:
        there.remove([ours, *others, harmless])

    assert of_step(found, "remove") == {ours}
    assert of_step(found, "foreign") == of_step(left, "foreign") == set(others)
    assert not [step for step in left if step["step"] != "foreign"]


@pytest.mark.parametrize("command", ["diff", "apply"])
def test_who_may_not_see_rules_is_told_so(broker: Protected, command: str) -> None:
    """The broker answers with an empty list, which looks as if everything were missing."""
    assert "may not see the broker's access rules" in broker.run("checker", "acls", command, code=2)


def test_requests_and_exceptions_pass_with_the_rights_of_the_table_alone(broker: Protected) -> None:
    """C-1 is blocked with its reason, C-2 is approved by two people and runs; every step by its own principal."""
    tenant, asked = f"acl-{uuid.uuid4().hex[:6]}", str(uuid.uuid4())
    install = (
        *("request", "--manifest", str(broker.folder / "plugin.yaml"), "--host", "corex@1.9.0"),
        *("--tenant", tenant, "--operator", "alice", "--target", "cluster-7", "--timeout", "60"),
    )
    with broker.processors("checker", "exception-workflow"):
        blocked = broker.run("deployer", *install, "--request-id", asked, "-o", "json", code=1)
        assert [finding["code"] for finding in json.loads(blocked)["findings"]] == ["HOST_TOO_OLD"]

        id = broker.run(
            "requester", "exception", "request", asked, "--risk", RISK, "--requester", "alice", code=4
        ).strip()
        for person in ("petra", "sabine"):
            broker.run("approval-tool", "approve", id, "--as", person)
        broker.run("deployer", *install, "--exception", id, code=1)
        broker.run(
            "deployer", *install, "--exception", id, "--acknowledge-risk", "I know",
            "--monitoring", "enhanced:error-rate,latency,host-health,on-call",
        )  # fmt: skip
        shown = json.loads(broker.run("requester", "exception", "show", id, "-o", "json"))

    assert (shown["status"], shown["uses"]) == ("CONSUMED", 1)


def test_the_state_of_exceptions_is_rebuilt_by_whoever_recovers(broker: Protected) -> None:
    """By that principal alone; others are told what they lack, and no broker is said to be silent."""
    asked = str(uuid.uuid4())
    with broker.processors("checker", "exception-workflow"):
        broker.run(
            "deployer", "request", "--manifest", str(broker.folder / "plugin.yaml"), "--host", "corex@1.9.0",
            "--tenant", f"acl-{asked[:6]}", "--operator", "alice", "--target", "cluster-7", "--request-id", asked,
            code=1,
        )  # fmt: skip
        id = broker.run("requester", "exception", "request", asked, "--risk", RISK, "--requester", "alice", code=4)
    lose_records(broker, "compat.exception-state")

    rebuild = ("exception", "rebuild", "--write")
    told = broker.run("exception-workflow", *rebuild, code=2)
    assert "may not read topic `compat.exception-decisions`; that is for `" in told
    assert "`recovery`" in told
    assert "may not see group `exception-workflow`" in broker.run("operator", *rebuild, code=2)
    broker.run("requester", "exception", "show", id.strip(), code=2)
    broker.run("recovery", *rebuild)

    shown = json.loads(broker.run("requester", "exception", "show", id.strip(), "-o", "json"))
    assert shown["exception"] == id.strip()
    broker.run("recovery", "exception", "rebuild")


def test_a_denial_names_what_is_denied_and_who_may(broker: Protected) -> None:
    """Nothing was written, so it is neither an outage nor an unknown outcome."""
    staleness, deployer = (
        stream_settings(settings_from(broker.environment(user))) for user in ("staleness", "deployer")
    )
    made_up = Outbound("compat.results", b"key", b"made up")
    with pytest.raises(
        AccessDenied, match=r"may not use transactional id `exception-rebuild`; that is for `recovery`"
    ):
        publish_atomically(staleness, "exception-rebuild", [])
    with pytest.raises(AccessDenied, match=r"may not write to topic `compat.results`; that is for `checker`"):
        publish_atomically(staleness, "staleness-9", [made_up])
    with pytest.raises(AccessDenied, match=r"may not write to topic `compat.results`; that is for `checker`"):
        send(deployer, made_up)


def test_a_processor_that_may_not_read_says_so_and_waits(broker: Protected) -> None:
    """A broker that has just started may not know its access rules yet."""
    workflow = stream_settings(settings_from(broker.environment("exception-workflow")))
    consumer, at = reader(workflow, "exception-workflow", brief=True), ("compat.exception-decisions", 0)
    consumer.assign([TopicPartition(*at, OFFSET_BEGINNING)])
    with pytest.raises(BrokerUnavailable, match=r"silent for 1 s: this principal may not read topic `compat\.exc"):
        list(to_end(consumer, {at: 0}, 1.0, "it was silent", persistent=True))
    consumer.close()


def test_a_gateway_asks_reports_searches_and_proves(broker: Protected) -> None:
    """Under its own principal, without the ledger's secret keys; so does an auditor's command line."""
    secret, public, proof = (broker.folder / name for name in ("ledger.json", "public.json", "proof.json"))
    before = {user: broker.denied()[user] for user in ("gateway", "ledger", "reader")}
    broker.run("ledger", "ledger", "migrate")
    broker.run("ledger", "ledger", "keys", str(secret))
    public.write_text(broker.run("ledger", "ledger", "keys", str(secret), "--public"))
    filing = {"GUARD_LEDGER__KEYS": str(secret), "GUARD_LEDGER__ANCHOR_EVERY": "0.5"}
    verifying = {"GUARD_LEDGER__KEYS": str(broker.folder / "none"), "GUARD_LEDGER__PUBLIC_KEYS": str(public)}
    with (
        Provider(broker.folder) as provider,
        broker.processors("checker", "ledger", **filing),
        broker.gateway(provider, **verifying) as gateway,
    ):

        def get(path: str, **query: str) -> httpx.Response:
            return web.get(f"{gateway.url}/internal/{path}", headers=AUDITOR, params=query, timeout=60)

        asked = ask(gateway.url).json()["request_id"]
        assert web.get(f"{gateway.url}{CHECK}/{asked}", headers=bearer(), timeout=60).status_code == 200
        eventually(lambda: kinds(get("ledger/events", request_id=asked)) >= {"CompatibilityChecked"}, 60)
        events = get("ledger/events", request_id=asked).json()["events"]
        (result,) = [event for event in events if event["kind"] == "CompatibilityChecked"]

        def proved() -> bool:
            ask(gateway.url)  # a chain is anchored with the next record
            return get(f"ledger/proof/{result['event_id']}").status_code == 200

        eventually(proved, 60)
        proof.write_text(get(f"ledger/proof/{result['event_id']}").text)
        by_name = get("ledger/events", operator="alice")
        by_pseudonym = get("ledger/events", operator=result["operator"], request_id=asked)

    auditor = broker.environment("reader") | verifying
    broker.run("reader", "ledger", "verify-proof", str(proof), environment=auditor)
    broker.run("reader", "ledger", "verify", environment=auditor)
    assert {user: broker.denied()[user] - before[user] for user in before} == {user: set() for user in before}
    assert (by_name.status_code, by_name.json()["type"].rpartition("/")[2]) == (422, "pseudonym-needed")
    assert re.fullmatch(r"k[0-9a-f]{8}:[0-9a-f]{32}", result["operator"].partition(" ")[0])
    assert "CompatibilityChecked" in kinds(by_pseudonym)


def test_the_impact_of_a_matrix_is_measured_by_operators(broker: Protected) -> None:
    """Vendors may not read the requests of others, and are told who may."""
    matrix = str(broker.folder / "matrix.yaml")
    told = broker.run("matrix-publisher", "matrix", "publish", matrix, "--impact", "--yes", code=2)
    assert "may not see topic `compat.security-policies`" in told
    assert "compat-guard replay --matrix FILE" in told
    for role in ("operator", "gateway"):
        broker.run(role, "replay", "--matrix", matrix)


def test_a_topic_that_is_denied_is_told_as_denied(broker: Protected) -> None:
    """Not as one that is missing: nobody should create it, and somebody should give the right."""
    told = broker.run("rollout", "exception", "list", code=2)
    assert "this principal may not see topic `compat.exception-state`" in told
    assert "acls" in told
    assert "does not exist" not in told


def test_a_token_of_the_identity_provider_proves_who_somebody_is(broker: Protected) -> None:
    """With the rights of its subject, and no others. Whoever has another secret gets no token, and nobody in."""
    told = broker.run("topics-admin", "topics", "diff", environment=broker.by_token("topics-admin"))
    assert "nothing to do" in told
    denied = broker.run("nobody", "matrix", "status", environment=broker.by_token("nobody"), code=2)
    assert "may not see topic" in denied

    wrong = broker.by_token("topics-admin") | {"GUARD_KAFKA__PASSWORD": "wrong"}
    del wrong["GUARD_KAFKA__PASSWORD_FILE"]
    broker.run("topics-admin", "topics", "diff", environment=wrong, code=3)


def test_a_client_certificate_is_the_principal_of_its_common_name(broker: Protected) -> None:
    """Mutual TLS on a listener of its own: the same rights by the same table, and none without a certificate."""
    publisher, stranger = broker.certified("matrix-publisher"), broker.certified("nobody")

    assert "governance" in broker.run("", "matrix", "status", environment=publisher)
    assert "may not see topic" in broker.run("", "matrix", "status", environment=stranger, code=2)
    bare = {k: v for k, v in publisher.items() if k not in ("GUARD_KAFKA__CERTIFICATE", "GUARD_KAFKA__KEY")}
    broker.run("", "matrix", "status", environment=bare, code=3)  # TLS closes the connection, and tells nobody why


def test_what_the_table_does_not_give_is_denied(broker: Protected) -> None:
    """The authorizer itself is asked, about every topic and every principal."""
    for role in ROLES:
        expected = {(rule.operation, topic) for rule in own_rules(role) for topic in covered(rule)}
        found = {(o, t) for o, t in authorized(broker, role.name) if o in ("READ", "WRITE", "CREATE")}
        assert found == {(o, t) for o, t in expected if o in ("READ", "WRITE", "CREATE")}, role.name


@pytest.mark.parametrize(
    ("user", "topic"), [("checker", "compat.exception-decisions"), ("deployer", "compat.results")]
)
def test_a_record_that_may_not_be_written_is_not_written(broker: Protected, user: str, topic: str) -> None:
    """An approval or a verdict that somebody makes up never reaches the log."""
    told: list[KafkaError | None] = []
    producer = Producer({**broker.client(user), "message.timeout.ms": 30_000})
    producer.produce(topic, b"made up", b"key", on_delivery=lambda error, _: told.append(error))
    producer.flush(40)
    (error,) = told
    assert error is not None
    assert error.code() in DENIED


def test_a_principal_has_no_other_identity(broker: Protected) -> None:
    """With the transactional id of another processor it could fence that off."""
    producer = Producer({**broker.client("staleness"), "transactional.id": "checker-0"})
    with pytest.raises(KafkaException) as transaction:
        producer.init_transactions(20)
    assert transaction.value.args[0].code() in DENIED


def test_every_role_has_the_identity_of_the_table(broker: Protected) -> None:
    for role in ROLES:
        if role.transactions:
            own = role.transactions.replace("*", "0")
            Producer({**broker.client(role.name), "transactional.id": own}).init_transactions(20)


def test_a_user_without_rules_sees_no_topic(broker: Protected) -> None:
    """Not even their names."""
    assert authorized(broker, "nobody") == set()
    consumer = Consumer({**broker.client("nobody"), "group.id": "nobody"})
    assert not set(consumer.list_topics(timeout=20).topics) & set(TOPICS)
    consumer.close()


def of_step(steps: list[dict[str, Any]], step: str) -> set[Rule]:
    return {Rule(**{k: v for k, v in one.items() if k != "step"}) for one in steps if one["step"] == step}


def kinds(found: httpx.Response) -> set[str]:
    assert found.status_code == 200, found.text
    return {event["kind"] for event in found.json()["events"]}


def lose_records(broker: Protected, topic: str) -> None:
    """All that a compacted topic holds. A broker deletes no records while it is only compacted."""
    admin = cast(Any, AdminClient(broker.client("admin")))
    partitions = admin.list_topics(topic, timeout=20).topics[topic].partitions
    lost = [TopicPartition(topic, number, OFFSET_END) for number in partitions]

    def keep_by(policy: str) -> None:
        entry = ConfigEntry("cleanup.policy", policy, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        for future in admin.incremental_alter_configs([resource]).values():
            future.result(30)

    keep_by("compact,delete")
    for future in admin.delete_records(lost).values():
        future.result(30)
    keep_by("compact")


def own_rules(role: Role) -> list[Rule]:
    return [rule for rule in rules() if rule.principal == f"User:{role.name}" and rule.resource == "TOPIC"]


def covered(rule: Rule) -> list[str]:
    return [t for t in TOPICS if t == rule.name or (rule.pattern == "PREFIXED" and t.startswith(rule.name))]


def authorized(broker: Protected, user: str) -> set[tuple[str, str]]:
    """What the broker would let a user do with each topic, as the broker says."""
    admin = AdminClient(broker.client(user))
    asked = cast(Any, admin).describe_topics(
        TopicCollection(TOPICS), include_authorized_operations=True, request_timeout=30
    )
    found: set[tuple[str, str]] = set()
    for topic, answer in asked.items():
        refused = answer.exception(30)
        if refused is None:
            found |= {(operation.name, topic) for operation in answer.result().authorized_operations}
        else:
            assert refused.args[0].code() in DENIED, refused
    return found
