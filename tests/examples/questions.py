"""Compatibility questions out of a small world, in which everything that can be wrong goes wrong often."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from processors.events.subject import (
    Defect,
    Host,
    InstalledPlugin,
    Lifecycle,
    Manifest,
    Migration,
    Provision,
    Requirement,
    Subject,
)
from processors.matrix.document import HostDeclaration, MatrixDocument, Override, Release, Rule
from processors.matrix.merged import Matrix
from processors.policies import Advisory, Policies, SecurityPolicy

NOON = 1_795_521_600_000
HOUR = 3_600_000

ids = st.sampled_from(["a", "b", "c", "d"])
versions = st.sampled_from(["1.0.0", "1.2.0", "1.2.3", "2.0.0", "2.1.0-rc.1", "3.0.0", "odd"])
ranges = st.sampled_from(
    ["", "*", ">=1.0.0", ">=2.0.0", "^1.2.0", "~1.2.1", "<2.0.0", ">=3.0.0", ">2.0.0 <1.0.0", ">=1, <2"]
)
apis = st.sampled_from(["api", "schema:order"])
provisions = st.builds(Provision, apis, versions)
uses = st.builds(Requirement, apis, ranges, st.booleans())
requirements = st.builds(Requirement, ids, ranges, st.booleans())
runtimes = st.builds(Requirement, st.sampled_from(["go", "node"]), ranges)
databases = st.builds(Requirement, st.sampled_from(["postgres", "mysql"]), ranges)
migrations = st.builds(
    Migration,
    id=st.sampled_from(["0001", "0002", ""]),
    driver=st.sampled_from(["", "postgres", "mysql"]),
    checksum=st.sampled_from(["", "x", "y"]),
    reversible=st.sampled_from([None, True, False]),
    from_version=st.sampled_from(["", "1", "2"]),
    to_version=st.sampled_from(["", "2"]),
)
lifecycles = st.builds(
    Lifecycle,
    st.sampled_from(["", "active", "deprecated", "sunset"]),
    st.sampled_from([None, NOON - HOUR, NOON + HOUR]),
    st.sampled_from([None, NOON - HOUR, NOON + HOUR]),
    st.sampled_from(["", "b"]),
)


def few(strategy: st.SearchStrategy, most: int = 2) -> st.SearchStrategy:
    return st.lists(strategy, max_size=most).map(tuple)


installed = st.builds(
    InstalledPlugin,
    ids,
    versions,
    st.booleans(),
    few(requirements),
    few(requirements, 1),
    few(provisions, 1),
    few(uses, 1),
    few(migrations, 1),
    st.sampled_from(["", "1", "2"]),
)
manifests = st.builds(
    Manifest,
    id=ids,
    version=versions,
    host_range=st.none() | ranges,
    min_host=st.none() | versions,
    max_host=st.none() | versions,
    requires=few(requirements),
    conflicts=few(requirements, 1),
    replaces=few(ids, 1),
    runtimes=st.none() | few(runtimes),
    databases=few(databases),
    provides=few(provisions, 1),
    consumes=few(uses, 1),
    migrations=few(migrations),
    data_format=st.sampled_from(["", "1", "2"]),
    lifecycle=lifecycles,
    security_baseline=st.sampled_from(["", "2026.1", "2026.2"]),
    components=few(st.builds(Provision, st.sampled_from(["ssl"]), versions), 1),
    defects=st.sampled_from([(), (), (), (Defect("version", "expected text, found a list"),)]),
)
subjects = st.builds(
    Subject,
    manifest=manifests,
    host=st.builds(Host, st.sampled_from(["h", "h", "other"]), versions, few(provisions, 1)),
    installed=few(installed, 4),
    runtimes=few(st.builds(Provision, st.sampled_from(["go", "node"]), versions)),
    database=st.none() | st.builds(Provision, st.just("postgresql"), versions),
    previous_version=st.none() | versions,
)
overrides = st.builds(
    Override,
    st.sampled_from(
        ["HOST_TOO_OLD", "DEPENDENCY_MISSING", "MATRIX_BLOCK", "vendor", "vendor#0", "CONSTRAINT_INVALID"]
    ),
    st.just("agreed"),
    st.sampled_from([NOON - HOUR, NOON + HOUR]),
)


class Row(NamedTuple):
    """A rule before its source numbers it."""

    plugin: str
    lowest: str | None
    highest: str | None
    action: str
    overrides: Override | None


rows = st.builds(
    Row,
    st.sampled_from(["*", "a", "b", "a*"]),
    st.none() | versions,
    st.none() | versions,
    st.sampled_from(["allow", "warn", "block"]),
    st.none() | overrides,
)
releases = st.builds(
    Release,
    st.just(""),
    st.just("1"),
    st.just(0),
    ids,
    versions,
    st.dictionaries(st.sampled_from(["h", "*"]), ranges, max_size=1),
    few(requirements, 1),
    few(requirements, 1),
    few(runtimes, 1),
    few(databases, 1),
    few(provisions, 1),
    few(uses, 1),
    few(migrations, 1),
    lifecycle=lifecycles,
)


def document(source: str, rules: tuple[Row, ...], catalogue: tuple[Release, ...], **head: object) -> MatrixDocument:
    """A source with its rows numbered as a file numbers them."""
    hosts = {"h": HostDeclaration("h", "npm", ("1.0.0", "2.0.0", "3.0.0"), (), "2026.1")}
    numbered = tuple(
        Rule(source, "1", n, "h", "", row.plugin, row.lowest, row.highest, row.action, overrides=row.overrides)
        for n, row in enumerate(rules)
    )
    listed = tuple(release._replace(source=source, row=n) for n, release in enumerate(catalogue))
    return MatrixDocument(
        source=source, revision="1", digest=f"sha256:{source}", rules=numbered, releases=listed, hosts=hosts, **head
    )


def documents(source: str) -> st.SearchStrategy[MatrixDocument]:
    undeclared = st.dictionaries(
        st.sampled_from(["host", "runtime", "matrix"]), st.sampled_from(["allow", "warn", "block"]), max_size=3
    )
    return st.builds(
        lambda rules, catalogue, stated: document(source, rules, catalogue, undeclared=stated),
        few(rows, 3),
        few(releases, 4),
        undeclared,
    )


stood = st.lists(
    st.tuples(
        st.one_of(documents("governance"), documents("vendor"), documents("security")),
        st.just(NOON - HOUR),
        st.sampled_from([NOON - 1, NOON + HOUR, NOON + HOUR, NOON + HOUR]),
    ),
    max_size=3,
    unique_by=lambda entry: entry[0].source,
)
matrices = stood.map(Matrix.of)
advisories = st.builds(
    Advisory,
    id=st.just("CVE-1"),
    severity=st.sampled_from(["", "critical", "low"]),
    affected=few(ranges),
    withdrawn_at=st.sampled_from([None, NOON - HOUR, NOON + HOUR]),
)
policies = st.lists(
    st.builds(
        SecurityPolicy,
        component_id=st.sampled_from(["a", "ssl"]),
        policy_id=st.just("SEC-1"),
        published_at=st.just(0),
        required_baseline=st.sampled_from(["", "2026.2"]),
        advisories=few(advisories, 1),
    ),
    max_size=2,
).map(Policies.of)


class Question(NamedTuple):
    """All that a check looks at, but the time."""

    subject: Subject
    matrix: Matrix
    policies: Policies


questions = st.builds(Question, subjects, matrices, policies)
