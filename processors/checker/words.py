"""From facts to sentences. Nothing here decides anything: the report is complete without a word of it.

Each sentence names the thing, what is needed and what was found, who says so, and the way out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from processors.checker.sentences.fact import Asked
from processors.checker.sentences.table import in_words
from processors.events.report import Change, Finding, Inference, PlanStep, Remediation, WaysOut
from processors.events.vocabulary import Code, DemandKind, Dimension, Ground, RemedyKind, Verdict
from processors.matrix.document import Override, Rule
from processors.matrix.weighing import minute

__all__ = [
    "Asked",
    "dead_end",
    "done",
    "joined",
    "note",
    "overridden",
    "plan",
    "reason",
    "said_by",
    "sentence",
    "step_in_words",
    "summary",
]

LONGEST_SUMMARY = 2_000
"""Characters."""


def sentence(finding: Finding, asked: Asked) -> str:
    """The finding in plain words: what is wrong, who says so, and what to do where no plan says that better."""
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
"""What a plan cures, if anything does: advice beside it could order what no plan contains."""


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
    ways: WaysOut,
    asked: Asked,
    host_version: str,
) -> str:
    """The answer in two sentences: what the matter is, then what to do. `findings` are the gravest of `count`.

    It orders nothing that the plans do not contain.
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
        return _bounded(f"{head} {_offered(ways.plans, asked)}.")
    return _bounded(f"{head} {_no_plan(ways, causes[0], advice)}")


def _offered(plans: Sequence[Remediation], asked: Asked) -> str:
    """The first two plans; of one that is long, what is done with how many, and no other beside it."""
    first, *others = plans
    if steps_of(first) > _MOST_STEPS:
        return f"{_capital(_NEXT.join(runs(first.steps, asked.plugin, asked.version, most=_MOST_NAMED)))}"
    short = [plan.sentence for plan in others[:1] if steps_of(plan) <= _MOST_STEPS]
    return _capital(", or ".join((first.sentence, *short)))


def steps_of(plan: Remediation) -> int:
    """How many steps a plan has, without that of the request alone."""
    return sum(bool(step.changes) for step in plan.steps)


def runs(steps: Sequence[PlanStep], plugin: str, version: str, most: int | None = None) -> list[str]:
    """The steps of a plan in their order, those of one kind told together; at most so many named of each kind."""
    told: list[str] = []
    run: list[Change] = []
    for step in (*steps, PlanStep(())):
        is_single = len(step.changes) == 1 and not step.with_request and step.changes[0].kind not in _REQUESTS
        if run and not (is_single and step.changes[0].kind is run[0].kind):
            told.append(_run(run, plugin, most))
            run = []
        if is_single:
            run.append(step.changes[0])
        elif said := step_in_words(step, plugin, version):
            told.append(said)
    return told


def _run(changes: Sequence[Change], plugin: str, most: int | None) -> str:
    """Changes of one kind, such as `remove a, b and c`."""
    orders = [_order(change.kind, change.target, change.to, plugin) for change in changes]
    verb = orders[0].partition(" ")[0]
    named = [order.partition(" ")[2] for order in orders[:most]]
    if left := len(orders) - len(named):
        named.append(f"{left} more")
    return f"{verb} {joined(named)}"


_NEXT = ", then "
_MOST_STEPS = 4
_MOST_NAMED = 3


def more_of(findings: Sequence[Finding]) -> list[str]:
    """Findings by name alone, counted, those of one kind together: `2 more too old: crm 1.2.0 and sso 2.0.0`."""
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
"""What is wrong with a thing in two words, where it can be said without a sentence."""


def _no_plan(ways: WaysOut, cause: Finding, advice: str) -> str:
    why = no_way_out(ways.derivation)
    if cause.code not in _PLANNED:
        return advice
    return why or (f"{_capital(ways.note)}." if ways.note else "Nothing is known that helps.")


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


def plan(steps: Sequence[PlanStep], plugin: str, version: str) -> str:
    """A plan as one order, its steps one after the other, without a full stop."""
    parts = [step_in_words(step, plugin, version) for step in steps]
    parts = [part for part in parts if part]
    changes = [change for step in steps for change in step.changes]
    alone = len(changes) == 1 and changes[0].kind is RemedyKind.INSTALL_DEPENDENCY and not steps[-1].changes
    return f"{parts[0]} first" if alone else _NEXT.join(parts)


def step_in_words(step: PlanStep, plugin: str, version: str) -> str:
    """One step as an order; empty for the request alone."""
    orders = [_order(change.kind, change.target, change.to, plugin) for change in step.changes]
    if len(orders) > 1 and not step.with_request:
        return f"{joined(orders)}, all in one step"
    if not orders or not step.with_request or any(change.kind in _REQUESTS for change in step.changes):
        return " together with ".join(orders)
    return f"{joined(orders)} together with {plugin} {version}"


_REQUESTS = frozenset({RemedyKind.INSTALL_VERSION, RemedyKind.REPLACE_PLUGIN})


def joined(texts: Sequence[str]) -> str:
    """As a sentence lists them: `a, b and c`. At least one."""
    *others, last = texts
    return f"{', '.join(others)} and {last}" if others else last


