"""A report as one page that needs nothing else: no script, no font, no image from anywhere. Prints well."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from processors.checker.views.outline import Group, Outline, Step, WayOut, contributions, outline
from processors.events.report import Report

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --ok: #1a7f37; --warn: #9a6700; --bad: #cf222e; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.05rem; margin: 1.5rem 0 .25rem; }
.verdict { display: inline-block; padding: .1rem .6rem; border-radius: 1rem; color: #fff; background: var(--bad); }
.ALLOW { background: var(--ok); } .WARN { background: var(--warn); } .ALLOW_BY_EXCEPTION { background: #0969da; }
.lead { font-size: 1.1rem; } .quiet, code { color: #6e7781; font-size: .85rem; }
section { border-left: 3px solid var(--line); padding-left: 1rem; } .blocks { border-color: var(--bad); }
.warns { border-color: var(--warn); } ul, ol { padding-left: 1.2rem; }
li { margin: .3rem 0; overflow-wrap: anywhere; }
@media print { body { margin: 0; max-width: none; } section { break-inside: avoid; } }
"""


def render(report: Report, digest: str, request_id: str | None = None, matrices: Sequence[str] = ()) -> str:
    """A whole HTML document. Whatever comes from outside is escaped."""
    said = outline(report, request_id, matrices)
    body = [
        f'<h1><span class="verdict {escape(report.verdict)}">{escape(said.headline)}</span>',
        f"{escape(said.asked)}</h1>",
        f'<p class="quiet">on {escape(said.where)}, {escape(said.risk)}</p>',
        f'<p class="lead">{escape(report.summary)}</p>',
        *(_group(group) for group in said.groups),
        _list("Why nothing helps", said.why_none),
        _ways_out(said),
        _list("On what grounds", (*said.grounds, *contributions(report), f"report {digest}")),
        *(f"<p>{step.words}: {_target(step)}</p>" for step in said.next_steps),
    ]
    title = f"{said.headline}: {said.asked} on {said.where}"
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{_STYLE}</style>\n'
        + "\n".join(filter(None, body))
        + "\n</html>"
    )


def _group(group: Group) -> str:
    items = [f"<li>{escape(f.sentence)} <code>{escape(f.code)}</code></li>" for f in group.findings]
    items += [f"<li>... and {group.hidden} more</li>"] if group.hidden else []
    kind = "blocks" if group.blocks else "warns"
    return f'<section class="{kind}"><h2>{escape(group.title)}</h2><ul>{"".join(items)}</ul></section>'


def _ways_out(said: Outline) -> str:
    notes = "".join(f"<p>{escape(text)}</p>" for text in (said.note, said.closest) if text)
    items = "".join(_way_out(way) for way in said.ways_out)
    if not items and not notes:
        return ""
    return f"<section><h2>What helps</h2><ol>{items}</ol>{notes}</section>"


def _way_out(way: WayOut) -> str:
    steps = "".join(f"<li>{escape(step)}</li>" for step in way.steps)
    return f"<li>{escape(way.sentence)}{f'<ul>{steps}</ul>' if steps else ''}</li>"


def _list(title: str, texts: tuple[str, ...]) -> str:
    if not texts:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<section><h2>{title}</h2><ul>{items}</ul></section>"


def _target(step: Step) -> str:
    shown = escape(step.target)
    return f'<a href="{shown}">{shown}</a>' if step.is_link else f"<code>{shown}</code>"
