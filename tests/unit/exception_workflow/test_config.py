"""A policy that could not work is refused at load, with its place and the way out."""

from __future__ import annotations

import pytest
from examples.exceptions import CONFIG

from processors.errors import DocumentRefused
from processors.events.vocabulary import Band, Code
from processors.exception_workflow.config import load, parse

SHIPPED = CONFIG.read_text()


def test_the_shipped_policy_loads() -> None:
    """Every band has a flow, a profile and a limit of at most 30 d."""
    policy = load(CONFIG)

    assert [
        policy.max_validity(band) // 86_400_000 for band in (Band.LOW, Band.MEDIUM, Band.HIGH, Band.CRITICAL)
    ] == [
        30,
        14,
        7,
        3,
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        pytest.param("roles: [plugin-steward]}", "roles: [nobody]}", "no role `nobody`", id="unknown role"),
        pytest.param(
            "{approve: 2, roles: [security-approver, security-lead]}",
            "{approve: 6, roles: [security-approver, security-lead]}",
            "needs 6 people, and their roles have 5",
            id="unreachable quorum",
        ),
        pytest.param(
            "{approve: 1, roles: [security-lead, platform-lead]}",
            "{approve: 4, roles: [security-lead]}",
            "needs 4 people, and their roles have 2",
            id="too few leads",
        ),
        pytest.param("total: 24h", "total: 12h", "exceed the total SLA", id="SLA sum over the total"),
        pytest.param(
            "monitoring: critical,", "monitoring: none,", "no monitoring profile `none`", id="unknown profile"
        ),
        pytest.param(
            "  LOW: {flow: light, max_validity: 30d, use: window, monitoring: basic}\n",
            "",
            "`LOW` has no rule",
            id="a band without a rule",
        ),
        pytest.param("max_validity: 30d", "max_validity: 31d", "at most 30d", id="longer than 30 d"),
        pytest.param("flow: strict", "flow: lax", "no flow `lax`", id="unknown flow"),
        pytest.param("threshold: lead", "threshold: boss", "no threshold `boss`", id="unknown threshold"),
        pytest.param("request_life: 7d", "request_life: 1h", "lapse before its SLA", id="lapses too early"),
        pytest.param("sla: 8h", "sla: soon", "not a duration", id="no duration"),
        pytest.param("algorithms: [ES256]", "algorithms: [HS256]", "proves nothing", id="weak algorithm"),
        pytest.param("jwks: development-jwks.json", 'jwks: "http://x"', "in the clear", id="keys in the clear"),
        pytest.param(
            "jwks: development-jwks.json",
            'jwks: "http://127.0.0.1.evil.example/keys"',
            "in the clear",
            id="keys from a name that looks like loopback",
        ),
        pytest.param("version: 1", "version: 1\nextra: 1", "extra", id="unknown key"),
        pytest.param("total: 24h ", "total: 24h\n  total: 24h ", "occurs twice", id="a key twice"),
    ],
)
def test_what_could_not_work_is_refused(old: str, new: str, words: str) -> None:
    """At night nobody would find it."""
    assert old in SHIPPED

    with pytest.raises(DocumentRefused, match=words):
        parse(SHIPPED.replace(old, new))


@pytest.mark.parametrize("code", [Code.MANIFEST_INVALID, Code.CONSTRAINT_INVALID, Code.UNKNOWN])
def test_some_findings_can_never_be_excepted(code: Code) -> None:
    """Whatever the policy lists."""
    assert parse(SHIPPED.replace("MANIFEST_INVALID, CONSTRAINT_INVALID, ", "")).is_never(code)
