"""Policies as people write them: read as they are meant, refused with the place, and written again unchanged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.configuration.settings import shipped
from processors.documents.yaml_writing import to_yaml
from processors.errors import DocumentRefused
from processors.policies import Advisory, SecurityPolicy
from processors.policies.document import SEVERITIES
from processors.policies.lint import lint
from processors.policies.record import policy_from_record, policy_to_record, statement_of
from processors.policies.text import inspect_policies, load_policies, parse_policies
from processors.policies.writing import written
from processors.stream.wire.schema import Schemas

NOON = 1_795_521_600_000
"""2026-11-24T12:00:00Z"""

SCHEMA = Schemas.load(shipped("schemas"))["SecurityPolicyPublished"]

EVERYTHING = """
component: com.acme.crm
policy_id: acme-crm
published_at: 2026-11-24T12:00:00Z
publisher: security@acme.example
required_baseline: "2026.10"
dialect: npm
advisories:
  - id: ACME-2026-7
    aliases: [CVE-2026-1]
    summary: Leaks
    severity: high
    affected: [">=1.0.0 <1.2.0"]
    fixed: ["1.2.0"]
    url: https://example.org/7
    withdrawn_at: 2026-11-24T12:00:00Z
"""

ADVISORY = Advisory(
    id="ACME-2026-7",
    aliases=("CVE-2026-1",),
    summary="Leaks",
    severity="high",
    affected=(">=1.0.0 <1.2.0",),
    fixed=("1.2.0",),
    url="https://example.org/7",
    withdrawn_at=NOON,
)
POLICY = SecurityPolicy(
    component_id="com.acme.crm",
    policy_id="acme-crm",
    published_at=NOON,
    publisher="security@acme.example",
    required_baseline="2026.10",
    advisories=(ADVISORY,),
    dialect="npm",
)


def test_every_field_is_read() -> None:
    assert parse_policies(EVERYTHING) == (POLICY,)


def test_a_short_policy_has_defaults() -> None:
    """It is stamped when it is published, speaks npm, and is called after its component."""
    (policy,) = parse_policies('{component: npm:left-pad, required_baseline: "2026.1"}')

    assert (policy.policy_id, policy.published_at, policy.dialect) == ("npm:left-pad", 0, "npm")


letters = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])
texts = st.text(letters, max_size=8)
some = st.lists(st.text(letters, min_size=1, max_size=8), min_size=1, max_size=2).map(tuple)
maybe = st.just(()) | some
ids = st.from_regex(r"[a-z@:./-]{1,12}", fullmatch=True)
advisories = st.builds(
    Advisory,
    id=ids,
    aliases=maybe,
    summary=texts,
    severity=st.sampled_from(["", *SEVERITIES]),
    affected=some,
    fixed=maybe,
    url=texts,
    withdrawn_at=st.none() | st.integers(NOON, NOON + 10**9),
)
policies = st.builds(
    SecurityPolicy,
    component_id=ids,
    policy_id=ids,
    published_at=st.integers(NOON, NOON + 10**9),
    publisher=texts,
    required_baseline=texts,
    advisories=st.lists(advisories, max_size=2, unique_by=lambda advisory: advisory.id).map(tuple),
    dialect=st.sampled_from(["npm", "pep440"]),
)


@settings(max_examples=50, deadline=None)  # the first one pays for imports
@given(policies)
def test_what_is_written_reads_as_the_same_policy(policy: SecurityPolicy) -> None:
    """In YAML, in JSON and as Avro."""
    assert (policy,) == parse_policies(to_yaml(written(policy)))
    assert (policy,) == parse_policies(json.dumps(written(policy)), json=True)
    assert policy == policy_from_record(
        SCHEMA.decode(SCHEMA.encode(policy_to_record(policy, statement_of(policy, 1), "")), SCHEMA)
    )


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        pytest.param("", "", "expected a policy", id="nothing"),
        pytest.param("{component: a b}", "component", "without spaces", id="a component with a blank"),
        pytest.param("{component: a, advisorys: []}", "advisorys", "did you mean `advisories`", id="a typo"),
        pytest.param("{component: a, required_baseline: 2026.10}", "required_baseline", "2026.10", id="a float"),
        pytest.param("{component: a, dialect: rpm}", "dialect", "`rpm`", id="a dialect"),
        pytest.param("{component: a, advisories: {}}", "advisories", "expected a list", id="a mapping"),
        pytest.param("{component: a, advisories: [x]}", "advisories[0]", "expected a mapping", id="a word"),
        pytest.param(
            "{component: a, advisories: [{id: x}]}", "advisories[0].affected", "at least one", id="no range"
        ),
        pytest.param(
            "{component: a, advisories: [{id: x, affected: ['*'], severity: dire}]}",
            "advisories[0].severity",
            "`dire`",
            id="a severity",
        ),
        pytest.param(
            "- {component: a}\n- {component: b, published_at: soon}", "[1].published_at", "a time", id="in a list"
        ),
    ],
)
def test_a_problem_has_its_place(text: str, where: str, message: str) -> None:
    _, problems = inspect_policies(text)

    assert any(problem.where == where and message in problem.message for problem in problems), problems


def test_files_of_one_component_are_one_policy(tmp_path: Path) -> None:
    """One states the baseline, the other an advisory; what excludes the other is refused."""
    one, two, three = tmp_path / "1.yaml", tmp_path / "2.yaml", tmp_path / "3.yaml"
    one.write_text('{component: a, required_baseline: "2"}')
    two.write_text('{component: a, advisories: [{id: x, affected: ["*"]}]}')
    three.write_text('{component: a, required_baseline: "3"}')

    (policy,) = load_policies([one, two])
    assert (policy.required_baseline, len(policy.advisories)) == ("2", 1)
    with pytest.raises(DocumentRefused, match="a: expected one required_baseline, found `2` and `3`"):
        load_policies([one, three])


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentRefused, match=r"missing\.yaml"):
        load_policies([tmp_path / "missing.yaml"])


def a_policy(text: str) -> SecurityPolicy:
    (policy,) = parse_policies(text)
    return policy


@pytest.mark.parametrize(
    ("text", "is_error", "message"),
    [
        pytest.param("affected: [one]", True, "every version", id="an unreadable range applies to all"),
        pytest.param("affected: ['*'], severity: low", False, "every version is affected", id="everything"),
        pytest.param("affected: [<1.0.0]", False, "not known, so it blocks", id="no severity"),
        pytest.param("affected: [<1.0.0], fixed: [0.9.0]", False, "itself affected", id="a fix that is none"),
        pytest.param("affected: [<1.0.0], fixed: [1.0.0-rc.1]", False, "itself affected", id="a candidate"),
        pytest.param("affected: [<1.0.0], fixed: [one]", False, "not a version", id="a fix that is no version"),
        pytest.param("affected: [<1.0.0], withdrawn_at: 2100-01-01", False, "until then", id="withdrawn later"),
    ],
)
def test_lint_finds(text: str, is_error: bool, message: str) -> None:
    notices = lint(a_policy(f"{{component: a, advisories: [{{id: x, {text}}}]}}"), NOON)

    assert any(notice.is_error is is_error and message in notice.message for notice in notices), notices


def test_lint_knows_what_a_baseline_is() -> None:
    """What cannot be compared would count as below for everybody."""
    (notice,) = lint(a_policy("{component: a, required_baseline: latest}"), NOON)

    assert notice.is_error


@pytest.mark.parametrize(
    ("component", "is_warned_of"),
    [
        ("npm:com.acme.plugins.crm", True),
        ("com.acme.plugins.crm", False),
        ("npm:lodash", False),
        ("npm:lodash.merge", False),
        ("Maven:org.apache.logging.log4j:log4j-core", False),
    ],
)
def test_a_package_that_is_spelt_like_a_plugin_is_told_of(component: str, is_warned_of: bool) -> None:
    """It is in force and matches no plugin: whoever meant the plugin would wait for a block that never comes."""
    notices = lint(a_policy(f'{{component: "{component}", required_baseline: "1.0"}}'), NOON)

    assert [(n.is_error, "--component com.acme.plugins.crm" in n.message) for n in notices] == (
        [(False, True)] if is_warned_of else []
    )


def test_a_sound_policy_has_no_notices() -> None:
    assert lint(POLICY, NOON) == []
