"""OSV records as policies: every fact arrives, in the order of its ecosystem; what is unclear is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from processors.checker.rules.security import affects
from processors.errors import DocumentRefused
from processors.policies import SecurityPolicy
from processors.policies.text import inspect_policies, parse_policies

CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
MODIFIED = 1_795_521_600_000
"""2026-11-24T12:00:00Z"""


def a_range(*events: dict[str, str], type: str = "SEMVER") -> dict[str, Any]:
    return {"type": type, "events": list(events)}


def a_package(ecosystem: str, name: str, *ranges: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"package": {"ecosystem": ecosystem, "name": name}, "ranges": list(ranges), **more}


def a_record(*affected: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "schema_version": "1.7.3",
        "id": "ACME-2026-7",
        "modified": "2026-11-24T12:00:00Z",
        "affected": list(affected),
        **more,
    }


def policies_of(*records: dict[str, Any], component: str | None = None) -> tuple[SecurityPolicy, ...]:
    return parse_policies(json.dumps(list(records)), json=True, component=component)


def policy_of(*records: dict[str, Any], component: str | None = None) -> SecurityPolicy:
    (policy,) = policies_of(*records, component=component)
    return policy


SANDBOX = {
    "schema_version": "1.7.0",
    "id": "GHSA-aaaa-bbbb-cccc",
    "aliases": ["CVE-2026-1234"],
    "modified": "2026-11-24T12:00:00Z",
    "published": "2026-11-20T08:00:00Z",
    "summary": "Template sandbox can be left",
    "details": "### Impact\n\nA template may run code.\n",
    "affected": [
        {
            "package": {"ecosystem": "npm", "name": "@acme/templates", "purl": "pkg:npm/%40acme/templates"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "4.7.7"}]}],
            "database_specific": {"source": "https://example.org/a.json"},
        },
        {
            "package": {"ecosystem": "npm", "name": "@acme/templates"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "5.0.0"}, {"fixed": "5.1.2"}]}],
        },
        {
            "package": {"ecosystem": "Maven", "name": "org.acme:templates"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "2.0"}, {"last_affected": "2.3"}]}],
        },
    ],
    "references": [
        {"type": "WEB", "url": "https://example.org/blog"},
        {"type": "ADVISORY", "url": "https://example.org/advisory"},
    ],
    "severity": [{"type": "CVSS_V3", "score": CRITICAL}, {"type": "CVSS_V4", "score": "CVSS:4.0/AV:N"}],
    "database_specific": {"severity": "MODERATE", "cwe_ids": ["CWE-94"], "github_reviewed": True},
}


def test_a_record_becomes_a_policy_for_each_package() -> None:
    """A package that is named twice has one advisory; the CVSS score counts before the database's own word."""
    java, node = policies_of(SANDBOX)

    (advisory,) = node.advisories
    assert (node.component_id, node.dialect, node.published_at) == (
        "npm:@acme/templates",
        "npm-prerelease",
        MODIFIED,
    )
    assert (advisory.id, advisory.aliases) == ("GHSA-aaaa-bbbb-cccc", ("CVE-2026-1234",))
    assert (advisory.severity, advisory.url) == ("critical", "https://example.org/advisory")
    assert (advisory.affected, advisory.fixed) == (("<4.7.7", ">=5.0.0 <5.1.2"), ("4.7.7", "5.1.2"))
    assert (java.component_id, java.dialect) == ("maven:org.acme:templates", "maven")
    assert (java.advisories[0].affected, java.advisories[0].fixed) == (("[2.0,2.3]",), ())


OPEN = a_range({"introduced": "1.0.0"})
CLOSED = a_range({"introduced": "1.0.0"}, {"fixed": "1.2.0"})
BRANCHES = a_range({"introduced": "0"}, {"fixed": "1.2.0"}, {"introduced": "2.0.0"}, {"last_affected": "2.3.0"})
LIMITED = a_range({"introduced": "0"}, {"limit": "2.0.0"})
PYTHON = a_range({"introduced": "1.0"}, {"fixed": "2.0"}, type="ECOSYSTEM")
COMMITS = a_range({"introduced": "0"}, {"fixed": "6879efc2c1596d11a6a6ad296f80063b558d5e0f"}, type="GIT")


