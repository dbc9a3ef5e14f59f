"""What a source may say of things that are not its own: it can tighten an answer, and never make it milder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest
from examples import questions as ask
from examples.matrices import HOUR, NOON, a_document, a_release, a_rule, stated_by
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processors.checker.check import check
from processors.events.report import Report
from processors.events.subject import (
    Host,
    InstalledPlugin,
    Lifecycle,
    Manifest,
    Migration,
    Provision,
    Requirement,
    Subject,
)
from processors.events.vocabulary import Band, Code, Dimension, Severity, Verdict
from processors.matrix.document import (
    DEFAULT_SEVERITIES,
    DEFAULT_WEIGHTS,
    HostDeclaration,
    MatrixDocument,
    PluginScheme,
)
from processors.matrix.merged import Matrix
from processors.matrix.uncounted import beside_governance
from processors.policies import NO_POLICIES, Policies
from processors.trust.scope import Scope
from processors.versions import Dialect

DAY: Final = 24 * HOUR
MILDEST_FIRST: Final = (Verdict.ALLOW, Verdict.WARN, Verdict.BLOCK)
BANDS: Final = (Band.NONE, Band.LOW, Band.MEDIUM, Band.HIGH, Band.CRITICAL)
ALL: Final[Mapping[str, Any]] = {"host": "allow", "runtime": "allow", "matrix": "allow"}
GOVERNANCE: Final = a_document(a_rule("com.acme.*", "allow"), undeclared=ALL)
STRICT: Final = a_document(a_rule("com.acme.crm", "warn"))
"""It states nothing of what is undeclared, so that the defaults count."""

CRM: Final = InstalledPlugin("com.acme.crm", "3.0.0")
OLD: Final = InstalledPlugin("com.acme.old", "1.0.0")
NEEDS_OLD: Final = InstalledPlugin("com.acme.z", "1.0.0", requires=(Requirement("com.acme.old"),))
OWN: Final = Scope(("com.acme.*",), frozenset({"corex"}))
NO_WEIGHT: Final = {
    "weights": dict.fromkeys(DEFAULT_WEIGHTS, 0),
    "severity": dict.fromkeys(DEFAULT_SEVERITIES, 0),
}


def asked(*installed: InstalledPlugin, host: str = "corex", kind: str = "", **stated: Any) -> Subject:
    known = {"id": "com.acme.app", "version": "2.0.0", "host_range": ">=1.0.0", "runtimes": (), "host": kind}
    return Subject(manifest=Manifest(**{**known, **stated}), host=Host(host, "1.9.0"), installed=installed)


def of_vendor(*rules: dict[str, Any], **stated: Any) -> MatrixDocument:
    schemes = stated.pop("plugins", ())
    document = a_document(*rules, **{"source": "a-vendor", "hosts": {}, **stated})
    return replace(document, plugins=schemes)


def merged(*documents: MatrixDocument, scopes: Mapping[str, Scope] | None = None) -> Matrix:
    return Matrix.of([(document, NOON - HOUR, NOON + DAY) for document in documents], scopes)


def answer(subject: Subject, matrix: Matrix, policies: Policies = NO_POLICIES) -> Report:
    return check(subject, matrix, NOON, "sha256:0", policies).report


def severity(report: Report) -> tuple[int, int, int]:
    return MILDEST_FIRST.index(report.verdict), report.risk.score, BANDS.index(report.risk.band)


def needing(id: str, range: str = ">=1.0.0") -> dict[str, Any]:
    return {"requires": (Requirement(id, range),)}


def using(range: str) -> dict[str, Any]:
    return {"consumes": (Requirement("crm.api", range),)}


def listing(version: str = "2.0.0", plugin: str = "com.acme.app", **stated: Any) -> MatrixDocument:
    return of_vendor(releases=(a_release(plugin, version, **stated),))


def upgrading(*migrations: Migration, **stated: Any) -> Subject:
    return asked(InstalledPlugin("com.acme.app", "1.0.0", data_format="1"), migrations=migrations, **stated)


LOOSENING: Final = {
    "components of a host": (
        GOVERNANCE,
        asked(**needing("com.acme.crm")),
        of_vendor(hosts={"corex": HostDeclaration("corex", components=("com.acme.crm",))}),
    ),
    "the scheme of all plugins": (
        GOVERNANCE,
        asked(CRM, **needing("com.acme.crm", "1.2.0")),
        of_vendor(plugins=(PluginScheme("*", "minimum"),)),
    ),
    "the scheme of one plugin": (
        GOVERNANCE,
        asked(CRM, **needing("com.acme.crm", "1.2.0")),
        of_vendor(plugins=(PluginScheme("com.acme.crm", "maven"),)),
    ),
    "the dialect of a host": (
        a_document(a_rule("com.acme.*", "allow"), undeclared=ALL, hosts={}),
        asked(host_range="1.2.0"),
        of_vendor(hosts={"corex": HostDeclaration("corex", "minimum")}),
    ),
    "an interface that an installed plugin offers": (
        GOVERNANCE,
        asked(CRM, InstalledPlugin("com.acme.z", "1.0.0", provides=(Provision("x", "1"),)), **using("^2.0.0")),
        listing("3.0.0", "com.acme.crm", provides=(Provision("crm.api", "2.0.0"),)),
    ),
    "an interface that the plugin itself offers": (
        GOVERNANCE,
        asked(InstalledPlugin("com.acme.z", "1.0.0", provides=(Provision("x", "1"),)), **using("^2.0.0")),
        listing(provides=(Provision("crm.api", "2.0.0"),)),
    ),
    "a stand-in": (
        GOVERNANCE,
        asked(InstalledPlugin("com.acme.z", "1.0.0"), **needing("com.acme.crm")),
        listing("1.0.0", "com.acme.z", provides=(Provision("com.acme.crm", "1.0.0"),)),
    ),
    "a stand-in for what is replaced": (
        GOVERNANCE,
        asked(OLD, NEEDS_OLD, replaces=("com.acme.old",)),
        listing(provides=(Provision("com.acme.old", "1.0.0"),)),
    ),
    "weights and severities": (GOVERNANCE, asked(**needing("com.acme.crm")), of_vendor(**NO_WEIGHT)),
    "what happens to an undeclared host range": (STRICT, asked(host_range=None), of_vendor(undeclared=ALL)),
    "what happens to an unlisted plugin": (STRICT, asked(), of_vendor(undeclared=ALL)),
    "what happens to an undeclared runtime": (STRICT, asked(runtimes=None), of_vendor(undeclared=ALL)),
    "a host range": (STRICT, asked(host_range=None), listing(hosts={"corex": "*"})),
    "a host range that is barely missed": (STRICT, asked(host_range=None), listing(hosts={"corex": ">=1.9.1"})),
    "a runtime": (STRICT, asked(runtimes=None), listing(runtimes=(Requirement("go"),))),
    "a listed release": (STRICT, asked(), listing()),
    "a row that allows": (STRICT, asked(), of_vendor(a_rule("*", "allow"))),
    "a row that warns where the unlisted is blocked": (
        a_document(undeclared={"matrix": "block"}),
        asked(),
        of_vendor(a_rule("*", "warn")),
    ),
    "the name of a host in a row": (
        GOVERNANCE,
        asked(host="corexx", host_range="*"),
        of_vendor({**a_rule("*", "allow"), "host": "corexx"}),
    ),
    "the name of a host": (
        GOVERNANCE,
        asked(host="corexx"),
        of_vendor(hosts={"corexx": HostDeclaration("corexx")}),
    ),
    "that a manifest is for another host": (
        a_document(undeclared=ALL, hosts={"platform": HostDeclaration("platform")}),
        asked(host="platform", kind="edge", host_range=">=2.0.0"),
        of_vendor(hosts={"edge": HostDeclaration("edge")}),
    ),
    "which host a governed release is for": (
        a_document(
            a_rule("com.acme.*", "allow"),
            undeclared=ALL,
            hosts={},
            releases=(a_release("com.acme.app", "2.0.0", hosts={"*": ">=2.0.0"}),),
        ),
        asked(host_range="*"),
        of_vendor(hosts={"edge": HostDeclaration("edge")}),
    ),
    "a need of what is replaced": (
        GOVERNANCE,
        asked(OLD, NEEDS_OLD, replaces=("com.acme.old",)),
        listing(requires=(Requirement("com.acme.old"),)),
    ),
    "a security baseline": (
        a_document(
            a_rule("com.acme.*", "allow"),
            undeclared=ALL,
            hosts={"corex": HostDeclaration("corex", security_baseline="2026.1")},
        ),
        asked(),
        listing(security_baseline="2026.2"),
    ),
    "a migration that has run": (
        GOVERNANCE,
        asked(InstalledPlugin("com.acme.app", "1.0.0"), migrations=(Migration("0001", reversible=False),)),
        listing("1.0.0", migrations=(Migration("0001"),)),
    ),
    "the migrations of a release, instead of governance's": (
        a_document(
            a_rule("com.acme.*", "allow"),
            undeclared=ALL,
            releases=(a_release("com.acme.app", "2.0.0", migrations=(Migration("0001", reversible=False),)),),
        ),
        asked(InstalledPlugin("com.acme.app", "1.0.0")),
        listing(migrations=(Migration("0001", reversible=True),)),
    ),
    "a migration to another format": (
        GOVERNANCE,
        upgrading(data_format="2"),
        listing(migrations=(Migration("0001", reversible=True),)),
    ),
    "the format of data, instead of governance's": (
        a_document(
            a_rule("com.acme.*", "allow"),
            undeclared=ALL,
            releases=(a_release("com.acme.app", "2.0.0", data_format="2"),),
        ),
        upgrading(),
        listing(data_format="1"),
    ),
    "that a release is supported": (
        a_document(
            a_rule("com.acme.*", "allow"),
            undeclared=ALL,
            releases=(a_release("com.acme.app", "2.0.0", lifecycle=Lifecycle("sunset")),),
        ),
        asked(),
        listing(lifecycle=Lifecycle("active")),
    ),
    "a row that overrides": (
        a_document(a_rule("com.acme.*", "block")),
        asked(),
        of_vendor(a_rule("com.acme.app", "allow")),
    ),
}
"""Each kind of fact by which a source could let something pass: the governed matrix, the question, the source."""


@pytest.mark.parametrize("fact", LOOSENING)
@pytest.mark.parametrize("name", ["a-vendor", "z-vendor"])
def test_no_fact_about_what_is_not_its_own_makes_an_answer_milder(fact: str, name: str) -> None:
    """Neither of a source whose name comes before governance's, nor of one whose name comes after it."""
    governed, subject, stated = LOOSENING[fact]
    vendor = stated_by(name, stated)
    alone, beside = answer(subject, merged(governed)), answer(subject, merged(governed, vendor))

    assert severity(alone) > (0, 0, 0)
    assert severity(beside) >= severity(alone)
    assert {f.code for f in alone.findings} <= {f.code for f in beside.findings}


