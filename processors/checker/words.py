"""Turns facts into sentences. Nothing here decides anything: the report is complete without these sentences.

Each sentence names the thing, what is needed and what was found, the source, and the way out.
"""

from __future__ import annotations

from collections.abc import Sequence

from processors.checker.sentences.dead_ends import no_way_out
from processors.checker.sentences.demands import Told, told_by
from processors.checker.sentences.fact import Asked
from processors.checker.sentences.lists import joined
from processors.checker.sentences.orders import NEXT, runs, steps_of, with_causes
from processors.checker.sentences.table import in_words
from processors.checker.sentences.who import said_by
from processors.events.report import Finding, Remediation, WaysOut
from processors.events.vocabulary import Code, Verdict
from processors.matrix.document import Override, Rule
from processors.matrix.weighing import minute

__all__ = ["Asked", "more_of", "note", "overridden", "sentence", "summary"]


LONGEST_SUMMARY = 2_000
"""Characters."""


def sentence(finding: Finding, asked: Asked) -> str:
    """The finding in plain words: what is wrong, who states it, and what to do, unless a plan says that better."""
    what, advice = in_words(finding, asked)
    said = f"{what} ({said_by(finding, asked)})."
    return said if finding.blocks and finding.code in _PLANNED else f"{said} {advice}"


_PLANNED = frozenset(
    {
        *(Code.HOST_TOO_OLD, Code.HOST_TOO_NEW, Code.HOST_PRERELEASE_EXCLUDED, Code.RUNTIME_TOO_OLD),
        *(Code.DEPENDENCY_MISSING, Code.DEPENDENCY_TOO_OLD, Code.DEPENDENCY_TOO_NEW, Code.DEPENDENCY_DISABLED),
        *(Code.DEPENDENT_BROKEN, Code.PLUGIN_CONFLICT, Code.CONFLICT_REVERSE, Code.LIFECYCLE_SUNSET),
        *(Code.API_BREAK, Code.SCHEMA_BREAK, Code.MATRIX_BLOCK),
    }
)
"""Codes that plans cure, if anything does: other advice could contradict the plans."""


def overridden(rule: Rule, override: Override) -> str:
    """The override that lets a finding pass: whose it is, why, and until when."""
    place = f"{rule.source} {rule.revision}, matrix[{rule.row}]".replace("  ", " ")
    return f"It passes until {minute(override.until)} all the same, by order of {place}: {override.why}."


def summary(
    verdict: Verdict,
    findings: Sequence[Finding],
    count: int,
    ways: WaysOut,
    asked: Asked,
    host_version: str,
) -> str:
    """The answer in two sentences: what is wrong, then what to do. `findings` are the most severe of `count`.

    It recommends nothing that the plans do not contain.
    """
    if verdict is Verdict.ALLOW:
        return f"{asked} fits {asked.host} {host_version}."
    blocks = verdict is Verdict.BLOCK
    decisive = [f for f in findings if f.blocks is blocks]
    causes = [f for f in decisive if f.derived_from is None] or decisive
    what, advice = in_words(causes[0], asked)
    others = len(causes) - 1 + (count - len(findings))
    head = f"{what}{_others(others, blocks)}."
    if not blocks:
        return _bounded(f"{asked} may go on with a warning. {head} {advice}")
    if ways.plans:
        return _bounded(f"{head} {_offered(ways.plans, asked, told_by(findings))}.")
    return _bounded(f"{head} {_no_plan(ways, causes[0], advice)}")


def _offered(plans: Sequence[Remediation], asked: Asked, told: Told) -> str:
    """The first two plans. A long plan is summarised, and then it is the only one."""
    first, *others = plans
    if steps_of(first) > _MOST_STEPS:
        return f"{_capital(NEXT.join(runs(first.steps, asked.plugin, asked.version, most=_MOST_NAMED)))}"
    short = [first, *(plan for plan in others[:1] if steps_of(plan) <= _MOST_STEPS)]
    return _capital(", or ".join(with_causes(plan, asked.plugin, asked.version, told) for plan in short))


_MOST_STEPS = 4


_MOST_NAMED = 3


def more_of(findings: Sequence[Finding]) -> list[str]:
    """Findings by name only, counted, those of one kind together: `2 more too old: crm 1.2.0 and sso 2.0.0`."""
    kinds: dict[str, list[str]] = {}
    for finding in findings:
        kinds.setdefault(_KINDS.get(finding.code, str(finding.code)), []).append(_named(finding))
    return [f"{len(names)} more {kind}: {_listed(names)}" for kind, names in kinds.items()]


def _listed(names: Sequence[str]) -> str:
    different = list(dict.fromkeys(names))
    rest = len(different) - _MOST_LISTED
    return joined([*different[:_MOST_LISTED], f"{rest} others"] if rest > 0 else different)


_MOST_LISTED = 40


def _named(finding: Finding) -> str:
    if finding.code in (Code.DEPENDENT_BROKEN, Code.CONFLICT_REVERSE):
        return finding.subject
    if finding.code in (Code.DEPENDENCY_TOO_OLD, Code.DEPENDENCY_TOO_NEW, Code.RUNTIME_TOO_OLD):
        return f"{finding.object} {finding.found or ''}".strip()
    return finding.object


_KINDS = {
    Code.DEPENDENCY_MISSING: "not installed",
    Code.DEPENDENCY_TOO_OLD: "too old",
    Code.DEPENDENCY_TOO_NEW: "too new",
    Code.DEPENDENCY_DISABLED: "disabled",
    Code.DEPENDENT_BROKEN: "that would break",
    Code.PLUGIN_CONFLICT: "in conflict",
    Code.CONFLICT_REVERSE: "in conflict",
    Code.RUNTIME_TOO_OLD: "too old",
}
"""What is wrong with a thing in two words, if no sentence is needed."""


def _no_plan(ways: WaysOut, cause: Finding, advice: str) -> str:
    why = no_way_out(ways.derivation, cause)
    if cause.code not in _PLANNED:
        return advice
    return why or (f"{_capital(ways.note)}." if ways.note else "No way out is known.")


def note(search: str, unlisted: int) -> str:
    """What the search for ways out has to add, and how many findings the report does not list."""
    more = f"{unlisted} more {_findings(unlisted)} not listed" if unlisted else ""
    return "; ".join(filter(None, (search, more)))


def _others(count: int, blocks: bool) -> str:
    if not count:
        return ""
    more = "one more finding" if count == 1 else f"{count} more findings"
    verb = ("blocks" if count == 1 else "block") if blocks else ("warns" if count == 1 else "warn")
    return f"; {more} {verb} too"


def _findings(count: int) -> str:
    return "finding is" if count == 1 else "findings are"


def _bounded(text: str) -> str:
    return text if len(text) <= LONGEST_SUMMARY else text[: LONGEST_SUMMARY - 3] + "..."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
