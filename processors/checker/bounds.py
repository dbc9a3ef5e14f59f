"""Bounds the size of an answer, whatever the question contains: a topic takes records of at most a million
bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from processors.events.report import Cause, Finding, Inference, Remediation, RowWeighed, WaysOut

MOST_FINDINGS: Final = 1_000
"""The most findings that a report lists. Risk and verdict are computed from all of them."""

MOST_BYTES: Final = 220_000
"""The most bytes of the facts in the listed findings. A sentence repeats each of them at most twice."""

MOST_BYTES_OF_CAUSES: Final = 60_000
"""The most bytes of the demands that the steps of all plans serve."""

MOST_POLICIES: Final = 1_000

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


def brief_ways(ways: WaysOut) -> WaysOut:
    """Drops plans that cannot be written out in full: nobody could carry out a plan that names only half of an
    id."""
    if not (ways.plans or ways.derivation or ways.closest):
        return ways
    closest = ways.closest if ways.closest is not None and _is_brief(ways.closest) else None
    links = brief_links(ways.derivation)
    plans = _with_causes_in_bounds([plan for plan in ways.plans if _is_brief(plan)])
    return WaysOut(plans=plans, note=ways.note, derivation=links, closest=closest)


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
    return tuple(replace(link, finding=_brief_finding(link.finding)) for link in links)


def _is_brief(plan: Remediation) -> bool:
    return all(len(change.target) <= LONGEST_NAME for change in plan.changes)


def _brief_finding(finding: Finding) -> Finding:
    demand = finding.required
    names = max(len(finding.subject), len(finding.object), len(demand.source))
    texts = max(len(finding.found or ""), len(finding.help), len(demand.constraint))
    if names <= LONGEST_NAME and texts <= LONGEST_TEXT:
        return finding
    return replace(
        finding,
        subject=brief(finding.subject),
        object=brief(finding.object),
        required=replace(demand, constraint=brief(demand.constraint, LONGEST_TEXT), source=brief(demand.source)),
        found=None if finding.found is None else brief(finding.found, LONGEST_TEXT),
        help=brief(finding.help, LONGEST_TEXT),
    )


def _size(finding: Finding) -> int:
    demand = finding.required
    return _bytes(
        finding.subject, finding.object, demand.constraint, demand.source, finding.found or "", finding.help
    )


def _size_of(cause: Cause) -> int:
    demand = cause.required
    return _bytes(cause.target, cause.subject, cause.version, cause.object, demand.constraint, demand.source)


def _bytes(*texts: str) -> int:
    """The size in bytes of a fact with these texts."""
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) + 150