@pytest.mark.parametrize(
    ("package", "affected", "safe"),
    [
        pytest.param(a_package("npm", "a", OPEN), ["1.0.0", "9.0.0"], ["0.9.9", "1.0.0-rc.1"], id="never fixed"),
        pytest.param(a_package("npm", "a", CLOSED), ["1.0.0", "1.1.9", "1.2.0-rc.1"], ["1.2.0"], id="fixed"),
        pytest.param(
            a_package("npm", "a", BRANCHES), ["0.0.1", "1.1.9", "2.0.0", "2.3.0"], ["1.2.0", "2.3.1"], id="branches"
        ),
        pytest.param(a_package("npm", "a", LIMITED), ["1.9.9"], ["2.0.0"], id="limit"),
        pytest.param(a_package("npm", "a", CLOSED, versions=["1.1.0", "3.0.0"]), ["3.0.0"], ["3.0.1"], id="listed"),
        pytest.param(a_package("npm", "a", versions=["1.1.0"]), ["1.1.0"], ["1.1.1"], id="listed alone"),
        pytest.param(
            a_package("npm", "a", versions=["1.1.0", "one"]), ["1.1.0"], ["1.1.1"], id="listed, unreadable"
        ),
        pytest.param(
            a_package("Go", "example.org/a", CLOSED),
            ["v1.1.0", "1.1.0+incompatible", "v1.2.0-0.20261101120000-abcdefabcdef"],
            ["v1.2.0"],
            id="go, pseudo-versions",
        ),
        pytest.param(
            a_package("Go", "a", a_range({"introduced": "v1.0.0"})), ["1.0.0"], ["0.9.0"], id="go writes v"
        ),
        pytest.param(a_package("PyPI", "a", PYTHON), ["1.0", "2.0rc1", "2.0.dev1"], ["2.0", "1.0a1"], id="python"),
        pytest.param(
            a_package("RubyGems", "rails", a_range({"introduced": "5.2"}, {"fixed": "5.2.4.3"}, type="ECOSYSTEM")),
            ["5.2.4.2", "5.2"],
            ["5.2.4.3", "5.1"],
            id="four parts",
        ),
        pytest.param(
            a_package("npm", "a", COMMITS), ["0.0.1", "9.0.0-rc.1"], [], id="commits alone: every version"
        ),
        pytest.param(a_package("npm", "a"), ["0.0.1", "9.0.0"], [], id="nothing said: every version"),
        pytest.param(a_package("npm", "a", COMMITS, CLOSED), ["1.1.0"], ["1.2.0"], id="commits and versions"),
    ],
)
def test_which_versions_are_affected(package: dict[str, Any], affected: list[str], safe: list[str]) -> None:
    """As the security rule of the check sees it."""
    policy = policy_of(a_record(package))
    (advisory,) = policy.advisories

    assert [v for v in affected if not affects(advisory, v, policy.dialect)] == []
    assert [v for v in safe if affects(advisory, v, policy.dialect)] == []


def a_score(vector: str, type: str = "CVSS_V3") -> list[dict[str, str]]:
    return [{"type": type, "score": vector}]


@pytest.mark.parametrize(
    ("of_record", "of_package", "severity"),
    [
        pytest.param({"severity": a_score(CRITICAL)}, {}, "critical", id="cvss"),
        pytest.param({"database_specific": {"severity": "MODERATE"}}, {}, "medium", id="the database's word"),
        pytest.param({"database_specific": {"severity": "WEIRD"}}, {}, "", id="a word that nobody knows blocks"),
        pytest.param({"database_specific": {"severity": 7}}, {}, "", id="no word at all"),
        pytest.param(
            {"severity": a_score("CVSS:4.0/AV:N", "CVSS_V4")}, {}, "", id="version 4 alone is not computed"
        ),
        pytest.param({}, {"severity": a_score(CRITICAL)}, "critical", id="of the package"),
        pytest.param(
            {"database_specific": {"severity": "LOW"}}, {"severity": a_score(CRITICAL)}, "critical", id="both"
        ),
    ],
)
def test_the_severity(of_record: dict[str, Any], of_package: dict[str, Any], severity: str) -> None:
    policy = policy_of(a_record(a_package("npm", "a", OPEN, **of_package), **of_record))

    assert severity == policy.advisories[0].severity


def test_a_withdrawn_record_is_kept_with_the_time_of_its_end() -> None:
    policy = policy_of(a_record(a_package("npm", "a", OPEN), withdrawn="2026-11-24T12:00:00Z"))

    assert policy.advisories[0].withdrawn_at == MODIFIED


def test_records_of_one_package_are_one_policy() -> None:
    """Published apart, the later one would replace the earlier one."""
    package = a_package("npm", "a", OPEN)
    policy = policy_of(a_record(package), a_record(package, id="ACME-2026-8", modified="2026-11-23T12:00:00Z"))

    assert [advisory.id for advisory in policy.advisories] == ["ACME-2026-7", "ACME-2026-8"]
    assert policy.published_at == MODIFIED


