"""A report for a terminal: readable at eighty columns, with colour if the terminal supports it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from processors.checker.views.outline import Group, clean, contributions, outline
from processors.events.report import Report
from processors.events.vocabulary import Verdict

WIDTH = 100
_COLOURS = {Verdict.ALLOW: "32", Verdict.WARN: "33", Verdict.BLOCK: "31", Verdict.ALLOW_BY_EXCEPTION: "36"}


def render(
    report: Report,
    request_id: str | None = None,
    *,
    colour: bool = False,
    width: int = WIDTH,
    matrices: Sequence[str] = (),
    explained_at: str = "",
) -> str:
    """Plain text without colour; with it, ANSI sequences around headings and nothing else.

    `explained_at` is the address of a gateway that explains findings, if one is known.
    """
    said = outline(report, request_id, matrices, explained_at)
    strong = _COLOURS.get(report.verdict, "31")
    headline = paint(said.headline.upper(), "1;" + strong, colour)
    about = f"{clean(f'{said.asked} on {said.where}')}  ({said.risk})"
    fits = len(said.headline) + 2 + len(about) <= width
    lines = [f"{headline}  {about}"] if fits else [headline, *wrapped(about, width)]
    if not report.findings:
        return "\n".join([*lines, *wrapped(report.summary, width), "", *indented(said.grounds, width)])
    lines += ["", *wrapped(report.summary, width)]
    for group in said.groups:
        lines += ["", *_group(group, colour, width)]
    if said.why_none:
        lines += ["", paint("Why nothing helps", "1", colour), *indented(said.why_none, width)]
    if said.ways_out or said.note or said.closest:
        lines += ["", paint(said.helps, "1", colour)]
        for number, way in enumerate(said.ways_out, 1):
            lines += wrapped(f"{number}. {way.sentence}", width)
            lines += [line for step in way.steps for line in wrapped(f"- {step}", width, "     ")]
        lines += indented(tuple(filter(None, (said.note, said.closest))), width)
    lines += ["", paint("On what grounds", "1", colour)]
    lines += indented((*said.grounds, *contributions(report)), width)
    if said.next_steps:
        lines += ["", *(clean(f"{step.words}: {step.target}") for step in said.next_steps)]
    return "\n".join(lines)


def _group(group: Group, colour: bool, width: int) -> list[str]:
    mark, shade = ("x", "31") if group.blocks else ("!", "33")
    lines = [f"{paint(mark, shade, colour)} {paint(group.title, '1', colour)}"]
    for finding in group.findings:
        lines += wrapped(f"{finding.sentence} [{finding.code}]", width)
    return [*lines, *indented(group.rest, width)]


def indented(texts: tuple[str, ...], width: int) -> list[str]:
    return [line for text in texts for line in wrapped(text, width)]


def wrapped(text: str, width: int, indent: str = "  ") -> list[str]:
    return textwrap.wrap(
        clean(text),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def paint(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text
