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

OBSTACLES: Final = {
    (
        "checker-known-subjects",
        "raw",
    ): """`raw` moves bytes. The checker also cuts each request, looks it up, mints the id
  of its answer, writes seven headers, counts and logs; `checker-known-subjects-cpu` beside `raw-cpu` is what that costs.
  Questions are recognised by the bytes that follow their id, and the garbage collector is kept out of batches, which saved
  more than a third; what is left are single operations on each record, in one Python thread.""",
    (
        "checker-known-subjects",
        "kafka-streams-codec",
    ): """Kafka Streams runs compiled, and its collector and its network
  threads use the second core while its one thread decodes; the checker's loop is one Python thread. On an EPYC of
  two cores the ratio was 1.22.""",
    (
        "checker-known-subjects",
        "quix-codec",
    ): """The peer is given what the checker has, an eased garbage collector and a full
  fetch queue, so that it is no slower than it could be.""",
    (
        "checker-zipf",
        "kafka-streams-codec",
    ): """Each round starts a new checker. Of its 50,000 draws from as many questions, 18 %
  come for the first time (14 % of 100,000, 4 % of a million), and each of those costs what a new subject does.""",
    (
        "checker-new-combinations",
        "codec",
    ): """Nineteen in twenty combinations are answered from their parts, without a check.
  One in fifty manifests is blocked, and its ways out are searched for the installation as a whole (`plans-block-p50`): that
  is two fifths of the processor time of this row.""",
    (
        "checker-new-subjects",
        "codec",
    ): """`codec` decodes and encodes. A check does both, and between them compares every version
  with every range, asks each rule, and writes the report and its digest; `check-new-subjects` is all of that
  without a broker. Compiling rules and versions gained a fifth to a third, and would cost every user a compiler.""",
    (
        "latency-checker-p50",
        "latency-echo-p50",
    ): """A request that comes while a transaction is open waits for its end, and the checker's
  takes longer by what it decides and writes. Nine tenths of either are the call that hands the offsets over.""",
    (
        "latency-checker-p99",
        "latency-echo-p99",
    ): """Nine tenths of either are the call that hands the offsets over; now and then it takes
  25 to 55 ms, and did so whether the client's back-off was 20, 3 or 1 ms.""",
    (
        "ledger-sink",
        "bare-copy",
    ): """`ledger-sink-handle` of a row's time passes before the database is asked: decoding, masking,
  three canonical texts, their digests. The chain and the current state of cases come in the same transaction as COPY, so
  that nothing can be filed without them.""",
    (
        "startup-check",
        "startup-base",
    ): """A typer command with one option is `startup-floor`. Beyond it a check imports some 150
  modules, of which classes and patterns are a third, and the readers of YAML, Avro and PEP 440.""",
}
"""What stands in the way of a ratio, where it misses its goal."""

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
- `-cpu` is the processor time of a record in all threads of its process, the broker's excluded. It is steadier than the
  rate, which also depends on who else had the two cores.
- How much faster two replicas are than one is not measured: with the broker, they would be three on two cores.

## Ratios

| measure | ratio | goal |
|---|---:|---:|
{ratios}

{obstacles}## Figures

| measurement | value | unit | spread |
|---|---:|---|---:|
{figures}
"""


def write_page(folder: Path, figures: Sequence[Figure], machine: Machine) -> None:
    """RESULTS.md, and throughput.svg beside it."""
    values = {figure.name: figure.value for figure in figures}
    compared = [
        (name, against, values[name] / values[against], goal)
        for name, against, goal in COMPARED
        if name in values and against in values
    ]
    ratios = [f"| `{name}` / `{against}` | {ratio:.2f} | {goal} |" for name, against, ratio, goal in compared]
    missed = [
        f"- `{name}` / `{against}`: {OBSTACLES[name, against]}"
        for name, against, ratio, goal in compared
        if not meets(ratio, goal) and (name, against) in OBSTACLES
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
        obstacles="## What stands in the way\n\n{}\n\n".format("\n".join(missed)) if missed else "",
        figures="\n".join(rows),
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "RESULTS.md").write_text(text, "utf-8")
    (folder / "throughput.svg").write_text(plot([f for f in figures if f.unit == "records/s"]), "utf-8")


def meets(ratio: float, goal: str) -> bool:
    """Whether a ratio, as it is shown, reaches a goal such as `0.7` or `1.1 at most`."""
    limit, at_most = float(goal.partition(" ")[0]), goal.endswith("at most")
    return round(ratio, 2) <= limit if at_most else round(ratio, 2) >= limit


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
