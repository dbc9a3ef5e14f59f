"""A report as one self-contained HTML page: no external script, font or image. Prints well."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

from processors.checker.views.outline import (
    Group,
    Outline,
    Step,
    WayOut,
    clean,
    contributions,
    explanation,
    outline,
)
from processors.events.report import Report

_QUOTED = re.compile(r"`([^`\n]+)`")


def render(
    report: Report,
    digest: str,
    request_id: str | None = None,
    matrices: Sequence[str] = (),
    explained_at: str = "",
) -> str:
    """A whole HTML document. All outside text is escaped.

    `explained_at` is the address of a gateway, whose pages explain the findings; empty where none is known.
    """
    said = outline(report, request_id, matrices, explained_at)
    shown = article(report, said, digest, request_id, explained_at or None)
    title = escape(f"{said.headline}: {said.asked} on {said.where}")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>\n{stylesheet()}</style>\n</head>\n"
        f'<body>\n<main class="alone">\n{shown}\n</main>\n</body>\n'
        "</html>"
    )


def article(
    report: Report, said: Outline, digest: str, request_id: str | None = None, explained_at: str | None = None
) -> str:
    """The report as part of a page that has `stylesheet`. Verdict and ways out come first, the grounds last.

    `explained_at` as in `render`; an empty text links to pages of the same site, None links nowhere.
    """
    asked = f"request {request_id}" if request_id else ""
    about = ", ".join(filter(None, (f"on {said.where}", said.risk, asked)))
    parts = [
        heading(report, said, about),
        ways_out(said),
        causes(said, explained_at),
        grounds(report, said, digest),
        further(said.next_steps),
    ]
    return '<article class="report">\n' + "\n".join(filter(None, parts)) + "\n</article>"


def heading(report: Report, said: Outline, about: str) -> str:
    """The verdict and what it is about, a line `about` the request, and the summary."""
    return (
        f'<h1><span class="verdict {escape(report.verdict)}">{escape(said.headline)}</span>\n'
        f'{escape(said.asked)}</h1>\n<p class="quiet">{escape(about)}</p>\n'
        f'<p class="lead">{_words(report.summary)}</p>'
    )


def ways_out(said: Outline, actions: Sequence[Step] = ()) -> str:
    """What helps; empty if there is nothing to say.

    `actions` are links, one for each way out in order; none where the target is empty.
    """
    notes = "".join(f"<p>{_words(text)}</p>" for text in (said.note, said.closest) if text)
    links = [_action(action) for action in actions] or [""] * len(said.ways_out)
    items = "".join(_way_out(way, link) for way, link in zip(said.ways_out, links, strict=True))
    if not items and not notes:
        return ""
    listed = f"<ol>{items}</ol>" if items else ""
    return f'<section class="helps"><h2>What helps</h2>{listed}{notes}</section>'


def causes(said: Outline, explained_at: str | None) -> str:
    """The findings in their groups, and why nothing helps, if so. `explained_at` as in `article`."""
    parts = [*(_group(group, explained_at) for group in said.groups), _list("Why nothing helps", said.why_none)]
    return "\n".join(filter(None, parts))


def grounds(report: Report, said: Outline, digest: str) -> str:
    """What the answer rests on: sources, rows, digests, the arithmetic of the score."""
    return _list("On what grounds", (*said.grounds, *contributions(report), f"report {digest}"))


@cache
def stylesheet() -> str:
    return files("processors.checker.views").joinpath("style.css").read_text("utf-8")


def _group(group: Group, explained_at: str | None) -> str:
    items = [f"<li>{_words(f.sentence)} {_code(f.code, explained_at)}</li>" for f in group.findings]
    items += [f"<li>{escape(text)}</li>" for text in group.rest]
    kind, says = ("blocks", "Blocks") if group.blocks else ("warns", "Warns")
    heading = f"{says}: {escape(group.title)}"
    return f'<section class="{kind}"><h2>{heading}</h2><ul>{"".join(items)}</ul></section>'


def _code(code: str, explained_at: str | None) -> str:
    shown = f"<code>{escape(code)}</code>"
    return shown if explained_at is None else f'<a href="{escape(explanation(explained_at, code))}">{shown}</a>'


def further(steps: Iterable[Step]) -> str:
    """What to do or read next, a line each."""
    return "\n".join(f"<p>{step.words}: {_target(step)}</p>" for step in steps)


def _way_out(way: WayOut, link: str) -> str:
    steps = "".join(f"<li>{_words(step)}</li>" for step in way.steps)
    return f"<li>{_words(way.sentence)}{f'<ul>{steps}</ul>' if steps else ''}{link}</li>"


def _action(action: Step) -> str:
    return action.target and f' <a class="do" href="{escape(action.target)}">{escape(action.words)}</a>'


def _list(title: str, texts: tuple[str, ...]) -> str:
    if not texts:
        return ""
    items = "".join(f"<li>{_words(text)}</li>" for text in texts)
    return f"<section><h2>{title}</h2><ul>{items}</ul></section>"


def _target(step: Step) -> str:
    shown = escape(step.target)
    return f'<a href="{shown}">{shown}</a>' if step.is_link else f"<code>{shown}</code>"


def escape(text: str) -> str:
    return html.escape("\n".join(map(clean, text.split("\n"))))


def _words(text: str) -> str:
    """Text with what stands between backticks set as code."""
    return _QUOTED.sub(r"<code>\1</code>", escape(text))
