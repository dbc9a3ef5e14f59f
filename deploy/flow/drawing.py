"""The picture as SVG: boxes and arrows of the plan, in colours that can be read on white and on black."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from deploy.flow.plan import ANSWERS_THE_GATEWAY, ARROWS, ASKED_BY_THE_GATEWAY, BOXES, CALLED, KEPT, Box

WIDTH, HEIGHT = 1184, 672

_STYLE: Final = """\
svg { --ink: #1f2937; --dim: #57606a; --line: #6b7280; }
svg { --topic: #dbeafe; --edge: #2563eb; --done: #dcfce7; --rim: #15803d; --paper: #ffffff; }
@media (prefers-color-scheme: dark) {
  svg { --ink: #e6edf3; --dim: #a3adb8; --line: #8b949e; }
  svg { --topic: #172a46; --edge: #6ea8fe; --done: #12301d; --rim: #4ade80; --paper: #0d1117; }
}
.paper { fill: var(--paper); }
text { font: 13px system-ui, sans-serif; fill: var(--ink); text-anchor: middle; }
.small { font-size: 11px; fill: var(--dim); }
.start { text-anchor: start; }
.processor { fill: var(--done); stroke: var(--rim); stroke-width: 2; }
.processor-name { font-weight: 600; }
.topic { fill: var(--topic); stroke: var(--edge); }
.outside, .store { fill: none; stroke: var(--line); stroke-dasharray: 4 3; }
.store { stroke-dasharray: none; }
.arrow { fill: none; stroke: var(--line); stroke-width: 1.3; marker-end: url(#tip); }
.lane { fill: none; stroke: var(--rim); stroke-width: 1.6; marker-end: url(#tip-lane); }
#tip path { fill: var(--line); }
#tip-lane path { fill: var(--rim); }
"""

_BY_NAME: Final = {box.name: box for box in BOXES}


def drawing() -> str:
    """The whole file."""
    inside = "\n".join((*_lanes(), *_arrows(), *(part for box in BOXES for part in _box(box)), *_notes()))
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" \
role="img" aria-labelledby="title desc">
<title id="title">How requests, exceptions and facts flow through compat-guard</title>
<desc id="desc">{escape(_described())}</desc>
<style>
{_STYLE}</style>
<defs>
{_tip("tip")}
{_tip("tip-lane")}
</defs>
<rect class="paper" width="{WIDTH}" height="{HEIGHT}" rx="8"/>
{inside}
</svg>
"""


def _tip(id: str) -> str:
    return (
        f'<marker id="{id}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path d="M0 0 8 4 0 8z"/></marker>'
    )


def _described() -> str:
    """Every arrow in words, for whoever does not see it."""
    sentences = [f"{_called(arrow.source)} to {_called(arrow.target)}" for arrow in ARROWS]
    asked, answers = (", ".join(names) for names in (ASKED_BY_THE_GATEWAY, ANSWERS_THE_GATEWAY))
    return f"The gateway writes {asked} and reads {answers}. The ledger reads every topic. {'; '.join(sentences)}."


def _called(name: str) -> str:
    return CALLED.get(name, name)


def _box(box: Box) -> Iterator[str]:
    middle = box.x + box.width // 2
    round_ = 17 if box.kind == "topic" else 5
    size = f'x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}"'
    yield f'<rect class="{box.kind}" {size} rx="{round_}"/>'
    style = ' class="processor-name"' if box.kind == "processor" else ""
    apart = 13 if box.kind == "topic" else 17
    base = box.y + box.height // 2 + 5 - (apart // 2 if box.says else 0)
    yield f'<text{style} x="{middle}" y="{base}">{escape(_called(box.name))}</text>'
    if box.says:
        yield f'<text class="small" x="{middle}" y="{base + apart}">{escape(box.says)}</text>'


def _arrows() -> Iterator[str]:
    for arrow in ARROWS:
        source, target = _BY_NAME[arrow.source], _BY_NAME[arrow.target]
        yield f'<path class="arrow" d="{_way(source, target)}"/>'
        if arrow.label:
            x, y = _label_at(source, target)
            start = " start" if source.x == target.x else ""
            yield f'<text class="small{start}" x="{x}" y="{y}">{escape(arrow.label)}</text>'


def _label_at(source: Box, target: Box) -> tuple[int, int]:
    if source.x == target.x:
        return source.x + source.width // 2 + 8, (source.y + source.height + target.y) // 2 + 4
    return (source.x + source.width + target.x) // 2, source.y + source.height // 2 - 6


def _way(source: Box, target: Box) -> str:
    """Sideways where the target stands to the right, else down."""
    if target.x < source.x + source.width:
        return f"M{target.x + target.width // 2} {source.y + source.height}V{target.y - 2}"
    begin, end = source.y + source.height // 2, _height_at(source, target)
    x, to = source.x + source.width, target.x - 2
    half = (x + to) // 2
    return f"M{x} {begin}C{half} {begin} {half} {end} {to} {end}"


def _height_at(source: Box, target: Box) -> int:
    """Arrows arrive at a tall box one below the other, in the order of where they come from."""
    others = [_BY_NAME[a.source] for a in ARROWS if a.target == target.name and _BY_NAME[a.source].x == source.x]
    place = sorted(other.y for other in others).index(source.y) + 1
    return target.y + target.height * place // (len(others) + 1)


def _lanes() -> Iterator[str]:
    """What the gateway asks goes down on the left, what answers it comes up on the right."""
    gateway = _BY_NAME["gateway"]
    floor = gateway.y + gateway.height
    left = gateway.x - 16
    for name in ASKED_BY_THE_GATEWAY:
        box = _BY_NAME[name]
        y = box.y + 9
        yield f'<path class="lane" d="M{gateway.x + 40} {floor}v10H{left}V{y}H{box.x - 2}"/>'
    right = gateway.x + gateway.width - 40
    for name in ANSWERS_THE_GATEWAY:
        box = _BY_NAME[name]
        x = box.x + box.width
        lane = x + 12
        yield f'<path class="lane" d="M{x} {box.y + 9}H{lane}V{floor + 10}H{right}V{floor + 2}"/>'


def _notes() -> Iterator[str]:
    kept = ", ".join(topic.removeprefix("compat.") for topic in KEPT)
    lines = (
        "Green: the guard. Blue: topics, each called compat.NAME. Dashed: everybody else.",
        "Along the green lines the gateway asks and is answered. Tables are read whole.",
        f"Processors keep for themselves: {kept}.",
        "The ledger reads every topic, the relay decisions and outcomes too; the security context writes policies.",
    )
    for number, line in enumerate(lines):
        yield f'<text class="small start" x="16" y="{612 + 16 * number}">{escape(line)}</text>'
