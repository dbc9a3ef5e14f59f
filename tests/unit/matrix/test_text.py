"""A matrix as people write it: read as it is meant, or refused with its place and the way out."""

import json
from pathlib import Path

import pytest
import yaml
from examples.matrices import HOUR, NOON, a_document, a_rule, documents
from hypothesis import given, settings

from processors.configuration.settings import shipped
from processors.documents.yaml_writing import to_yaml
from processors.errors import DocumentRefused
from processors.events.subject import Lifecycle, Migration, Provision, Requirement
from processors.events.vocabulary import Dimension, Severity
from processors.matrix.document import DAY, DEFAULT_SEVERITIES, DEFAULT_WEIGHTS, HostDeclaration, Override
from processors.matrix.document import Governance as Watch
from processors.matrix.lint import lint
from processors.matrix.text import inspect_matrix, load_matrix, parse_matrix
from processors.matrix.writing import written

INCUMBENT = """
matrix:
  - host: corex
    plugin: com.powerx.legacy*
    min_version: "1.0.0"
    max_version: "1.5.0"
    action: block
    notes: schema mismatch
"""

EVERYTHING = """
source: vendor
revision: "7"
published_at: 2026-11-24T12:00:00Z
expires_after: 7d
hosts: {corex: {dialect: npm, releases: ["1.8.0"], components: [iam], security_baseline: "2026.1"}}
undeclared: {host: warn}
weights: {host: 10, api-schema: 20}
severity: {pre-release: 30}
governance: {scan_interval: 30m, max_report_age: 24h, alert_channel: ops, escalation_after: 90s}
matrix:
  - {host: corex, host_range: ">=1.0.0", plugin: com.a, action: warn, docs: "https://a", labels: {a: b},
     overrides: {what: HOST_TOO_OLD, why: agreed, until: 2026-11-24T13:00:00+01:00}}
releases:
  - plugin: com.a
    version: "1.10"
    host: ">=1.8.0"
    requires: ["com.b >=0.5.0 <2", com.c, {id: com.d, range: "^1", optional: true}]
    conflicts: [com.e]
    runtime: {go: ">=1.21"}
    database: {postgresql: ">=14"}
    provides: ["api 1.2.0", {id: schema, version: "2"}]
    consumes: ["api ^1"]
    migrations: [{id: "1", driver: postgresql, reversible: false, once: true}]
    data_format: "3"
    lifecycle: {status: deprecated, sunset_at: 2026-11-25, replacement: com.f}
    security_baseline: "2026.1"
  - {plugin: com.b, version: "1.0.0", hosts: {corex: ">=1.8.0", other: ""}, lifecycle: active}
"""


def test_the_file_of_the_incumbent_loads_as_it_is() -> None:
    """Rows and nothing else: of governance, for a day, with a revision from its content."""
    document = parse_matrix(INCUMBENT)

    (rule,) = document.rules
    assert (document.source, document.expires_after, document.published_at) == ("governance", DAY, None)
    assert document.digest == f"sha256:{document.revision}{document.digest[19:]}"
    assert rule[2:10] == (0, "corex", "", "com.powerx.legacy*", "1.0.0", "1.5.0", "block", "schema mismatch")


