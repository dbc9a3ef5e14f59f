"""What is asked about, and which replies are read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from examples.matrices import HOUR, NOON, a_document, a_release, a_rule

from processors.errors import DocumentRefused
from processors.matrix.merged import Matrix
from processors.policies import NO_POLICIES, Policies, SecurityPolicy
from processors.security_context.inquiry import LARGEST, MOST, PUBLISHER, body, components, pages, read

ASKED = ("com.acme.crm", "com.acme.erp")


def an_advisory(id: str = "ACME-1", **more: Any) -> dict[str, Any]:
    return {"id": id, "severity": "high", "affected": ["<2.0.0"]} | more


def a_policy(component: str = "com.acme.crm", *advisories: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"component": component, "advisories": list(advisories or (an_advisory(),))} | more


def a_reply(*policies: Any) -> bytes:
    return json.dumps({"policies": policies}).encode()


def test_the_plugins_of_every_source_are_asked_about_and_no_pattern_is() -> None:
    matrix = Matrix.of(
        (document, NOON, NOON + HOUR)
        for document in (
            a_document(a_rule("com.acme.crm"), a_rule("com.acme.*"), a_rule("*")),
            a_document(a_rule("org.x.y"), source="vendor", releases=(a_release("org.x.z", "1.0.0"),)),
        )
    )
    assert components(matrix, NO_POLICIES) == ["com.acme.crm", "org.x.y", "org.x.z"]


def test_what_we_have_published_is_asked_about_until_it_is_taken_back() -> None:
    """Also when its plugin has left the matrix: its policy would expire, and block."""
    ours = SecurityPolicy(component_id="org.gone", policy_id="P", published_at=1, publisher=PUBLISHER)
    theirs = SecurityPolicy(component_id="org.theirs", policy_id="P", published_at=1, publisher="petra")

    assert components(Matrix.EMPTY, Policies.of([ours, theirs])) == ["org.gone"]


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (200, [200]), (201, [200, 1]), (600, [200] * 3)])
def test_a_request_is_about_200_components_at_most(count: int, sizes: list[int]) -> None:
    asked = [f"org.p{n}" for n in range(count)]

    assert [len(page) for page in pages(asked)] == sizes
    assert [id for page in pages(asked) for id in json.loads(body(page))["components"]] == asked
    assert MOST == 200


def test_a_reply_speaks_about_what_was_asked_and_nothing_else() -> None:
    """What it says of others is counted, also where that could not be published."""
    reply = read(a_reply(a_policy(), a_policy("org.foreign", valid_until="1970-01-01T00:00:00Z")), ASKED, NOON)

    assert [*reply.policies] == ["com.acme.crm"]
    assert reply.foreign == 1


def test_whoever_the_reply_names_we_are_the_publisher_and_it_is_not_of_the_future() -> None:
    stated = a_policy(publisher="petra", published_at="2099-01-01T00:00:00Z")
    (policy,) = read(a_reply(stated), ASKED, NOON).policies.values()

    assert (policy.publisher, policy.published_at) == (PUBLISHER, NOON)


def test_what_is_stated_twice_is_one_and_two_halves_are_a_whole() -> None:
    twice = read(a_reply(a_policy(), a_policy()), ASKED, NOON)
    halves = read(a_reply(a_policy(), a_policy("com.acme.crm", an_advisory("ACME-2"))), ASKED, NOON)

    assert [a.id for a in twice.policies["com.acme.crm"].advisories] == ["ACME-1"]
    assert [a.id for a in halves.policies["com.acme.crm"].advisories] == ["ACME-1", "ACME-2"]


def test_the_order_of_policies_makes_no_other_reply_and_what_was_asked_does() -> None:
    one, other = a_policy("com.acme.crm"), a_policy("com.acme.erp")

    assert read(a_reply(one, other), ASKED, NOON).digest == read(a_reply(other, one), ASKED, NOON + 1).digest
    assert read(a_reply(), ASKED, NOON).digest != read(a_reply(), ASKED[:1], NOON).digest


REFUSED = {
    "nothing": b"",
    "no JSON": b"<html>",
    "no UTF-8": b'{"policies": ["\xff"]}',
    "NaN": b'{"policies": NaN}',
    "a key twice": b'{"policies": [], "policies": []}',
    "a list": b"[]",
    "a number": b"7",
    "null": b"null",
    "an error with 200": b'{"error": "internal"}',
    "policies of null": b'{"policies": null}',
    "policies in a mapping": b'{"policies": {"com.acme.crm": {}}}',
    "a policy that is none": a_reply("com.acme.crm"),
    "no component": a_reply({"advisories": []}),
    "an unknown field": a_reply(a_policy(advisorys=[])),
    "an unreadable range": a_reply(a_policy("com.acme.crm", an_advisory(affected=["soon"]))),
    "no range": a_reply(a_policy("com.acme.crm", an_advisory(affected=[]))),
    "an unknown severity": a_reply(a_policy("com.acme.crm", an_advisory(severity="terrible"))),
    "a baseline that is none": a_reply(a_policy(required_baseline="new")),
    "an end that is over": a_reply(a_policy(valid_until="2020-01-01T00:00:00Z")),
    "two that differ": a_reply(a_policy(), a_policy("com.acme.crm", an_advisory(severity="low"))),
    "a million empty policies": b'{"policies": [' + b"{}," * 1_000_000 + b"{}]}",
    "a million advisories": a_reply(a_policy(advisories=[[]] * 1_000_000)),
    "levels without end": b'{"policies": ' + b"[" * 100_000,
    "half a character": b'{"policies": [{"component": "\\ud800", "advisories": []}]}',
    "too long": b'{"policies": []}' + b" " * LARGEST,
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_a_reply_is_taken_whole_or_not_at_all(content: bytes) -> None:
    with pytest.raises(DocumentRefused):
        read(content, ASKED, NOON)


def test_an_empty_list_is_an_answer() -> None:
    """Whether it is believed is decided by what stands."""
    assert dict(read(a_reply(), ASKED, NOON).policies) == {}
