"""From facts to sentences. Nothing here decides anything: the report is complete without a word of it.

Each sentence names the thing, what is needed and what was found, who says so, and the way out.
"""

from __future__ import annotations

from collections.abc import Sequence

from processors.checker.sentences import Asked, in_words
from processors.events.report import Change, Finding, Remediation
from processors.events.vocabulary import Dimension, RemedyKind, Verdict
from processors.matrix.document import Override, Rule
from processors.matrix.weighing import minute

__all__ = ["Asked", "note", "orders", "overridden", "said_by", "sentence", "summary"]

LONGEST_SUMMARY = 2_000
"""Characters."""


def sentence(finding: Finding, asked: Asked) -> str:
    """The finding in plain words: what is wrong, who says so, and the way out."""
    what, way_out = in_words(finding, asked)
    return f"{what} ({said_by(finding, asked)}). {way_out}"


def overridden(rule: Rule, override: Override) -> str:
    """By whom a finding is let through, why and until when."""
    place = f"{rule.source} {rule.revision}, matrix[{rule.row}]".replace("  ", " ")
    return f"It passes until {minute(override.until)} all the same, by order of {place}: {override.why}."


def said_by(finding: Finding, asked: Asked) -> str:  # noqa: PLR0911 - one return for each who can say
    """Who states the demand, such as `its manifest says so` or `vendor 2026.11.24-1, matrix[3] says so`."""
    demand = finding.required
    match demand.stated_by:
        case "manifest":
            return "its manifest says so"
        case "installed" if demand.source == asked.plugin:
            return "the installed version says so"
        case "installed" | "host":
            return f"{demand.source} says so"
        case "policy":
            return f"security policy {demand.source} says so"
        case "guard":
            return "the guard's own rule"
        case "matrix" if demand.row is not None:
            return f"{_place(finding)}: {demand.constraint}"
        case _:
            return f"{_place(finding)} says so"


def summary(
    verdict: Verdict,
    findings: Sequence[Finding],
    count: int,
    remedies: Sequence[Remediation],
    asked: Asked,
    host_version: str,
) -> str:
    """The answer in two sentences: what the matter is, then what to do. `findings` are the gravest of `count`."""
    if verdict is Verdict.ALLOW:
        return f"{asked} fits {asked.host} {host_version}."
    blocks = verdict is Verdict.BLOCK
    decisive = [f for f in findings if f.blocks is blocks]
    causes = [f for f in decisive if f.derived_from is None] or decisive
    what, way_out = in_words(causes[0], asked)
    others = len(causes) - 1 + (count - len(findings))
    head = f"{what}{_others(others, blocks)}."
    if not blocks:
        return _bounded(f"{asked} may go on with a warning. {head} {way_out}")
    ways = [remedy.sentence for remedy in remedies][:2]
    return _bounded(f"{head} {_capital(', or '.join(ways))}." if ways else f"{head} {way_out}")


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


def _place(finding: Finding) -> str:
    """Where in the matrix: source, revision and row, named as `matrix lint` names it."""
    demand = finding.required
    rows = "matrix" if finding.dimension is Dimension.MATRIX else "releases"
    row = f"{rows}[{demand.row}]" if demand.row is not None else ""
    return ", ".join(filter(None, (f"{demand.source} {demand.revision}".strip(), row)))


def orders(changes: Sequence[Change], plugin: str) -> str:
    """Changes that belong together as one order, without a full stop."""
    *others, last = (_order(c.kind, c.target, c.to, plugin) for c in changes)
    if not others:
        return f"{last} first" if changes[0].kind is RemedyKind.INSTALL_DEPENDENCY else last
    return f"{', '.join(others)} and {last}"


def _order(kind: RemedyKind, target: str, to: str | None, plugin: str) -> str:  # noqa: PLR0911 - as above
    match kind:
        case RemedyKind.INSTALL_VERSION:
            return f"install {plugin} {to}"
        case RemedyKind.UPGRADE_HOST | RemedyKind.UPGRADE_DEPENDENCY:
            return f"upgrade {target} to {to}"
        case RemedyKind.UPGRADE_RUNTIME:
            return f"provide {target} {to}"
        case RemedyKind.INSTALL_DEPENDENCY:
            return f"install {target} {to}"
        case RemedyKind.ENABLE_DEPENDENCY:
            return f"enable {target}"
        case RemedyKind.REMOVE_CONFLICT:
            return f"remove {target}"
        case _:
            return f"install {target} {to} instead of {plugin}"