def test_every_field_is_read() -> None:
    document = parse_matrix(EVERYTHING)

    (rule,), (one, two) = document.rules, document.releases
    assert (document.source, document.revision) == ("vendor", "7")
    assert (document.published_at, document.expires_after) == (NOON, 7 * DAY)
    assert document.hosts == {"corex": HostDeclaration("corex", "npm", ("1.8.0",), ("iam",), "2026.1")}
    assert document.undeclared == {"host": "warn"}
    assert document.weights == {Dimension.HOST: 10, Dimension.API_SCHEMA: 20}
    assert document.severity == {Severity.PRERELEASE: 30}
    assert document.governance == Watch(HOUR // 2, 24 * HOUR, "ops", 90_000)
    assert (rule.docs, dict(rule.labels)) == ("https://a", {"a": "b"})
    assert rule.overrides == Override("HOST_TOO_OLD", "agreed", NOON)
    assert (one.version, dict(one.hosts)) == ("1.10", {"*": ">=1.8.0"})
    assert one.requires == (
        Requirement("com.b", ">=0.5.0 <2"),
        Requirement("com.c"),
        Requirement("com.d", "^1", optional=True),
    )
    assert (one.conflicts, one.runtimes) == ((Requirement("com.e"),), (Requirement("go", ">=1.21"),))
    assert (one.databases, one.consumes) == ((Requirement("postgresql", ">=14"),), (Requirement("api", "^1"),))
    assert one.provides == (Provision("api", "1.2.0"), Provision("schema", "2"))
    assert one.migrations == (Migration(id="1", driver="postgresql", reversible=False, once=True),)
    assert (one.data_format, one.security_baseline) == ("3", "2026.1")
    assert one.lifecycle == Lifecycle("deprecated", None, NOON + 12 * HOUR, "com.f")
    assert (dict(two.hosts), two.lifecycle) == ({"corex": ">=1.8.0", "other": ""}, Lifecycle("active"))


ROW = "matrix: [{host: corex, plugin: a, action: block, %s}]"
RELEASE = 'releases: [{plugin: a, version: "1.0.0", %s}]'


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        pytest.param(ROW % "min_version: 1.10", "matrix[0].min_version", 'write "1.10"', id="a float"),
        pytest.param(ROW % "max_version: 2", "matrix[0].max_version", 'write "2"', id="a version as an integer"),
        pytest.param(ROW % "host_range: 1.8", "matrix[0].host_range", 'write "1.8"', id="a range as a number"),
        pytest.param(RELEASE % "host: 1.10", "releases[0].host", "the number 1.1", id="a host range as a number"),
        pytest.param(ROW % "min_verson: '1'", "matrix[0].min_verson", "did you mean `min_version`", id="a typo"),
        pytest.param("matrxi: []", "matrxi", "did you mean `matrix`", id="a typo at the top"),
        pytest.param("matrix: [{host: c, plugin: a, action: deny}]", "matrix[0].action", "`deny`", id="an action"),
        pytest.param("matrix: [{plugin: a, action: warn}]", "matrix[0].host", "found nothing", id="no host"),
        pytest.param("matrix: [{host: c, plugin: 'a b', action: warn}]", "matrix[0].plugin", "spaces", id="spaces"),
        pytest.param("matrix: [a]", "matrix[0]", "expected a mapping, found `a`", id="a row that is a word"),
        pytest.param("matrix: {}", "matrix", "expected a list, found a mapping", id="rows that are a mapping"),
        pytest.param("[]", "", "expected a matrix", id="a list"),
        pytest.param("", "", "expected a matrix", id="nothing"),
        pytest.param("source: Vendor/1", "source", "lower-case", id="a source that cannot be a key"),
        pytest.param("expires_after: 1 day", "expires_after", "30m, 24h or 7d", id="a duration in words"),
        pytest.param("expires_after: 0s", "expires_after", "above zero", id="expired at once"),
        pytest.param("published_at: 2026-11-24T00:00:00", "published_at", "zone", id="a time without its zone"),
        pytest.param("published_at: yesterday", "published_at", "zone", id="no time"),
        pytest.param("weights: {host: 101}", "weights.host", "0 to 100", id="more than everything"),
        pytest.param("weights: {host: 1.5}", "weights.host", "0 to 100", id="half a percent"),
        pytest.param("weights: {hots: 1}", "weights.hots", "did you mean `host`", id="a typo in a weight"),
        pytest.param("undeclared: {host: maybe}", "undeclared.host", "block, warn, allow", id="a policy"),
        pytest.param("hosts: {c: {dialect: semver}}", "hosts.c.dialect", "npm", id="a dialect"),
        pytest.param("hosts: {c: {releases: [1.8]}}", "hosts.c.releases[0]", 'write "1.8"', id="a host version"),
        pytest.param(RELEASE % "host: '', hosts: {}", "releases[0].host", "found both", id="host and hosts"),
        pytest.param(RELEASE % "requires: a", "releases[0].requires", "a list", id="needs that are a word"),
        pytest.param(RELEASE % "requires: [1]", "releases[0].requires[0]", "text", id="a need that is a number"),
        pytest.param(
            RELEASE % "requires: ['>=1']", "releases[0].requires[0]", "an id and", id="a need without an id"
        ),
        pytest.param(
            RELEASE % "conflicts: {'a<2': '*'}", "releases[0].conflicts", "apart from it", id="a range in an id"
        ),
        pytest.param(
            RELEASE % "conflicts: [{id: a^2}]", "releases[0].conflicts[0].id", "apart", id="a range in a named id"
        ),
        pytest.param(ROW % "overrides: {what: X, why: y}", "matrix[0].overrides.until", "ends", id="without end"),
        pytest.param(
            ROW % "overrides: {what: X, until: 2026-12-01}", "matrix[0].overrides.why", "nothing", id="without why"
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, where: str, message: str) -> None:
    """A line, a path, what was expected and found, and the way out."""
    _, problems = inspect_matrix(text)

    assert [(problem.where, message in problem.message) for problem in problems] == [(where, True)]
    assert where == "" or problems[0].line == 1


def test_all_problems_are_found_at_once() -> None:
    """And the refusal says how many there are."""
    text = "matrix:\n- {host: corex, plugin: a, action: blok}\n- {host: corex, action: warn, min_version: 1.0}\n"

    _, problems = inspect_matrix(text)
    assert [(problem.line, problem.where) for problem in problems] == [
        (2, "matrix[0].action"),
        (3, "matrix[1].plugin"),
        (3, "matrix[1].min_version"),
    ]
    with pytest.raises(DocumentRefused, match=r"line 2, matrix\[0\]\.action: .*\(and 2 more\)"):
        parse_matrix(text)


def test_the_digest_is_of_the_content() -> None:
    """Neither layout nor times nor revision change it; any row does."""
    rows = yaml.safe_load(INCUMBENT)
    same = [
        INCUMBENT,
        yaml.safe_dump(rows, default_flow_style=True),
        "published_at: 2026-11-24\nrevision: other\nexpires_after: 7d\n" + INCUMBENT,
    ]

    assert len({parse_matrix(text).digest for text in same}) == 1
    assert parse_matrix(json.dumps(rows), json=True).digest == parse_matrix(INCUMBENT).digest
    assert parse_matrix(INCUMBENT.replace("1.5.0", "1.5.1")).digest != parse_matrix(INCUMBENT).digest
    assert parse_matrix("source: vendor\n" + INCUMBENT).digest != parse_matrix(INCUMBENT).digest


def test_the_digest_is_what_it_has_always_been() -> None:
    """A change of it would make every publisher and reader of different releases refuse each other."""
    digest = "sha256:c64aa35a71f5bdc9b2d864f00d2722160148c37ce5e60acc3cc44a58f8683aee"

    assert parse_matrix(EVERYTHING).digest == digest


@settings(max_examples=50, deadline=None)
@given(documents())
def test_a_matrix_written_as_yaml_or_json_reads_the_same(document: object) -> None:
    """So what `matrix show` prints can be published again, with the same digest."""
    values = written(document)  # type: ignore[arg-type]

    assert parse_matrix(to_yaml(values)) == document
    assert parse_matrix(json.dumps(values), json=True) == document


@pytest.mark.parametrize(
    "text", ["1.10", "1e5", "1.0e5", "007", "~", "null", "true", ".nan", "no", "a: b", "#", "<<", "é"]
)
def test_a_text_that_looks_like_something_else_is_written_in_quotes(text: str) -> None:
    document = a_document(a_rule(notes=text, labels={text: text}))

    assert parse_matrix(to_yaml(written(document))) == document


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentRefused, match="cannot be opened"):
        load_matrix(tmp_path / "none.yaml")


