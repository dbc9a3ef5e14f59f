"""Who may do what: the table agrees with the topics, and what follows from it with the table."""

from __future__ import annotations

from pathlib import Path

import pytest

from processors.configuration.settings import shipped
from processors.contracts.access import PREFIX, ROLES, document, page, rules
from processors.contracts.files import load_topics
from processors.documents.yaml_writing import to_yaml
from processors.errors import SettingsInvalid

DEPLOY = Path(__file__).parents[3] / "deploy" / "kafka"
TOPICS = {topic.name for topic in load_topics(shipped("config") / "topics.yaml").topics}


def test_every_topic_is_written_and_read_by_somebody() -> None:
    """A topic that nobody may write is one that was forgotten in the table."""
    written = {topic for role in ROLES for topic in role.writes}
    assert written == TOPICS
    assert {t for role in ROLES for t in role.reads if not t.endswith("*")} <= TOPICS
    assert all(topic.startswith(PREFIX) for topic in TOPICS)


def test_nobody_but_the_workflow_may_decide() -> None:
    """The topics by which a block can be passed have one writer each, and verdicts come from processors alone.

    A changelog that was lost is written by whoever recovers it.
    """
    writers = {topic: {role.name for role in ROLES if topic in role.writes} for topic in TOPICS}
    assert writers["compat.exception-decisions"] == {"exception-workflow"}
    assert writers["compat.exception-state"] == {"exception-workflow", "recovery"}
    assert writers["compat.results"] == {"checker", "exception-workflow"}
    assert writers["compat.ledger-anchors"] == {"ledger", "operator"}


def test_no_two_roles_share_an_identity() -> None:
    """Who has another's transactional id can fence it off."""
    ids = [role.transactions for role in ROLES if role.transactions]
    assert len(ids) == len(set(ids))
    for one in ids:
        assert not [other for other in ids if other != one and other.startswith(one.removesuffix("*"))]


def test_whoever_recovers_exceptions_may_do_that_and_nothing_else() -> None:
    held = {(r.resource, r.name, r.operation) for r in rules() if r.principal == "User:recovery"}
    reads = ("exception-requests", "approval-decisions", "exception-uses", "install-outcomes")
    assert held == {
        *(("TOPIC", f"compat.{topic}", "READ") for topic in (*reads, "exception-decisions", "exception-state")),
        ("TOPIC", "compat.exception-state", "WRITE"),
        ("TRANSACTIONAL_ID", "exception-rebuild", "WRITE"),
        ("GROUP", "exception-workflow", "DESCRIBE"),
        ("GROUP", "rebuild-reader", "DESCRIBE"),
    }


def test_a_principal_may_be_called_otherwise() -> None:
    """As it is with certificates and identity providers; all its rules change their holder."""
    named = rules({"checker": "User:CN=checker,O=guard"})
    assert {r._replace(principal="User:checker") for r in named if "CN=" in r.principal} == {
        r for r in rules() if r.principal == "User:checker"
    }
    assert len(named) == len(rules())


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ({"chekcer": "User:a"}, "there is no role `chekcer`; did you mean `checker`"),
        ({"checker": "a"}, "`a` is no principal; it looks like `User:checker`"),
    ],
)
def test_a_principal_that_cannot_be_is_refused(names: dict[str, str], why: str) -> None:
    """Rules for nobody would look applied, and give nobody a right."""
    with pytest.raises(SettingsInvalid, match=why):
        rules(names)


def test_what_deploy_ships_follows_from_the_table() -> None:
    """`compat-guard acls show` and `acls page` make them."""
    assert (DEPLOY / "acls.yaml").read_text() == to_yaml(document(rules()))
    assert page() in (DEPLOY / "README.md").read_text()