DO_NOT_LOOSEN: Final = frozenset(
    {
        "a row that warns where the unlisted is blocked",  # it warns itself
        "that a release is supported",  # every statement about a release's support binds
        "a row that overrides",  # the deciding row of every source binds
        "which host a governed release is for",
        "a host range that is barely missed",
    }
)


@pytest.mark.parametrize("fact", sorted(LOOSENING.keys() - DO_NOT_LOOSEN))
def test_a_source_that_speaks_for_it_may_let_it_pass(fact: str) -> None:
    """Else the rows of the table could not make anything milder, and would test nothing."""
    governed, subject, stated = LOOSENING[fact]
    everything = Scope(("*",), frozenset({"corex", "corexx", "edge"}))
    spoken_for = merged(governed, stated, scopes={"a-vendor": everything})

    assert severity(answer(subject, spoken_for)) < severity(answer(subject, merged(governed)))


TIGHTENING: Final = {
    "a row that blocks": (asked(), of_vendor(a_rule("com.acme.app", "block")), Code.MATRIX_BLOCK),
    "a row that warns": (asked(), of_vendor(a_rule("com.acme.app", "warn")), Code.MATRIX_WARN),
    "a row that cannot be read": (asked(), of_vendor(a_rule(min_version="?", plugin="*")), Code.CONSTRAINT_INVALID),
    "a host range": (asked(), listing(hosts={"corex": ">=2.0.0"}), Code.HOST_TOO_OLD),
    "a need": (asked(), listing(requires=(Requirement("com.acme.crm"),)), Code.DEPENDENCY_MISSING),
    "a conflict": (asked(CRM), listing(conflicts=(Requirement("com.acme.crm", "*"),)), Code.PLUGIN_CONFLICT),
    "a conflict of what is installed": (
        asked(CRM),
        listing("3.0.0", "com.acme.crm", conflicts=(Requirement("com.acme.app", "*"),)),
        Code.CONFLICT_REVERSE,
    ),
    "what a dependency needs": (
        asked(CRM, **needing("com.acme.crm")),
        listing("3.0.0", "com.acme.crm", requires=(Requirement("com.acme.db"),)),
        Code.DEPENDENCY_MISSING,
    ),
    "a runtime": (
        replace(asked(), runtimes=(Provision("go", "1.20"),)),
        listing(runtimes=(Requirement("go", ">=1.22"),)),
        Code.RUNTIME_TOO_OLD,
    ),
    "a database": (
        replace(asked(), database=Provision("mysql", "8.0")),
        listing(databases=(Requirement("postgresql", ">=15"),)),
        Code.DATABASE_UNSUPPORTED,
    ),
    "an interface that it uses": (
        asked(InstalledPlugin("com.acme.z", "1.0.0", provides=(Provision("x", "1"),))),
        listing(consumes=(Requirement("crm.api", "^2.0.0"),)),
        Code.API_BREAK,
    ),
    "the end of its support": (asked(), listing(lifecycle=Lifecycle("sunset")), Code.LIFECYCLE_SUNSET),
    "a migration that cannot be undone": (
        asked(InstalledPlugin("com.acme.app", "1.0.0")),
        listing(migrations=(Migration("0001", reversible=False),)),
        Code.MIGRATION_IRREVERSIBLE,
    ),
    "a release in between, with a migration": (
        asked(InstalledPlugin("com.acme.app", "1.0.0")),
        listing("1.5.0", migrations=(Migration("0001", reversible=True),)),
        Code.MIGRATION_GAP,
    ),
    "another format of data": (upgrading(), listing(data_format="2"), Code.DATA_FORMAT_BREAK),
    "a security baseline of the host": (
        asked(security_baseline="2026.1"),
        of_vendor(hosts={"corex": HostDeclaration("corex", security_baseline="2026.2")}),
        Code.SECURITY_BASELINE_LOW,
    ),
    "what happens to the undeclared": (
        asked(host_range=None),
        of_vendor(undeclared={"host": "block"}),
        Code.HOST_UNDECLARED,
    ),
}
"""Facts that count from every source: the question, the source, and what it finds."""


