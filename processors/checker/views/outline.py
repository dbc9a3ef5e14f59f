"""The content of a report in the order in which people need it: what it is about, causes, ways out, grounds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from processors.checker import words
from processors.checker.sentences import dead_ends, orders
from processors.checker.sentences.demands import told_by
from processors.events.report import Finding, Remediation, Report
from processors.events.vocabulary import NEVER_EXCEPTED, Dimension, RemedyKind, Verdict

LINES = 3
"""The most findings of one group that get a sentence each. The rest is counted and named."""

_TITLES = {
    Dimension.HOST: "Host",
    Dimension.DEPENDENCY: "Dependencies",
    Dimension.CONFLICT: "Conflicts",
    Dimension.RUNTIME: "Runtime",
    Dimension.API_SCHEMA: "APIs and schemas",
    Dimension.MIGRATION: "Data migration",
    Dimension.LIFECYCLE: "Lifecycle",
    Dimension.SECURITY: "Security",
    Dimension.MATRIX: "Compatibility matrix",
    Dimension.MANIFEST: "Manifest",
}
_HEADLINES = {
    Verdict.ALLOW: "Allowed",
    Verdict.WARN: "Allowed with a warning",
    Verdict.BLOCK: "Blocked",
    Verdict.ALLOW_BY_EXCEPTION: "Allowed by exception",
}


class Group(NamedTuple):
    """Findings with one root: what they are about, whether they block, and the findings, most severe first.

    `rest` counts and names those that have no sentence of their own.
    """

    title: str
    blocks: bool
    findings: tuple[Finding, ...]
    rest: tuple[str, ...]


class Step(NamedTuple):
    """What to do next: in words, and as a command or address. Both may contain outside text."""

    words: str
    target: str

    @property
    def is_link(self) -> bool:
        """Whether the target is safe as a link."""
        return self.target.startswith(("https://", "http://"))


class WayOut(NamedTuple):
    """A plan as one sentence; if it is long, its steps in order, those of one kind on one line."""

    sentence: str
    steps: tuple[str, ...] = ()


class Outline(NamedTuple):
    headline: str
    asked: str
    where: str
    risk: str
    groups: tuple[Group, ...]
    ways_out: tuple[WayOut, ...]
    why_none: tuple[str, ...]
    closest: str
    note: str
    grounds: tuple[str, ...]
    next_steps: tuple[Step, ...]

    @property
    def helps(self) -> str:
        """The heading above ways out, notes and the closest plan."""
        return "What helps" if self.ways_out else "What is left to do"


def clean(text: str) -> str:
    """Without control characters that a terminal or browser would obey, such as ESC or marks of direction."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "�" for c in text)


def outline(
    report: Report, request_id: str | None = None, matrices: Sequence[str] = (), explained_at: str = ""
) -> Outline:
    """What every view shows.

    `matrices` are the files that an offline check used; the running guard has none. `explained_at` is the address
    of a gateway that explains findings, if one is known.
    """
    return Outline(
        headline=_HEADLINES.get(report.verdict, "No verdict: treat as blocked"),
        asked=f"{report.plugin_id} {report.plugin_version}",
        where=f"{report.host} {report.host_version}",
        risk=f"risk {report.risk.score} of 100, {report.risk.band.lower()}",
        groups=tuple(_groups(report.findings)),
        ways_out=tuple(_way_out(plan, report) for plan in report.remediations),
        why_none=tuple(_why_none(report)),
        closest=_closest(report),
        note=_capital(report.remediation_note) + "." if report.remediation_note else "",
        grounds=(*(f"matrix file: {file}" for file in matrices), *_grounds(report)),
        next_steps=tuple(_next_steps(report, request_id, explained_at)),
    )


def _asked(report: Report) -> words.Asked:
    return words.Asked(report.plugin_id, report.plugin_version, report.host)


def _way_out(plan: Remediation, report: Report) -> WayOut:
    count, told = orders.steps_of(plan), told_by(report.findings)
    if count <= LINES:
        return WayOut(f"{_capital(orders.with_causes(plan, report.plugin_id, report.plugin_version, told))}.")
    runs = orders.runs(plan.steps, report.plugin_id, report.plugin_version, told=told)
    return WayOut(f"In {count} steps, one after the other:", tuple(f"{_capital(run)}." for run in runs))


