"""What holds for every question, and for every matrix."""

from __future__ import annotations

from dataclasses import replace

import pytest
from examples import questions as ask
from examples.questions import HOUR, NOON, Question
from hypothesis import HealthCheck, assume, given, seed, settings
from hypothesis import strategies as st

from processors.checker.check import check
from processors.checker.risk import MOST_SEVERITIES, combined, score
from processors.checker.validator import NEVER_LOOSENED
from processors.configuration.settings import settings as guard
from processors.events.report import Demand, Finding, Report
from processors.events.report_record import report_from_record, report_to_record
from processors.events.subject import Host, InstalledPlugin, Lifecycle, Manifest, Provision, Requirement, Subject
from processors.events.vocabulary import Code, Dimension, Distance, Effect, RemedyKind, Severity, Verdict
from processors.matrix.document import DEFAULT_WEIGHTS, Override, Release
from processors.matrix.merged import Matrix
from processors.policies import NO_POLICIES, Advisory, Policies, SecurityPolicy
from processors.stream.wire.schema import Schemas

every = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def answer(question: Question, now: int = NOON) -> Report:
    return check(question.subject, question.matrix, now, "sha256:0", question.policies).report


def codes(report: Report) -> list[str]:
    return sorted(finding.code for finding in report.findings)


def test_the_strategy_reaches_every_finding_code() -> None:
    """Else the theorems below would say nothing about the codes that it misses. The rare ones may take a while."""
    missing = {*Code} - {Code.UNKNOWN, Code.GUARD_OFF}

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=[*HealthCheck])
    @given(ask.questions)
    def collect(question: Question) -> None:
        missing.difference_update(finding.code for finding in answer(question).findings)

    for turn in range(240):
        if missing:
            seed(turn)(collect)()
    assert missing == set()


@every
@given(ask.questions)
def test_block_trumps_warn_and_allow(question: Question) -> None:
    """One blocking finding blocks, one warning warns, and only where nothing was found it is allowed."""
    report = answer(question)
    effects = {finding.effect for finding in report.findings}
    strictest = "BLOCK" if Effect.BLOCK in effects else "WARN" if effects else "ALLOW"

    assert strictest == report.verdict


@every
@given(ask.questions)
def test_allowed_only_if_checked(question: Question) -> None:
    """Nothing passes without a matrix that is in force and versions that can be read."""
    report = answer(question)

    if report.verdict is not Verdict.BLOCK:
        assert question.matrix.sources
        assert not question.matrix.expired(NOON)
        assert "odd" not in (report.plugin_version, report.host_version)
        assert not question.subject.manifest.defects