@pytest.mark.parametrize("fact", TIGHTENING)
def test_what_is_stricter_counts_from_every_source(fact: str) -> None:
    subject, stated, code = TIGHTENING[fact]

    assert code not in {f.code for f in answer(subject, merged(GOVERNANCE)).findings}
    assert code in {f.code for f in answer(subject, merged(GOVERNANCE, stated)).findings}


def test_patterns_are_about_plugins_wherever_they_are_and_a_host_about_every_plugin_on_it() -> None:
    scopes = {
        "by-plugin": Scope(("com.acme.*",)),
        "by-host": Scope(hosts=frozenset({"corex"})),
    }
    documents = (GOVERNANCE, of_vendor(source="by-plugin"), of_vendor(source="by-host"), of_vendor(source="none"))
    matrix = merged(*documents, scopes=scopes)

    def speaking(plugin: str, host: str) -> set[str]:
        authority = matrix.on(host).authority
        return {source.name for source in matrix.sources if authority.speaks_for(source.name, plugin)}

    assert speaking("com.acme.crm", "edge") == {"governance", "by-plugin"}
    assert speaking("com.acme.crm", "corex") == {"governance", "by-plugin", "by-host"}
    assert speaking("org.crm", "corex") == {"governance", "by-host"}
    assert not matrix.authority.declares("by-plugin", "corex")
    assert matrix.authority.declares("by-host", "corex")