def _why_none(report: Report) -> Iterable[str]:
    """Chains of facts, each with its conclusion. A chain of a single finding is left out: it is shown already."""
    known = {finding.id for finding in report.findings}
    for chain in dead_ends.chains(report.derivation):
        if len(chain) > 1 or chain[0].finding.id not in known or not dead_ends.names_all(chain[0].finding):
            yield from (f"{dead_ends.reason(link, _asked(report))}." for link in chain)
        yield dead_ends.dead_end(chain)


def _closest(report: Report) -> str:
    """The plan that leaves the least open, and what that is: an exception would have to cover it."""
    plan = report.closest
    if plan is None:
        return ""
    still_open = [finding for finding in report.findings if finding.id in plan.leaves_open]
    left = dead_ends.demands(still_open) if still_open else "more than the report lists"
    return f"What comes closest is {plan.sentence}; an exception would have to cover the rest: {left}."


def contributions(report: Report) -> list[str]:
    """The arithmetic of the score, a line for each dimension: enough to compute it again."""
    lines = [
        f"{_TITLES.get(c.dimension, c.dimension)}: weight {c.weight_bp / 100:g} %, "
        f"severities {' '.join(map(str, c.severities[:LINES]))}{' ...' if len(c.severities) > LINES else ''}, "
        f"together {c.combined_bp / 100:g} %"
        for c in report.risk.contributions
    ]
    return [*lines, f"at least {report.risk.floor}, because of what was found"] if report.risk.floor else lines


def _groups(findings: Iterable[Finding]) -> Iterable[Group]:
    """By what they are about. Findings are sorted by cost, and so are their groups."""
    grouped: dict[tuple[bool, Dimension], list[Finding]] = {}
    for finding in findings:
        grouped.setdefault((finding.blocks, finding.dimension), []).append(finding)
    for (blocks, dimension), found in grouped.items():
        roots = sorted(found, key=lambda f: f.derived_from is not None)
        title = _TITLES.get(dimension, dimension) + (f" ({len(found)})" if len(found) > 1 else "")
        rest = roots[LINES:]
        yield Group(title, blocks, tuple(roots[:LINES]), tuple(f"{text}." for text in words.more_of(rest)))


def _grounds(report: Report) -> Iterable[str]:
    sources = [f"{s.source} {s.revision}{' (expired)' if s.expired else ''}" for s in report.sources]
    yield f"matrix: {', '.join(sources) or 'none'}"
    rows = [row for row in report.rows if row.decisive or row.why.startswith("overrides ")]
    for row in rows[:LINES]:
        yield f"{row.source} matrix[{row.row}]: {row.action} {row.says}" + (f" ({row.why})" if row.why else "")
    yield f"input {_short(report.input_digest)}, basis {_short(report.basis_digest)}, engine {report.engine}"


def explanation(explained_at: str, code: str) -> str:
    """The address of the page about a finding code."""
    return f"{explained_at.rstrip('/')}/findings/{code}"


def may_be_excepted(report: Report) -> bool:
    """Whether an exception may be requested: the verdict is a block, and no finding is beyond approval."""
    never = any(finding.blocks and finding.code in NEVER_EXCEPTED for finding in report.findings)
    return report.verdict is Verdict.BLOCK and not never


def _next_steps(report: Report, request_id: str | None, explained_at: str) -> Iterable[Step]:
    if report.verdict is Verdict.ALLOW:
        return
    if report.findings:
        yield Step("More on this", _help(report.findings[0], explained_at))
    if moved := next(
        (link.chosen for link in report.derivation if link.chosen and link.chosen.kind is RemedyKind.UPGRADE_HOST),
        None,
    ):
        now, then = f"{report.host}@{report.host_version}", f"{moved.target}@{moved.to}"
        command = f"compat-guard plan --from {now} --host {then} --installed-from FILE"
        yield Step("Who holds the host back", command)
    if request_id and may_be_excepted(report):
        yield Step("If none of this is possible", f"compat-guard exception request {request_id}")


def _help(finding: Finding, explained_at: str) -> str:
    """The address that a matrix or an advisory names, else the page about the code, if a gateway that has it is
    known."""
    is_ours = finding.help == f"compat-guard explain {finding.code}"
    return explanation(explained_at, finding.code) if is_ours and explained_at else finding.help


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
