"""Bounds the size of an answer, whatever the question contains: a topic takes records of at most a million
bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from processors.checker.ways import shortened
from processors.events.report import (
    Cause,
    Demand,
    Finding,
    Inference,
    Remediation,
    Report,
    RowWeighed,
    WaysOut,
)
from processors.events.vocabulary import Code, DemandKind, Dimension, Distance, Effect, Severity, Verdict

MOST_FINDINGS: Final = 1_000
"""The most findings that a report lists. Risk and verdict are computed from all of them."""

MOST_BYTES: Final = 220_000
"""The most bytes of the facts in the listed findings. A sentence repeats each of them at most twice."""

MOST_BYTES_OF_CAUSES: Final = 60_000
"""The most bytes of the demands that the steps of all plans serve."""

MOST_POLICIES: Final = 1_000

MOST_BYTES_OF_A_PATH: Final = 4_000
"""The most bytes of the path of a finding. Of a longer one, the first and the last few plugins are named."""

MOST_BYTES_OF_REPORT: Final = 900_000
"""The most bytes of a whole report: what a topic takes, without the most that an answer says beside it."""

LONGEST_NAME: Final = 256
LONGEST_TEXT: Final = 1_000
"""The most characters of one text. A longer text is cut and marked with the digest of the whole."""


def brief(text: str, longest: int = LONGEST_NAME) -> str:
    """The text, or its beginning followed by the digest of the whole, so that two different texts stay
    different."""
    if len(text) <= longest:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{text[: longest - 20]}...#{digest}"


def listed(findings: Sequence[Finding]) -> list[Finding]:
    """As many findings as a report can hold, in order, each with texts of bounded length."""
    short = [_brief_finding(finding) for finding in findings[:MOST_FINDINGS]]
    renamed = {old.id: new.id for old, new in zip(findings, short, strict=False) if old is not new}
    kept: list[Finding] = []
    room = MOST_BYTES
    for finding in short:
        room -= _size(finding)
        if room < 0 and kept:
            break
        cause = renamed.get(finding.derived_from or "")
        kept.append(replace(finding, derived_from=cause) if cause else finding)
    return kept


def brief_rows(rows: tuple[RowWeighed, ...]) -> tuple[RowWeighed, ...]:
    return tuple(
        row
        if len(row.says) <= LONGEST_TEXT and len(row.why) <= LONGEST_TEXT
        else replace(row, says=brief(row.says, LONGEST_TEXT), why=brief(row.why, LONGEST_TEXT))
        for row in rows
    )


def brief_ways(ways: WaysOut, known: Collection[str] = ()) -> WaysOut:
    """Drops plans that cannot be written out in full: nobody could carry out a plan that names only half of an
    id. `known` are the ids of the findings that the report lists: a plan names no others."""
    if not (ways.plans or ways.derivation or ways.closest):
        return ways
    closest = _in_bounds((ways.closest,) if ways.closest is not None else (), known)
    return WaysOut(
        plans=_in_bounds(ways.plans, known),
        note=ways.note,
        derivation=brief_links(ways.derivation),
        closest=closest[0] if closest else None,
    )


def _in_bounds(plans: Sequence[Remediation], known: Collection[str]) -> tuple[Remediation, ...]:
    return _with_causes_in_bounds([_naming(plan, known) for plan in plans if _is_brief(plan)])


def _naming(plan: Remediation, known: Collection[str]) -> Remediation:
    if sum(len(step.cures) for step in plan.steps) + len(plan.leaves_open) <= MOST_FINDINGS:
        return plan
    steps = (replace(step, cures=tuple(id for id in step.cures if id in known)) for step in plan.steps)
    return replace(plan, steps=tuple(steps), leaves_open=tuple(id for id in plan.leaves_open if id in known))


def _with_causes_in_bounds(plans: Sequence[Remediation]) -> tuple[Remediation, ...]:
    """Lists the causes of each step while there is room. A plan can be carried out without them."""
    kept: list[Remediation] = []
    room = MOST_BYTES_OF_CAUSES
    for plan in plans:
        room -= sum(_size_of(cause) for step in plan.steps for cause in step.causes)
        bare = tuple(replace(step, causes=()) for step in plan.steps)
        kept.append(plan if room >= 0 else replace(plan, steps=bare))
    return tuple(kept)


def brief_links(links: Sequence[Inference]) -> tuple[Inference, ...]:
    return tuple(_brief_link(link) for link in links)


def _brief_link(link: Inference) -> Inference:
    chosen = link.chosen
    if chosen is not None:
        to = None if chosen.to is None else brief(chosen.to)
        chosen = replace(chosen, target=brief(chosen.target), to=to)
    return replace(link, finding=_brief_finding(link.finding), version=brief(link.version), chosen=chosen)


def _is_brief(plan: Remediation) -> bool:
    return all(len(text) <= LONGEST_NAME for change in plan.changes for text in (change.target, change.to or ""))


def _brief_finding(finding: Finding) -> Finding:
    demand = finding.required
    names = max(len(finding.subject), len(finding.object), len(demand.source))
    texts = max(len(finding.found or ""), len(finding.help), len(demand.constraint))
    path = _brief_path(finding.path) if finding.path else finding.path
    if names <= LONGEST_NAME and texts <= LONGEST_TEXT and path == finding.path:
        return finding
    return replace(
        finding,
        subject=brief(finding.subject),
        object=brief(finding.object),
        required=replace(demand, constraint=brief(demand.constraint, LONGEST_TEXT), source=brief(demand.source)),
        found=None if finding.found is None else brief(finding.found, LONGEST_TEXT),
        path=path,
        help=brief(finding.help, LONGEST_TEXT),
    )


def _brief_path(path: tuple[str, ...]) -> tuple[str, ...]:
    short = tuple(map(brief, path))
    return short if _bytes(*short) <= MOST_BYTES_OF_A_PATH else shortened(short, 2)


def _size(finding: Finding) -> int:
    demand = finding.required
    texts = (demand.constraint, demand.source, finding.found or "", finding.help)
    return _bytes(finding.subject, finding.object, *texts, *finding.path)


def _size_of(cause: Cause) -> int:
    demand = cause.required
    return _bytes(cause.target, cause.subject, cause.version, cause.object, demand.constraint, demand.source)


def too_large(report: Report, size: int) -> Report:
    """The answer in the place of one that no topic would take: it blocks, and says why it says no more."""
    sentence = (
        f"What is wrong with {report.plugin_id} {report.plugin_version} cannot be told: the report is too large, "
        f"{size} bytes. Ask about fewer plugins at once, or have its vendor state less."
    )
    finding = Finding(
        code=Code.CONSTRAINT_INVALID,
        dimension=Dimension.MANIFEST,
        effect=Effect.BLOCK,
        severity=Severity.UNKNOWN,
        subject=report.plugin_id,
        object="report",
        required=Demand(
            constraint=f"at most {MOST_BYTES_OF_REPORT} bytes", kind=DemandKind.UNKNOWN, stated_by="guard"
        ),
        found=f"{size} bytes",
        distance=Distance.UNKNOWN,
        sentence=sentence,
        help=f"compat-guard explain {Code.CONSTRAINT_INVALID}",
    )
    return replace(
        report,
        verdict=Verdict.BLOCK,
        summary=sentence,
        findings=(finding,),
        remediations=(),
        remediation_note="",
        derivation=(),
        closest=None,
        rows=(),
        policies=(),
    )


def _bytes(*texts: str) -> int:
    """The size in bytes of a fact with these texts."""
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) + 150
