"""The page that the README links: what was compared, on which machine, as a table and a plot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from .figures import Figure, number
from .machine import Machine

COMPARED: Final = (
    ("checker-known-subjects", "raw", "0.7"),
    ("checker-known-subjects", "kafka-streams-codec", "1.5"),
    ("checker-known-subjects", "quix-codec", "5"),
    ("checker-zipf", "kafka-streams-codec", "0.7"),
    ("checker-new-combinations", "codec", "1.0"),
    ("checker-new-subjects", "codec", "0.6"),
    ("latency-checker-p50", "latency-echo-p50", "1.0 at most"),
    ("latency-checker-p99", "latency-echo-p99", "1.1 at most"),
    ("ledger-sink", "bare-copy", "0.5"),
    ("matrix-check-large", "matrix-check-1k-rows", "1.2 at most"),
    ("startup-help", "startup-base", "2.0 at most"),
    ("startup-check", "startup-base", "2.5 at most"),
)
"""Who is held against whom, and what the ratio should be."""

# ruff: noqa: E501 - a page of Markdown

TEXT: Final = """# Measured

Made by `scripts/bench --peers --page tests/bench` on {day}: {processor}, {cores} cores, {gigabytes:.0f} GB, Python
{python}; {busy:.0%} of the machine was used by others when it began. Each figure is the median of three rounds in which
everybody took turns; the spread is the distance of the best round from the worst, as a share of the median.

![Records a second](throughput.svg)

## What is compared, and what is not

- `raw` is hand-written against the client: a batch in, the same bytes out, headers read and written, one transaction for
  each batch. Nothing that is exactly-once in Python can be faster.
- `codec`, `kafka-streams-codec` and `quix-codec` decode each request whole and encode a result of ordinary size, and decide
  nothing. The checker decides; where it has seen the very question before it need not decode, which is why it can be
  faster than they are.
- All read the same requests from the same topic (lz4, 6 partitions, some 600 bytes) of the same broker, which shares the
  cores with them, as clients on the same machine do. The peers are timed from their first record to their last.
- One broker with one replica on the same disk: a cluster adds its round trips to everybody alike.

## Ratios

| measure | ratio | goal |
|---|---:|---:|
{ratios}

## Figures

| measurement | value | unit | spread |
|---|---:|---|---:|
{figures}
"""


def write_page(folder: Path, figures: Sequence[Figure], machine: Machine) -> None:
    """RESULTS.md, and throughput.svg beside it."""
    values = {figure.name: figure.value for figure in figures}
    ratios = [
        f"| `{name}` / `{against}` | {values[name] / values[against]:.2f} | {goal} |"
        for name, against, goal in COMPARED
        if name in values and against in values
    ]
    rows = [f"| `{f.name}` | {number(f.value)} | {f.unit} | {_share(f.spread)} |" for f in figures]
    text = TEXT.format(
        day=datetime.now(UTC).strftime("%Y-%m-%d"),
        processor=machine.processor,
        cores=machine.cores,
        gigabytes=machine.gigabytes,
        python=machine.python,
        busy=machine.busy,
        ratios="\n".join(ratios),
        figures="\n".join(rows),
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "RESULTS.md").write_text(text, "utf-8")
    (folder / "throughput.svg").write_text(plot([f for f in figures if f.unit == "records/s"]), "utf-8")


def _share(spread: float | None) -> str:
    return "" if spread is None else f"{spread:.0%}"


_ROW, _LEFT, _WIDTH, _RIGHT = 28, 210, 440, 90
_OURS, _THEIRS, _INK = "#2563eb", "#94a3b8", "#64748b"


def plot(figures: Sequence[Figure]) -> str:
    """Bars, one below the other; ours in colour. Legible on light and on dark paper."""
    longest = max((figure.value for figure in figures), default=1.0)
    height = _ROW * len(figures) + 8
    bars = [_bar(figure, n * _ROW + 8, figure.value / longest) for n, figure in enumerate(figures)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + _RIGHT}" height="{height}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="13" fill="{_INK}"><title>Records a second</title>'
        f"{''.join(bars)}</svg>\n"
    )


def _bar(figure: Figure, top: int, share: float) -> str:
    colour = _OURS if figure.name.startswith("checker") else _THEIRS
    width = max(1, round(_WIDTH * share))
    return (
        f'<text x="{_LEFT - 8}" y="{top + 14}" text-anchor="end">{escape(figure.name)}</text>'
        f'<rect x="{_LEFT}" y="{top}" width="{width}" height="20" rx="3" fill="{colour}"/>'
        f'<text x="{_LEFT + width + 8}" y="{top + 14}">{number(figure.value)}</text>'
    )
