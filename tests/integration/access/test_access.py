"""Least privilege on a real broker: what the table gives is allowed, and nothing else."""

from __future__ import annotations

import json
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
)
from confluent_kafka.admin import AdminClient
from examples.case_c1 import MANIFEST, MATRIX
from examples.protected import Protected

from processors.configuration.settings import shipped
from processors.contracts.access import ROLES, Role, Rule, rules
from processors.contracts.files import load_topics
from processors.embedded import Addresses

pytestmark = pytest.mark.stack

RISK = "The warehouse stands still without it, and the host is upgraded on Friday."
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


def test_a_user_without_rules_sees_no_topic(broker: Protected) -> None:
    """Not even their names."""
    assert authorized(broker, "nobody") == set()
    consumer = Consumer({**broker.client("nobody"), "group.id": "nobody"})
    assert not set(consumer.list_topics(timeout=20).topics) & set(TOPICS)
    consumer.close()


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
