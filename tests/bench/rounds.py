"""Throughput in rounds: whoever is compared takes turns on the same records, and the median of the rounds counts.

What is compared in one ratio is measured within minutes, and each is first, in the middle and last once, so that a
machine that grows slower or warmer favours nobody.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from processors.configuration.settings import Settings
from processors.events.subject import Subject

from . import peers, subjects, throughput

ROUNDS: Final = 3

AGAINST: Final = {
    "codec": "raw",
    "kafka-streams-codec": "raw",
    "quix-codec": "raw",
    "checker-known-subjects": "raw",
    "checker-zipf": "codec",
    "checker-new-combinations": "codec",
    "checker-new-subjects": "codec",
}
"""What each rate is shown as a ratio of; the page has the others."""


@dataclass(frozen=True)
class Rate:
    """Records a second: the median of the rounds, and how far apart they were, as a share of it."""

    name: str
    median: float
    spread: float
    cpu: float | None
    """Microseconds of processor time a record, the median; None for a peer."""


@dataclass(frozen=True)
class _Own:
    """A measurement of the checker on questions of its own."""

    name: str
    numbers: Iterator[int]
    ask: Callable[[int], Subject] = subjects.subject


def rates(
    settings: Settings, count: int, others: Mapping[str, Sequence[str]], folder: Path, say: Callable[[str], None]
) -> Iterator[Rate]:
    """Measure everything in turn. `others` are the commands of peers, `folder` what they were handed."""
    found: dict[str, list[float]] = {name: [] for name in ("raw", *AGAINST)}
    spent: dict[str, list[float]] = {name: [] for name in found}
    together = ["raw", "codec", *others, "checker-known-subjects"]
    alone = [
        _Own("checker-zipf", subjects.zipf(50_000)),
        _Own("checker-new-combinations", subjects.counting(1), subjects.combination),
        _Own("checker-new-subjects", subjects.counting(1_000_000)),
    ]
    throughput.load(settings, subjects.cycling(200), count)
    throughput.apart("raw", settings, count)  # the broker's first pass is its slowest, and would flatter the others
    for n in range(ROUNDS):
        say(f"round {n + 1} of {ROUNDS}")
        _prepare(settings, [_group(name) for name in together], subjects.cycling(200), count)
        for name in (*together[n % len(together) :], *together[: n % len(together)]):
            rate, cpu = _measure(name, others, settings, count, folder)
            found[name].append(rate)
            spent[name] += [] if cpu is None else [cpu]
            say(f"  {name}: {found[name][-1]:,.0f} records/s")
        for own in alone:
            _prepare(settings, ["checker"], own.numbers, count, own.ask)
            rate, cpu = throughput.apart("checker", settings, count)
            found[own.name].append(rate)
            spent[own.name].append(cpu)
            say(f"  {own.name}: {found[own.name][-1]:,.0f} records/s")
    for name, measured in found.items():
        if measured:
            median = statistics.median(measured)
            cpu = statistics.median(spent[name]) if spent[name] else None
            yield Rate(name, median, (max(measured) - min(measured)) / median, cpu)


def _prepare(
    settings: Settings,
    groups: Sequence[str],
    numbers: Iterator[int],
    count: int,
    ask: Callable[[int], Subject] = subjects.subject,
) -> None:
    for group in groups:
        throughput.skip_to_end(settings, group)
    throughput.load(settings, numbers, count, ask)


def _group(name: str) -> str:
    return "checker" if name.startswith("checker") else name


def _measure(
    name: str, others: Mapping[str, Sequence[str]], settings: Settings, count: int, folder: Path
) -> tuple[float, float | None]:
    """Records a second, and microseconds of processor time a record."""
    if name in others:
        return count / peers.measured(others[name], name, settings, throughput.ECHO, count, folder), None
    return throughput.apart(_group(name), settings, count)