def test_the_scheme_of_a_source_counts_for_its_own_plugins_only() -> None:
    stated = of_vendor(plugins=(PluginScheme("*", "maven"),))
    matrix = merged(GOVERNANCE, stated, scopes={"a-vendor": Scope(("com.acme.*",))})

    assert matrix.scheme("com.acme.crm") is Dialect.MAVEN
    assert matrix.scheme("org.crm") is None


def test_without_governance_nobody_stands_above_the_others() -> None:
    """A catalogue on its own needs no scope. One whose scope is stated keeps to it."""
    stated = of_vendor(hosts={"corex": HostDeclaration("corex", "minimum")})

    assert merged(stated).host_dialect("corex") is Dialect.MINIMUM
    assert merged(stated, scopes={"a-vendor": Scope(("com.acme.*",))}).host_dialect("corex") is Dialect.NPM
    assert merged(GOVERNANCE, stated).host_dialect("corex") is Dialect.NPM


def test_a_report_names_what_sources_speak_for_in_its_basis() -> None:
    """The same sources under another scope are another basis."""
    plain = answer(asked(), merged(GOVERNANCE, of_vendor())).basis_digest

    assert answer(asked(), merged(GOVERNANCE, of_vendor(), scopes={"a-vendor": OWN})).basis_digest != plain