@every
@given(ask.subjects, ask.stood, ask.policies, st.randoms(use_true_random=False))
def test_order_and_duplicates_do_not_matter(subject, stood, policies, dice) -> None:
    """Of what is installed, of runtimes and of sources, in whatever order and however often they are named."""
    plugins = [*subject.installed, *dice.sample(subject.installed, len(subject.installed) // 2)]
    runtimes, sources = [*subject.runtimes, *subject.runtimes], list(stood)
    for things in (plugins, runtimes, sources):
        dice.shuffle(things)
    shuffled = replace(subject, installed=tuple(plugins), runtimes=tuple(runtimes))

    one = answer(Question(subject, Matrix.of(stood), policies))
    other = answer(Question(shuffled, Matrix.of(sources), policies))

    assert one == other


@every
@given(ask.questions, ask.overrides)
def test_only_governance_can_loosen(question: Question, override: Override) -> None:
    """A vendor's row that allows everything and overrides everything changes no verdict but towards a block."""
    row = ask.Row("*", None, None, "allow", override._replace(until=NOON + HOUR))
    extra = ask.document("zz-vendor", (row,), ())
    stricter = question._replace(matrix=question.matrix.add(extra, NOON, NOON + HOUR))
    assume(question.matrix.sources)

    blocking = {f.id for f in answer(question).findings if f.blocks}
    unlisted = {f.id for f in answer(question).findings if f.code is Code.MATRIX_UNLISTED}
    assert blocking - unlisted <= {f.id for f in answer(stricter).findings if f.blocks}


@every
@given(ask.questions)
def test_what_cannot_be_judged_blocks_whatever_governance_says(question: Question) -> None:
    """No override reaches a finding of which nobody can know what it would let through."""
    assert all(finding.blocks for finding in answer(question).findings if finding.code in NEVER_LOOSENED)


@every
@given(ask.questions)
def test_an_unrelated_plugin_changes_nothing(question: Question) -> None:
    """One that nobody needs, names or replaces, and that needs and offers nothing."""
    stranger = InstalledPlugin("stranger", "7.0.0")
    beside = replace(question.subject, installed=(*question.subject.installed, stranger))

    one, other = answer(question), answer(question._replace(subject=beside))

    assert (one.findings, one.verdict, one.risk) == (other.findings, other.verdict, other.risk)


@every
@given(ask.questions)
def test_a_remedy_always_passes(question: Question) -> None:
    """Whoever does what a remedy says and asks again is not blocked."""
    for remedy in answer(question).remediations:
        subject = question.subject
        for change in (remedy.change, *remedy.also):
            subject = changed(subject, change.kind, change.target, change.to)

        assert answer(question._replace(subject=subject)).verdict is not Verdict.BLOCK, remedy.sentence


@every
@given(ask.questions)
def test_no_dependency_that_a_remedy_brings_is_blocked(question: Question) -> None:
    """Whoever asks for it, once all else is done, is not blocked: it breaks nobody, and conflicts with nobody."""
    for remedy in answer(question).remediations:
        final = question.subject
        for change in (remedy.change, *remedy.also):
            final = changed(final, change.kind, change.target, change.to)
        for change in (remedy.change, *remedy.also):
            if change.kind in BRINGS:
                before = tuple(p for p in question.subject.installed if p.id == change.target)
                others = tuple(p for p in final.installed if p.id != change.target)
                manifest = Manifest(id=change.target, version=change.to or "")
                alone = replace(final, manifest=manifest, installed=(*others, *before), previous_version=None)

                assert answer(question._replace(subject=alone)).verdict is not Verdict.BLOCK, remedy.sentence


BRINGS = (RemedyKind.INSTALL_DEPENDENCY, RemedyKind.UPGRADE_DEPENDENCY)


def changed(subject: Subject, kind: RemedyKind, target: str, to: str | None) -> Subject:  # noqa: PLR0911 - one a kind
    """An administrator at work. What he installs is what the catalogue knows of it."""
    others = tuple(p for p in subject.installed if p.id != target)
    match kind:
        case RemedyKind.INSTALL_VERSION:
            return replace(subject, manifest=Manifest(id=target, version=to or ""))
        case RemedyKind.REPLACE_PLUGIN:
            manifest = Manifest(id=target, version=to or "", replaces=(subject.manifest.id,))
            return replace(subject, manifest=manifest, previous_version=None)
        case RemedyKind.UPGRADE_HOST:
            return replace(subject, host=replace(subject.host, version=to or ""))
        case RemedyKind.REMOVE_CONFLICT:
            return replace(subject, installed=others)
        case RemedyKind.ENABLE_DEPENDENCY:
            enabled = tuple(replace(p, enabled=True) for p in subject.installed if p.id == target)
            return replace(subject, installed=(*others, *enabled))
        case RemedyKind.UPGRADE_RUNTIME:
            kept = tuple(r for r in subject.runtimes if r.id != target)
            return replace(subject, runtimes=(*kept, Provision(target, to or "")))
        case _:
            return replace(subject, installed=(*others, InstalledPlugin(target, to or "")))


@every
@given(ask.questions, ask.installed)
def test_more_installed_plugins_give_a_whole_report(question: Question, plugin: InstalledPlugin) -> None:
    """Another plugin may change the verdict, never the form: findings are unique and refer to one another."""
    subject = replace(question.subject, installed=(*question.subject.installed, plugin))
    report = answer(question._replace(subject=subject))
    known = {finding.id for finding in report.findings}

    assert len(known) == len(report.findings)
    assert all(finding.derived_from in known for finding in report.findings if finding.derived_from)
    assert all(finding.sentence.endswith(".") and finding.help for finding in report.findings)
    assert report.summary.endswith(".")


@every
@given(ask.questions)
def test_a_looser_range_blocks_no_more(question: Question) -> None:
    """To demand any version of a dependency instead of some adds no finding about a dependency."""
    manifest = question.subject.manifest
    loose = replace(manifest, requires=tuple(replace(need, range="") for need in manifest.requires))
    report = answer(question._replace(subject=replace(question.subject, manifest=loose)))
    missing = {Code.DEPENDENCY_TOO_OLD, Code.DEPENDENCY_TOO_NEW}

    assert not [f for f in report.findings if f.code in missing and f.required.stated_by == "manifest"]


SCHEMAS = Schemas.load(guard().schemas)


@every
@given(ask.questions)
def test_a_report_survives_its_record_and_its_bytes(question: Question) -> None:
    """Typed value, Avro record and bytes say the same."""
    report = answer(question)
    schema = SCHEMAS["CompatibilityChecked"]

    assert report == report_from_record(report_to_record(report))
    assert report == report_from_record(schema.decode_tail(schema.encode_tail(report_to_record(report))))


@every
@given(ask.questions, st.integers(1, HOUR - 1))
def test_time_changes_an_answer_only_when_it_said_so(question: Question, later: int) -> None:
    """Until `valid_until`, the same question has the same report."""
    found = check(question.subject, question.matrix, NOON, "sha256:0", question.policies)

    if found.valid_until is None or NOON + later < found.valid_until:
        assert found.report == answer(question, NOON + later)


HALF = NOON + HOUR // 2


def test_a_block_may_change_when_another_release_or_what_is_inside_it_does() -> None:
    """Its ways out are other releases, whose dates are not those of the one that was asked for."""
    row = ask.Row("a", "2.0.0", None, "block", None)
    known = Release("", "", 0, "a", "1.0.0", {"*": "*"}, lifecycle=Lifecycle(sunset_at=HALF))
    matrix = Matrix.of([(ask.document("governance", (row,), (known,)), NOON, NOON + HOUR)])
    subject = Subject(manifest=Manifest(id="a", version="2.0.0", host_range="*"), host=Host("h", "1.0.0"))
    advisory = Advisory(id="CVE-1", affected=("*",), withdrawn_at=HALF - 1)
    policies = Policies.of(
        [SecurityPolicy(component_id="b", policy_id="S", published_at=0, advisories=(advisory,))]
    )

    found = check(subject, matrix, NOON, "sha256:0")

    assert [r.change.to for r in found.report.remediations] == ["1.0.0"]
    assert (found.valid_until, answer(Question(subject, matrix, NO_POLICIES), HALF).remediations) == (HALF, ())
    assert check(subject, matrix, NOON, "sha256:0", policies).valid_until == HALF - 1
    assert check(subject, matrix, HALF, "sha256:0", policies).valid_until == NOON + HOUR


def test_what_passes_depends_on_no_date_of_another_release() -> None:
    """It is kept until the matrix expires."""
    known = Release("", "", 0, "a", "1.0.0", {"*": "*"}, lifecycle=Lifecycle(sunset_at=HALF))
    matrix = Matrix.of([(ask.document("governance", (), (known,)), NOON, NOON + HOUR)])
    subject = Subject(manifest=Manifest(id="a", version="2.0.0", host_range="*"), host=Host("h", "1.0.0"))

    assert check(subject, matrix, NOON, "sha256:0").valid_until == NOON + HOUR


def a_finding(dimension: Dimension, percent: int) -> Finding:
    return Finding(
        code=Code.HOST_TOO_OLD, dimension=dimension, effect=Effect.BLOCK, severity=Severity.MAJOR, subject="a",
        object="b", required=Demand(constraint="*"), distance=Distance.NONE, severity_percent=percent,
    )  # fmt: skip


findings = st.lists(st.builds(a_finding, st.sampled_from(list(DEFAULT_WEIGHTS)), st.integers(0, 100)), max_size=20)


@given(findings, st.builds(a_finding, st.sampled_from(list(DEFAULT_WEIGHTS)), st.integers(0, 100)), st.randoms())
def test_the_score_is_bounded_monotone_and_free_of_order(found, another, dice) -> None:
    """Another finding never lowers it."""
    before, after = score(found, DEFAULT_WEIGHTS), score([*found, another], DEFAULT_WEIGHTS)
    shuffled = dice.sample(found, len(found))

    assert 0 <= before.score <= after.score <= 100
    assert before == score(shuffled, DEFAULT_WEIGHTS)


@given(st.lists(st.integers(0, 100), min_size=MOST_SEVERITIES, max_size=40).map(lambda s: sorted(s, reverse=True)))
def test_severities_that_are_not_listed_add_nothing(severities: list[int]) -> None:
    """The score can be computed again from the contributions, however many findings there were."""
    assert combined(severities[:MOST_SEVERITIES]) == combined(severities)


text = st.text(max_size=12) | st.sampled_from(
    ["\x00", "\ud800", "1.0.0", ">=1", "a" * 5_000, "`|<b>", "\n", "1" * 400]
)
wild = st.builds(
    Subject,
    manifest=st.builds(
        Manifest, id=text, version=text, host_range=st.none() | text, min_host=st.none() | text,
        requires=st.lists(st.builds(Requirement, text, text, st.booleans()), max_size=3).map(tuple),
        conflicts=st.lists(st.builds(Requirement, text, text), max_size=2).map(tuple),
        replaces=st.lists(text, max_size=2).map(tuple),
        runtimes=st.none() | st.lists(st.builds(Requirement, text, text), max_size=2).map(tuple),
        components=st.lists(st.builds(Provision, text, text), max_size=2).map(tuple), security_baseline=text,
        data_format=text,
    ),
    host=st.builds(Host, text, text, security_baseline=text),
    installed=st.lists(st.builds(InstalledPlugin, text, text, data_format=text), max_size=3).map(tuple),
    runtimes=st.lists(st.builds(Provision, text, text), max_size=2).map(tuple),
    previous_version=st.none() | text,
)  # fmt: skip


@every
@given(wild, ask.matrices)
def test_no_subject_raises(subject: Subject, matrix: Matrix) -> None:
    """Whatever a request says, there is an answer; and a version that is none is never allowed."""
    report = check(subject, matrix, NOON, "sha256:0").report

    assert report.verdict in (Verdict.ALLOW, Verdict.WARN, Verdict.BLOCK)


@pytest.mark.parametrize("version", ["", "one", "\x00", "1" * 400, "\ud800"])
@pytest.mark.parametrize("where", ["plugin", "host", "range"])
def test_unreadable_input_is_always_a_block(version: str, where: str) -> None:
    """In the plugin's version, the host's version, or a range."""
    assume_readable = {"plugin": "1.0.0", "host": "1.0.0", "range": "*", where: version or " , "}
    subject = Subject(
        manifest=Manifest(id="a", version=assume_readable["plugin"], host_range=assume_readable["range"]),
        host=Host("h", assume_readable["host"]),
    )
    matrix = Matrix.of([(ask.document("governance", (), ()), NOON, NOON + HOUR)])

    assert check(subject, matrix, NOON, "sha256:0").report.verdict is Verdict.BLOCK
