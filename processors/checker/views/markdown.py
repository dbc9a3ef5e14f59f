"""A report for a ticket or a pull request. All outside text is escaped: it must not become markup."""

from __future__ import annotations

import re
from collections.abc import Sequence

from processors.checker.views.outline import Step, clean, contributions, outline
from processors.events.report import Report

_ADDRESS = re.compile(r"[!-;=?-~]+")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def render(
    report: Report, request_id: str | None = None, matrices: Sequence[str] = (), explained_at: str = ""
) -> str:
    """`explained_at` is the address of a gateway that explains findings, if one is known."""
    said = outline(report, request_id, matrices, explained_at)
    lines = [f"## {said.headline}: {plain(said.asked)} on {plain(said.where)}", "", plain(report.summary), ""]
    lines += [f"**{said.risk}**"]
    for group in said.groups:
        lines += ["", f"### {'Blocks' if group.blocks else 'Warns'}: {plain(group.title)}", ""]
        lines += [f"- {plain(finding.sentence)} ({_code(finding.code)})" for finding in group.findings]
        lines += [f"- {plain(text)}" for text in group.rest]
    if said.why_none:
        lines += ["", "### Why nothing helps", "", *(f"- {plain(text)}" for text in said.why_none)]
    if said.ways_out or said.note or said.closest:
        lines += ["", f"### {said.helps}", ""]
        for number, way in enumerate(said.ways_out, 1):
            lines += [f"{number}. {plain(way.sentence)}", *(f"   - {plain(step)}" for step in way.steps)]
        lines += [plain(text) for text in (said.note, said.closest) if text]
    lines += ["", "### On what grounds", ""]
    lines += [f"- {plain(text)}" for text in (*said.grounds, *contributions(report))]
    if said.next_steps:
        lines += ["", *(f"- {step.words}: {_target(step)}" for step in said.next_steps)]
    return "\n".join(lines).rstrip()


def plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", clean(text.replace("\n", " ")))


def _code(text: str) -> str:
    return f"`{clean(text)}`"


def _target(step: Step) -> str:
    if step.is_link and _ADDRESS.fullmatch(step.target):
        return f"<{step.target}>"
    return plain(step.target) if "`" in step.target or "\n" in step.target else _code(step.target)
