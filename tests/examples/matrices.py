"""Matrices to test with: builders with sensible defaults, and hypothesis strategies that reach every field."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from processors.events.subject import Lifecycle, Migration, Provision, Requirement
from processors.events.vocabulary import Dimension, Severity
from processors.matrix.canonical import digest_of
from processors.matrix.document import (
    STRICTEST_FIRST,
    Governance,
    Head,
    HostDeclaration,
    MatrixDocument,
    Override,
    Release,
    Rule,
)

NOON = 1_795_521_600_000
"""2026-11-24T12:00:00Z"""

HOUR = 3_600_000
COREX = {"corex": HostDeclaration("corex", "npm", ("1.8.0", "1.9.0", "2.0.0"))}


def a_rule(plugin: str = "com.acme.crm", action: str = "block", **more: Any) -> dict[str, Any]:
    """The fields of a rule; `a_document` gives it its source and row."""
    return {
        "host": "corex", "host_range": "", "min_version": None, "max_version": None,
        "plugin": plugin, "action": action, **more,
    }  # fmt: skip


def a_release(plugin: str, version: str, **more: Any) -> dict[str, Any]:
    return {"plugin": plugin, "version": version, **more}


def a_document(
    *rules: dict[str, Any],
    source: str = "governance",
    releases: tuple[dict[str, Any], ...] = (),
    revision: str = "1",
    **head: Any,
) -> MatrixDocument:
    """A source's matrix, with the digest of its content."""
    stated = Head(**{"hosts": COREX, **head})
    of_rules = tuple(Rule(source=source, revision=revision, row=n, **rule) for n, rule in enumerate(rules))
    of_releases = tuple(Release(source=source, revision=revision, row=n, **r) for n, r in enumerate(releases))
    return MatrixDocument(
        source=source,
        revision=revision,
        digest=digest_of(source, stated, of_rules, of_releases),
        rules=of_rules,
        releases=of_releases,
        hosts=stated.hosts,
        undeclared=stated.undeclared,
        weights=stated.weights,
        severity=stated.severity,
        governance=stated.governance,
    )


def stated_by(source: str, document: MatrixDocument) -> MatrixDocument:
    """The same, of another source."""
    return replace(
        document,
        source=source,
        rules=tuple(rule._replace(source=source) for rule in document.rules),
        releases=tuple(release._replace(source=source) for release in document.releases),
    )


ids = st.sampled_from(["com.acme.crm", "com.acme.chat", "com.acme.crm.pro", "org.crm"])
patterns = ids | st.sampled_from(["com.acme.*", "*crm", "*", "com.*.crm", "com.acme.c*", "com.*m*"])
versions = st.sampled_from(["0.9.0", "1.0.0", "1.2.0", "1.2.0-rc.1", "1.5.0", "2.0.0"])
ranges = st.sampled_from(["", ">=1.0.0", "<2.0.0", ">=1.8.0 <2.0.0", "^1.8.0 || ^2.0.0", ">=2.0.0"])
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)
labels = st.dictionaries(texts.filter(bool), texts, max_size=2)
instants = st.integers(NOON, NOON + 10**9)

overrides = st.builds(
    Override,
    what=st.sampled_from(["HOST_TOO_OLD", "MATRIX_BLOCK", "vendor", "vendor#0", "security#1"]),
    why=st.just("the vendor agreed"),
    until=instants,
)
rules = st.fixed_dictionaries(
    {
        "host": st.sampled_from(["corex", "other"]),
        "host_range": ranges,
        "plugin": patterns,
        "min_version": st.none() | versions,
        "max_version": st.none() | versions,
        "action": st.sampled_from(STRICTEST_FIRST),
        "notes": texts,
        "docs": texts,
        "labels": labels,
        "overrides": st.none() | overrides,
    }
)
needs = st.lists(st.builds(Requirement, ids, ranges, st.booleans()), max_size=2).map(tuple)
provisions = st.lists(st.builds(Provision, ids, versions), max_size=2).map(tuple)
migrations = st.lists(
    st.builds(Migration, texts, texts, texts, texts, st.none() | st.booleans(), st.booleans(), texts, texts),
    max_size=2,
).map(tuple)
releases = st.fixed_dictionaries(
    {
        "plugin": ids,
        "version": versions,
        "hosts": st.dictionaries(st.sampled_from(["corex", "other", "*"]), ranges, max_size=2),
        "requires": needs,
        "conflicts": needs,
        "runtimes": needs,
        "databases": needs,
        "provides": provisions,
        "consumes": needs,
        "migrations": migrations,
        "data_format": texts,
        "lifecycle": st.builds(
            Lifecycle,
            st.sampled_from(["", "active", "deprecated"]),
            st.none() | instants,
            st.none() | instants,
            st.just("") | ids,
        ),
        "security_baseline": texts,
    }
)
heads = st.fixed_dictionaries(
    {
        "undeclared": st.dictionaries(
            st.sampled_from(["host", "runtime", "matrix"]), st.sampled_from(STRICTEST_FIRST)
        ),
        "weights": st.dictionaries(st.sampled_from([Dimension.HOST, Dimension.API_SCHEMA]), st.integers(0, 100)),
        "severity": st.dictionaries(st.sampled_from([Severity.MAJOR, Severity.PRERELEASE]), st.integers(0, 100)),
        "governance": st.builds(
            Governance,
            st.none() | st.integers(0, 10**9),
            st.none() | st.integers(0, 10**9),
            st.just("") | st.just("platform-oncall"),
            st.none() | st.integers(0, 10**9),
        ),
    }
)


@st.composite
def documents(draw: st.DrawFn, source: str | None = None, most: int = 8) -> MatrixDocument:
    """Whole documents, every field of every row in use."""
    return a_document(
        *draw(st.lists(rules, max_size=most)),
        source=source or draw(st.sampled_from(["governance", "security", "vendor"])),
        releases=tuple(draw(st.lists(releases, max_size=most // 2))),
        revision=draw(st.sampled_from(["1", "2026.11-1"])),
        **draw(heads),
    )