def test_an_author_is_told_which_facts_do_not_count() -> None:
    everything = of_vendor(
        a_rule("com.acme.*", "allow"),
        a_rule("org.*", "allow"),
        hosts={"corex": HostDeclaration("corex")},
        plugins=(PluginScheme("*", "maven"),),
        releases=(a_release("com.acme.crm", "1.0.0"), a_release("org.crm", "1.0.0")),
        weights={Dimension.HOST: 1},
        severity={Severity.PATCH: 1},
    )

    def told(scope: Scope | None) -> list[str]:
        return [notice.where for notice in beside_governance(everything, {"a-vendor": scope} if scope else {})]

    assert told(None) == ["hosts", "matrix", "releases", "plugins", "weights", "source"]
    assert told(Scope(("com.acme.*",))) == told(None)
    assert told(Scope(("*",))) == ["hosts", "weights", "source"]
    assert told(Scope(hosts=frozenset({"corex"}))) == []
    assert beside_governance(replace(everything, source="governance"), {}) == []


percents = st.sampled_from([0, 10, 60, 100])
heads = st.fixed_dictionaries(
    {
        "weights": st.just({}) | st.fixed_dictionaries(dict.fromkeys(DEFAULT_WEIGHTS, percents)),
        "severity": st.just({}) | st.fixed_dictionaries(dict.fromkeys(DEFAULT_SEVERITIES, percents)),
        "plugins": st.lists(
            st.builds(
                PluginScheme,
                st.sampled_from(["*", "a", "b*"]),
                st.sampled_from(["npm", "minimum", "maven", "generic", "masterminds"]),
            ),
            max_size=1,
        ).map(tuple),
        "hosts": st.dictionaries(
            st.sampled_from(["h", "other"]),
            st.builds(
                HostDeclaration,
                st.just("h"),
                st.sampled_from(["npm", "minimum", "maven"]),
                st.just(("3.0.0",)),
                st.sampled_from([(), ("a", "b"), ("c", "d")]),
                st.sampled_from(["", "2026.2"]),
            ),
            max_size=2,
        ),
    }
)
"""Everything by which a source affects more than its rows."""


def stating(source: str) -> st.SearchStrategy[MatrixDocument]:
    return st.builds(lambda document, head: replace(document, **head), ask.documents(source), heads)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    ask.subjects,
    stating("governance"),
    st.tuples(*(st.none() | stating(name) for name in ("m-spoken-for", "m-other"))),
    st.sampled_from(["a-stranger", "z-stranger"]).flatmap(stating),
    ask.policies,
)
def test_a_source_that_is_not_trusted_for_it_never_makes_an_answer_milder(
    subject: Subject,
    governance: MatrixDocument,
    others: tuple[MatrixDocument | None, ...],
    stranger: MatrixDocument,
    policies: Policies,
) -> None:
    """Whatever it states, and others state: neither the verdict nor the score is lower than without it."""
    scopes = {"m-spoken-for": Scope(("a", "c"), frozenset({"other"}))}
    known = (governance, *(other for other in others if other is not None))
    without = answer(subject, merged(*known, scopes=scopes), policies)
    beside = answer(subject, merged(*known, stranger, scopes=scopes), policies)

    assert severity(beside) >= severity(without)