def test_a_json_file_is_read_as_json(tmp_path: Path) -> None:
    """By its name; the content is the same."""
    file = tmp_path / "matrix.json"
    file.write_text(json.dumps(written(a_document(a_rule()))), encoding="utf-8")

    assert load_matrix(file) == a_document(a_rule())


def test_the_shipped_matrix_is_sound_and_spells_out_the_defaults() -> None:
    """Nothing to warn of; its weights and severities are the ones that hold without it."""
    document = load_matrix(shipped("config") / "compat_matrix.yaml")

    assert lint(document, NOON) == []
    assert (document.weights, document.severity) == (DEFAULT_WEIGHTS, DEFAULT_SEVERITIES)
    assert document.published_at is None


def test_what_is_not_known_is_told_in_the_order_of_the_file() -> None:
    """Whatever a process hashes: two runs over one file say the same."""
    names = ["zeta", "alpha", "mu", "beta", "omega", "gamma"]
    _, problems = inspect_matrix("\n".join(f"{name}: 1" for name in names))

    assert [problem.where for problem in problems] == names


@pytest.mark.parametrize("written", ["com.e <2.0.0", "com.e<2.0.0", "com.e  <2.0.0", "com.e@<2.0.0"])
def test_a_need_is_read_as_a_manifest_reads_it(written: str) -> None:
    """However the range is set off from the id: a range inside an id would be lost."""
    (release,) = parse_matrix(RELEASE % f"conflicts: ['{written}', '@acme/tool 1.x']").releases

    assert release.conflicts == (Requirement("com.e", "<2.0.0"), Requirement("@acme/tool", "1.x"))
