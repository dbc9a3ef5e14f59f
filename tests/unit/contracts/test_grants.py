"""What a broker grants beyond the table of roles is told, and who may do something is found in it."""

from __future__ import annotations

from typing import Any

import pytest

from processors.contracts.access import Rule, rules
from processors.contracts.grants import excess, foreign, holders


@pytest.mark.parametrize(
    ("resource", "name", "pattern"),
    [
        ("TOPIC", "compat.results", "LITERAL"),
        ("TOPIC", "compat.made-up", "LITERAL"),
        ("TOPIC", "*", "LITERAL"),
        ("TOPIC", "compat.", "PREFIXED"),
        ("TOPIC", "compat.res", "PREFIXED"),
        ("TOPIC", "com", "PREFIXED"),
        ("GROUP", "checker", "LITERAL"),
        ("GROUP", "relay-siem", "LITERAL"),
        ("GROUP", "rel", "PREFIXED"),
        ("GROUP", "*", "LITERAL"),
        ("TRANSACTIONAL_ID", "checker-0", "LITERAL"),
        ("TRANSACTIONAL_ID", "exception-rebuild", "LITERAL"),
        ("TRANSACTIONAL_ID", "c", "PREFIXED"),
    ],
)
def test_a_rule_of_a_stranger_that_reaches_the_guard_is_foreign(resource: Any, name: str, pattern: Any) -> None:
    stranger = Rule("User:mallory", resource, name, pattern, "WRITE", "10.0.0.1")
    assert foreign({stranger, *rules()}, rules()) == {stranger}
    assert excess({stranger, *rules()}, rules()) == set()


@pytest.mark.parametrize(
    ("resource", "name", "pattern"),
    [
        ("TOPIC", "orders", "LITERAL"),
        ("TOPIC", "compat", "LITERAL"),
        ("TOPIC", "compatible.", "PREFIXED"),
        ("GROUP", "check", "LITERAL"),
        ("GROUP", "checkers", "PREFIXED"),
        ("TRANSACTIONAL_ID", "checker", "LITERAL"),
        ("BROKER", "kafka-cluster", "LITERAL"),
    ],
)
def test_a_rule_of_a_stranger_about_something_else_is_not(resource: Any, name: str, pattern: Any) -> None:
    assert foreign({Rule("User:connect", resource, name, pattern, "WRITE")}, rules()) == set()


def test_what_is_granted_from_one_host_is_excess_unless_it_is_granted_from_everywhere() -> None:
    wanted = Rule("User:deployer", "TOPIC", "compat.install-requests", "LITERAL", "WRITE")
    narrow, more = wanted._replace(host="10.0.0.1"), wanted._replace(name="compat.results", host="10.0.0.1")
    assert wanted in rules()
    assert excess({wanted, narrow, more}, rules()) == {more}


def test_roles_that_may_do_something_are_found_by_name_and_prefix() -> None:
    assert holders("TRANSACTIONAL_ID", "checker-7", "WRITE") == ["checker"]
    assert holders("TOPIC", "compat.ledger-anchors", "READ") == ["ledger", "gateway", "reader", "operator"]
    assert holders("TOPIC", "compat.made-up", "WRITE") == []