def no_way_out(links: Sequence[Inference]) -> str:
    """Why nothing helps, in one sentence: the facts that rule each other out. Empty where nothing is derived."""
    if not links:
        return ""
    links = chains(links)[0]
    last = links[-1]
    tried = {link.chosen.target for link in links if link.chosen}
    facts = _told(_fact(link.finding, link.version) for link in links)
    if last.finding.object not in tried and last.finding.code in _OF_A_RELEASE:
        if last.finding.ground is Ground.UNLISTED:
            return f"No source lists {last.finding.object}: {joined(facts)}." if len(links) > 1 else ""
        unlisted = f"No source lists a release of {last.finding.object} that would do"
        return f"{unlisted}: {joined(facts)}."
    return f"No choice of releases fits: {joined(facts)}." if len(links) > 1 else ""


def demands(findings: Iterable[Finding]) -> str:
    """What is demanded and not met, in a few words: `billing needs crm >=2.0.0 and mail`. At least one finding."""
    return joined(_told(_fact(finding, "") for finding in findings))


def _told(facts: Iterable[_Fact]) -> list[str]:
    said: dict[str, dict[str, list[str]]] = {}
    for fact in facts:
        said.setdefault(fact.subject, {}).setdefault(fact.verb, []).append(fact.object)
    return [f"{subject} {joined(_demands(verbs))}" for subject, verbs in said.items()]


def chains(links: Sequence[Inference]) -> list[Sequence[Inference]]:
    """Each reason by itself: a chain ends where nothing is left to try."""
    found: list[Sequence[Inference]] = []
    begin = 0
    for n, link in enumerate(links, 1):
        if link.chosen is None or n == len(links):
            found.append(links[begin:n])
            begin = n
    return found


def _demands(verbs: Mapping[str, Sequence[str]]) -> list[str]:
    return [f"{verb} {joined(objects)}" for verb, objects in verbs.items()]


_OF_A_RELEASE = frozenset({Code.DEPENDENCY_MISSING, Code.DEPENDENCY_TOO_OLD, Code.DEPENDENCY_TOO_NEW})


def dead_end(links: Sequence[Inference]) -> str:
    """What follows from the last link of a chain that nothing can meet."""
    if not links:
        return "No release that any source lists would do."
    last = links[-1].finding
    if last.code in _OF_THE_HOST and last.found:
        return f"No source lists a release of {last.subject} that runs on {last.object} {last.found}."
    if last.object in {link.chosen.target for link in links if link.chosen}:
        return f"No release of {last.object} does for all of that."
    if last.code in _OF_A_RELEASE:
        return f"No source lists a release of {last.object} that would do."
    if last.code in _OF_ITSELF:
        return f"No source lists a release of {last.subject} that would do."
    return "No choice of releases that any source lists avoids that."


_OF_THE_HOST = frozenset({Code.HOST_TOO_OLD, Code.HOST_TOO_NEW, Code.HOST_PRERELEASE_EXCLUDED})
_OF_ITSELF = frozenset(
    {
        *(*_OF_THE_HOST, Code.HOST_UNDECLARED, Code.MATRIX_BLOCK, Code.LIFECYCLE_SUNSET),
        *(Code.SECURITY_ADVISORY, Code.SECURITY_BASELINE_LOW),
    }
)


def reason(link: Inference, asked: Asked) -> str:
    """One link of the chain, with who says so and what follows from it, without a full stop."""
    said = f"{' '.join(_fact(link.finding, link.version))} ({said_by(link.finding, asked)})"
    chosen = link.chosen
    if chosen is None:
        return said
    return f"{said}, so {chosen.target} would have to {'go' if chosen.to is None else f'be {chosen.to}'}"


def done(steps: Sequence[PlanStep]) -> str:
    """What a plan would have changed, told and not ordered: it does not lead out by itself."""
    return joined([_done(change) for step in steps for change in step.changes])


def _done(change: Change) -> str:
    match change.kind:
        case RemedyKind.REMOVE_CONFLICT:
            return f"{change.target} removed"
        case RemedyKind.ENABLE_DEPENDENCY:
            return f"{change.target} enabled"
        case _:
            return f"{change.target} {change.to}"


class _Fact(NamedTuple):
    """Who demands something, with its version, and what it demands."""

    subject: str
    verb: str
    object: str


def _fact(finding: Finding, version: str) -> _Fact:
    demand = finding.required.constraint if finding.required.kind is DemandKind.RANGE else ""
    wants = f"{finding.object} {demand}".strip()
    return _Fact(f"{finding.subject} {version}".strip(), _VERBS.get(finding.code, "needs"), wants)


_VERBS = {
    Code.PLUGIN_CONFLICT: "cannot run beside",
    Code.CONFLICT_REVERSE: "cannot run beside",
    Code.DEPENDENCY_CYCLE: "needs itself through",
    Code.LIFECYCLE_SUNSET: "is no longer supported:",
    Code.MATRIX_BLOCK: "is blocked on",
    Code.SECURITY_ADVISORY: "is affected by",
    Code.MANIFEST_INVALID: "has no readable",
    Code.HOST_UNDECLARED: "is not known to run on any version of",
    Code.DATABASE_UNSUPPORTED: "does not run on",
    Code.API_BREAK: "uses",
    Code.SCHEMA_BREAK: "uses",
}


def _order(kind: RemedyKind, target: str, to: str | None, plugin: str) -> str:  # noqa: PLR0911 - one for each kind
    match kind:
        case RemedyKind.INSTALL_VERSION:
            return f"install {plugin} {to}"
        case RemedyKind.UPGRADE_HOST | RemedyKind.UPGRADE_DEPENDENCY:
            return f"upgrade {target} to {to}"
        case RemedyKind.DOWNGRADE_DEPENDENCY:
            return f"downgrade {target} to {to}"
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
