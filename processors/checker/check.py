"""The pure entry point of the checker: takes a subject and a matrix, and returns a report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import processors
from processors.checker import words
from processors.checker.attribution import attributed
from processors.checker.bounds import MOST_POLICIES, brief, brief_rows, brief_ways, listed
from processors.checker.case import Case
from processors.checker.host_provisions import with_plain_ids
from processors.checker.plans.answer_cache import AnswerCache
from processors.checker.plans.ways_out import ways_out
from processors.checker.risk import score
from processors.checker.rules.lifecycle import lifecycle_dates
from processors.checker.together import case_of, findings_of, read_cases_of, rows_of
from processors.checker.validator import override_of
from processors.documents.canonical import digest_of
from processors.events.report import Finding, Report, SourceStanding, WaysOut
from processors.events.subject import Manifest, Subject
from processors.events.vocabulary import Verdict
from processors.matrix.merged import Limit, Matrix, Source
from processors.policies import NO_POLICIES, Policies, SecurityPolicy

_NO_WAYS = WaysOut()


class Answer(NamedTuple):
    """A report, and the instant (milliseconds) from which it may change; None if time cannot change it."""

    report: Report
    valid_until: int | None


def check(
    subject: Subject,
    matrix: Matrix,
    now: int,
    input_digest: str,
    policies: Policies = NO_POLICIES,
    before: AnswerCache | None = None,
    *,
    with_ways: bool = True,
) -> Answer:
    """Decide whether the plugin may be installed.

    Pure: the same arguments give the same report, and so do two instants between which no relevant date lies. Never
    raises because of the subject's content: what cannot be judged becomes a finding that blocks. The size of the
    report is bounded, whatever the size of the subject. `input_digest` is the sha256 of the subject's Avro bytes.
    `before` caches earlier searches for ways out: it makes this one faster and changes nothing. Without `with_ways`
    none are searched, which takes most of the time of a block, and the report names none.
    """
    subject = with_plain_ids(subject)
    cases = read_cases_of(subject, matrix, policies, now)
    findings = findings_of(cases)
    found = verdict(findings)
    ways = _NO_WAYS
    if found is Verdict.BLOCK and with_ways:
        ways = ways_out(replace(cases[0], subject=_whole(cases[0], subject)), findings, before)
    about = tuple(policy for case in cases for policy in _policies(case))
    return Answer(
        _report(cases, findings, found, ways, subject.together, about, input_digest),
        _valid_until(cases, about, found),
    )


def _whole(case: Case, subject: Subject) -> Subject:
    """The question with everything that is installed in one step; a case's question takes the others as
    installed."""
    return subject if subject.together else case.subject


def verdict(findings: tuple[Finding, ...]) -> Verdict:
    """BLOCK for one blocking finding, WARN for one warning. The score never decides."""
    if not findings:
        return Verdict.ALLOW
    return Verdict.BLOCK if any(finding.blocks for finding in findings) else Verdict.WARN


def _report(
    cases: tuple[Case, ...],
    findings: tuple[Finding, ...],
    found: Verdict,
    ways: WaysOut,
    together: tuple[Manifest, ...],
    about: tuple[SecurityPolicy, ...],
    input_digest: str,
) -> Report:
    case = cases[0]
    asked = words.Asked(
        brief(case.plugin),
        brief(case.manifest.version),
        brief(case.subject.host.name),
        tuple(brief(manifest.id) for manifest in together),
    )
    shown = tuple(_worded(cases, finding, asked) for finding in listed(findings)) if findings else ()
    offered = brief_ways(ways, {finding.id for finding in shown})
    policies = tuple(sorted({policy.digest for policy in about})) if about else ()
    basis = _basis(case.matrix.sources, case.matrix.expired(case.now), policies, case.matrix.limits)
    host_version = brief(case.subject.host.version)
    rows, rows_weighed = rows_of(cases)
    return Report(
        engine=processors.__version__,
        input_digest=input_digest,
        basis_digest=basis.digest,
        plugin_id=asked.plugin,
        plugin_version=asked.version,
        host=asked.host,
        host_version=host_version,
        dialect=case.dialect,
        verdict=found,
        summary=words.summary(found, shown, len(findings), offered, asked, host_version),
        findings=shown,
        risk=score(findings, case.matrix.weights),
        remediations=offered.plans,
        remediation_note=words.note(ways.note, len(findings) - len(shown)),
        derivation=tuple(replace(link, finding=_worded(cases, link.finding, asked)) for link in offered.derivation),
        closest=offered.closest,
        sources=basis.standing,
        rows=brief_rows(rows),
        rows_weighed=rows_weighed,
        policies=policies[:MOST_POLICIES],
    )


def _worded(cases: tuple[Case, ...], finding: Finding, asked: words.Asked) -> Finding:
    told = attributed(cases[0], finding)
    sentence = words.sentence(told, asked)
    if not finding.blocks and (found := override_of(case_of(cases, finding), finding)) is not None:
        sentence = f"{sentence} {words.overridden(*found)}"
    return replace(told, sentence=sentence, help=finding.help or f"compat-guard explain {finding.code}")


def _policies(case: Case) -> Iterator[SecurityPolicy]:
    """The security policies about the plugin and its components."""
    if not case.policies.by_component:
        return
    for component in (case.plugin, *(c.id for c in case.manifest.components)):
        policy = case.policies.about(component)
        if policy is not None:
            yield policy


class _Basis(NamedTuple):
    """What an answer rests on besides its subject. `digest` identifies engine, sources, their stated scopes and
    policies together."""

    standing: tuple[SourceStanding, ...]
    digest: str


@lru_cache(maxsize=64)
def _basis(
    sources: tuple[Source, ...], expired: tuple[Source, ...], policies: tuple[str, ...], limits: tuple[Limit, ...]
) -> _Basis:
    standing = tuple(SourceStanding(s.name, s.revision, s.digest, s in expired) for s in sources)
    parts = [[s.source, s.revision, s.digest, s.expired] for s in standing]
    stated = [processors.__version__, parts, policies, *([limits] if limits else [])]
    text = json.dumps(stated, separators=(",", ":"))
    return _Basis(standing, digest_of(text.encode()))


def _valid_until(cases: tuple[Case, ...], about: tuple[SecurityPolicy, ...], found: Verdict) -> int | None:
    """The next instant at which a lifecycle, an advisory, a source or an override may change the answer.

    The search for ways out of a block may look at any release and its components, so every date counts there.
    """
    case = cases[0]
    dates = [case.matrix.next_change(case.now), *(date for each in cases for date in lifecycle_dates(each))]
    dates += (date for policy in about for date in policy.dates())
    if found is Verdict.BLOCK:
        dates += (case.matrix.next_lifecycle_change(case.now), case.policies.next_change(case.now))
    return min((date for date in dates if date is not None and date > case.now), default=None)
