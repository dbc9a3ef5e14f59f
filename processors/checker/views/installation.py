"""A plan for a whole installation: as text, Markdown and HTML from one outline, as JSON, and as JUnit XML."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any, Final, NamedTuple

import processors
from processors.checker import words
from processors.checker.plans.installation import InstallationPlan, Outlook
from processors.checker.plans.installation_search import HeldBack
from processors.checker.sentences import dead_ends, lists, orders
from processors.checker.views.junit import attribute, xml_text
from processors.checker.views.markdown import plain
from processors.checker.views.outline import clean
from processors.checker.views.text import WIDTH, paint, wrapped
from processors.events.report import Cause, Change, Finding, Inference, PlanStep, Remediation

VERSION: Final = 1
"""Version of the JSON view, whose fields `schemas/InstallationPlan.schema.json` explains.

Fields are only ever added.
"""

_HEADLINES: Final = {
    Outlook.FITS: ("Everything fits", "32"),
    Outlook.PLAN: ("There is a plan", "32"),
    Outlook.HELD_BACK: ("Held back", "31"),
    Outlook.STOPPED: ("No answer", "31"),
    Outlook.UNJUDGED: ("Cannot be judged", "31"),
}


class Section(NamedTuple):
    """Lines under a heading; steps are numbered."""

    title: str
    lines: tuple[str, ...]
    are_steps: bool = False


class Outline(NamedTuple):
    headline: str
    about: str
    lead: str
    sections: tuple[Section, ...]


def outline(plan: InstallationPlan) -> Outline:
    sections = [*_plans(plan), *(_held_back(back) for back in plan.held_back)]
    if plan.closest is not None:
        others = (
            "What could be done for all others" if len(plan.held_back) > 1 else "What could be done for the others"
        )
        sections.append(Section(others, _steps(plan.closest), are_steps=True))
    if plan.unstated:
        host = plan.installation.target.name
        said = f"Nobody states on which versions of {host} these run: {', '.join(plan.unstated)}."
        sections.append(Section("What is not known", (said,)))
    sources = (f"{s.source} {s.revision}{' (expired)' if s.expired else ''}" for s in plan.sources)
    grounds = f"matrix: {', '.join(sources) or 'none'}; engine {processors.__version__}"
    sections.append(Section("On what grounds", (grounds,)))
    return Outline(_HEADLINES[plan.outlook][0], _about(plan), _lead(plan), tuple(sections))


def _about(plan: InstallationPlan) -> str:
    installation, target = plan.installation, plan.installation.target
    count = len(installation.plugins)
    plugins = "1 plugin" if count == 1 else f"{count} plugins"
    if not installation.moves:
        return f"{target.name} {target.version} with {plugins}"
    was = f" {installation.present.version}" if installation.present else ""
    return f"{target.name}{was} to {target.version} with {plugins}"


def _lead(plan: InstallationPlan) -> str:
    match plan.outlook:
        case Outlook.FITS:
            return "Every enabled plugin fits; there is nothing to do."
        case Outlook.PLAN:
            return _outcome(plan) + _promise(plan)
        case Outlook.HELD_BACK:
            names = lists.joined([f"{back.plugin} {back.version}" for back in plan.held_back])
            verb = "holds" if len(plan.held_back) == 1 else "hold"
            return f"{names} {verb} it back: no choice of releases that any source lists leads there."
        case Outlook.STOPPED:
            return "The search stopped at its effort limit before it had an answer; there may be a plan."
        case _:
            return " ".join(finding.sentence for finding in plan.unjudged)


def _outcome(plan: InstallationPlan) -> str:
    target, best = plan.installation.target, plan.plans[0]
    goal = (
        f"every enabled plugin fits {target.name} {target.version}"
        if plan.installation.moves
        else "everything fits"
    )
    if len(best.steps) > 1:
        return f"After these steps {goal}."
    if best.also:
        return f"All of this in one step, in this order, and {goal}."
    return f"With this one change {goal}."


def _promise(plan: InstallationPlan) -> str:
    if not plan.is_cheapest:
        return " A cheaper plan may exist: the search for it stopped at its effort limit."
    if plan.installation.present is None and plan.plans[0].also:
        now = f"--from {plan.installation.target.name}@VERSION"
        return f" State the version that runs now ({now}) to learn what can be done before the upgrade."
    return " Whatever works now goes on working after each of them." if len(plan.plans[0].steps) > 1 else ""


def _plans(plan: InstallationPlan) -> Iterator[Section]:
    for number, way in enumerate(plan.plans):
        title = ("Steps" if way.also else "Step") if number == 0 else "Or"
        yield Section(title, _steps(way), are_steps=True)


def _steps(way: Remediation) -> tuple[str, ...]:
    """A line for each step; for each change where all are made in one."""
    steps = [_alone(change, way) for change in way.changes] if len(way.steps) == 1 else way.steps
    told = (orders.step_in_words(step, "", "") for step in steps)
    return tuple(f"{text[:1].upper()}{text[1:]}." for text in told)


def _alone(change: Change, way: Remediation) -> PlanStep:
    """One change of a step, with its purpose."""
    causes = (cause for step in way.steps for cause in step.causes)
    return PlanStep((change,), causes=tuple(cause for cause in causes if cause.target == change.target))


def _held_back(back: HeldBack) -> Section:
    asked = words.Asked("", "", "")
    reasons = [f"{dead_ends.reason(link, asked)}." for link in back.links]
    return Section(f"Why {back.plugin} {back.version} holds it back", (*reasons, dead_ends.dead_end(back.links)))


def text(plan: InstallationPlan, *, colour: bool = False, width: int = WIDTH) -> str:
    """Plain text without colour; with it, ANSI sequences around headings and nothing else."""
    said = outline(plan)
    head = paint(said.headline.upper(), "1;" + _HEADLINES[plan.outlook][1], colour)
    lines = [f"{head}  {clean(said.about)}", "", *wrapped(said.lead, width)]
    for section in said.sections:
        lines += ["", paint(clean(section.title), "1", colour)]
        for number, line in enumerate(section.lines, 1):
            lines += wrapped(f"{number}. {line}" if section.are_steps else line, width)
    return "\n".join(lines)


def markdown(plan: InstallationPlan) -> str:
    """All outside text is escaped: it must not become markup."""
    said = outline(plan)
    lines = [f"## {said.headline}: {plain(said.about)}", "", plain(said.lead)]
    for section in said.sections:
        lines += ["", f"### {plain(section.title)}", ""]
        for number, line in enumerate(section.lines, 1):
            lines.append(f"{f'{number}.' if section.are_steps else '-'} {plain(line)}")
    return "\n".join(lines)


def html(plan: InstallationPlan) -> str:
    """A self-contained HTML document. All outside text is escaped."""
    said = outline(plan)
    body = [f"<h1>{escape(said.headline)}: {escape(said.about)}</h1>", f"<p>{escape(said.lead)}</p>"]
    for section in said.sections:
        items = "".join(f"<li>{escape(line)}</li>" for line in section.lines)
        tag = "ol" if section.are_steps else "ul"
        body.append(f"<section><h2>{escape(section.title)}</h2><{tag}>{items}</{tag}></section>")
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f"<title>{escape(said.headline)}: {escape(said.about)}</title>\n" + "\n".join(body) + "\n</html>"
    )


def junit(plan: InstallationPlan) -> str:
    """One test case for each enabled plugin, failed if it holds the installation back; else one for all."""
    about = _about(plan)
    held = {back.plugin: _held_back(back) for back in plan.held_back}
    cases = [_case(about, p.id, held.get(p.id)) for p in plan.installation.plugins if p.enabled]
    if plan.outlook in (Outlook.STOPPED, Outlook.UNJUDGED):
        cases = [_case(about, "installation", Section(_lead(plan), ()))]
    failures = sum("<failure" in case for case in cases)
    totals = f'tests="{len(cases)}" failures="{failures}" errors="0" skipped="0"'
    said = "\n".join(line for section in _plans(plan) for line in section.lines)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name="compat-guard" {totals}>\n<testsuite name={attribute(about)} {totals}>\n'
        + "\n".join(cases)
        + f"\n<system-out>{xml_text(f'{_lead(plan)} {said}'.strip())}</system-out>\n</testsuite>\n</testsuites>"
    )


def _case(about: str, name: str, failure: Section | None) -> str:
    head = f"<testcase classname={attribute(about)} name={attribute(name)}"
    if failure is None:
        return f"{head}/>"
    told = "\n".join(failure.lines)
    return f"{head}><failure message={attribute(failure.title)}>{xml_text(told)}</failure></testcase>"


def as_json(plan: InstallationPlan) -> str:
    """The facts, as `schemas/InstallationPlan.schema.json` describes them."""
    installation = plan.installation
    record: dict[str, Any] = {
        "version": VERSION,
        "engine": processors.__version__,
        "outlook": plan.outlook,
        "host": installation.target.name,
        "from": installation.present.version if installation.present else None,
        "to": installation.target.version,
        "summary": _lead(plan),
        "plans": [_plan_record(way) for way in plan.plans],
        "is_cheapest": plan.is_cheapest,
        "held_back": [
            {
                "plugin": back.plugin,
                "version": back.version,
                "why": [_fact(link) for link in back.links],
                "sentences": list(_held_back(back).lines),
            }
            for back in plan.held_back
        ],
        "closest": _plan_record(plan.closest) if plan.closest else None,
        "unstated": list(plan.unstated),
        "unjudged": [_problem(finding) for finding in plan.unjudged],
        "sources": [{"source": s.source, "revision": s.revision, "digest": s.digest} for s in plan.sources],
    }
    return json.dumps(record, indent=2, ensure_ascii=False)


def _plan_record(way: Remediation) -> dict[str, Any]:
    steps = [
        {
            "sentence": orders.step_in_words(step, "", ""),
            "changes": [_change(change) for change in step.changes],
            "causes": [_cause(cause) for cause in step.causes],
        }
        for step in way.steps
    ]
    return {"sentence": way.sentence, "steps": steps}


def _change(change: Change) -> dict[str, Any]:
    return {"kind": change.kind, "target": change.target, "to": change.to}


def _cause(cause: Cause) -> dict[str, Any]:
    demand = cause.required
    return {
        "target": cause.target,
        "code": cause.code,
        "subject": cause.subject,
        "version": cause.version,
        "object": cause.object,
        "constraint": demand.constraint,
        "source": demand.source,
        "revision": demand.revision,
        "row": demand.row,
    }


def _fact(link: Inference) -> dict[str, Any]:
    finding, demand = link.finding, link.finding.required
    return {
        "code": finding.code,
        "subject": finding.subject,
        "version": link.version,
        "object": finding.object,
        "constraint": demand.constraint,
        "source": demand.source,
        "revision": demand.revision,
        "row": demand.row,
        "tried": _change(link.chosen) if link.chosen else None,
    }


def _problem(finding: Finding) -> dict[str, Any]:
    return {"code": finding.code, "object": finding.object, "sentence": finding.sentence}