def test_the_same_record_twice_is_one_advisory() -> None:
    record = a_record(a_package("npm", "a", OPEN))

    assert policy_of(record) == policy_of(record, record)


def test_a_record_can_be_about_a_plugin() -> None:
    """`--component` names it, whatever package the database knows it by."""
    policy = policy_of(a_record(a_package("npm", "a", OPEN)), component="com.acme.crm")

    assert policy.component_id == "com.acme.crm"


@pytest.mark.parametrize(
    ("record", "complaint"),
    [
        pytest.param(
            a_record(a_package("npm", "a", OPEN), schema_version="2.0.0"), "[0].schema_version", id="version"
        ),
        pytest.param(a_record(a_package("npm", "a", OPEN), id=7), "[0].id", id="an id that is a number"),
        pytest.param(a_record(a_package("npm", "a", OPEN), modified="soon"), "[0].modified", id="no time"),
        pytest.param(
            a_record(a_package("npm", "a", OPEN), summary="x" * 10_000), "[0].summary", id="a long summary"
        ),
        pytest.param(a_record(), "[0].affected", id="nothing affected"),
        pytest.param({**a_record(), "affected": {}}, "[0].affected", id="a mapping for a list"),
        pytest.param(a_record({"ranges": [COMMITS]}), "[0].affected", id="a repository and no package"),
        pytest.param(a_record(a_package("", "a", OPEN)), "[0].affected[0].package.ecosystem", id="no ecosystem"),
        pytest.param(
            a_record(a_package("npm", "a", a_range({"introduced": "0"}, type="ROMAN"))),
            "[0].affected[0].ranges[0].type",
            id="an order that nobody knows",
        ),
        pytest.param(
            a_record(a_package("npm", "a", a_range({"introduced": "0"}, {"mended": "1.0.0"}))),
            "[0].affected[0].ranges[0].events[1].mended",
            id="an event that nobody knows",
        ),
        pytest.param(
            a_record(a_package("npm", "a", a_range({"introduced": "0", "fixed": "1.0.0"}))),
            "[0].affected[0].ranges[0].events[0]",
            id="two events in one",
        ),
        pytest.param(
            a_record(a_package("npm", "a", a_range({"fixed": "1.0.0"}))),
            "[0].affected[0].ranges[0].events",
            id="never introduced",
        ),
        pytest.param(
            a_record(a_package("npm", "a", a_range({"introduced": "one"}))),
            "[0].affected[0].ranges[0].events",
            id="a version that npm cannot read",
        ),
        pytest.param(
            a_record(a_package("PyPI", "a", a_range({"introduced": "1.0+local"}))),
            "[0].affected[0].ranges[0].events",
            id="a range that cannot be written",
        ),
        pytest.param(
            a_record(a_package("npm", "a", OPEN), severity=a_score("CVSS:3.1/AV:N")),
            "[0].severity[0].score",
            id="half a vector",
        ),
        pytest.param(a_record("npm"), "[0].affected[0]", id="a word for a package"),  # type: ignore[arg-type]
    ],
)
def test_what_is_unclear_is_refused_with_its_place(record: dict[str, Any], complaint: str) -> None:
    """Leaving it out would let a weakness pass."""
    _, problems = inspect_policies(json.dumps([record]), json=True)

    assert complaint in [problem.where for problem in problems]


def test_a_component_of_two_ecosystems_needs_a_decision() -> None:
    """Its ranges would be in two languages."""
    record = a_record(a_package("npm", "a", OPEN), a_package("PyPI", "a", PYTHON))

    with pytest.raises(DocumentRefused, match=r"com.acme.crm: expected one dialect"):
        policies_of(record, component="com.acme.crm")


def test_two_versions_of_one_advisory_need_a_decision() -> None:
    with pytest.raises(DocumentRefused, match="npm:a: the advisory `ACME-2026-7` is stated twice"):
        policies_of(a_record(a_package("npm", "a", OPEN)), a_record(a_package("npm", "a", CLOSED)))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 100_000, id="deep"),
        pytest.param('{"affected": ' + "[" * 900 + "]" * 900 + "}", id="deep inside"),
        pytest.param('{"id": 1e999999, "affected": []}', id="an absurd number"),
        pytest.param('{"affected": [], "affected": []}', id="a key twice"),
        pytest.param("null", id="null"),
        pytest.param('"x"', id="a word"),
        pytest.param("[[[]]]", id="lists of lists"),
        pytest.param(b"\xff\xfe", id="no UTF-8"),
        pytest.param(b" " * (16 * 1024 * 1024 + 1), id="huge"),
    ],
)
def test_hostile_text_is_refused(text: str | bytes) -> None:
    with pytest.raises(DocumentRefused):
        parse_policies(text, json=True)
