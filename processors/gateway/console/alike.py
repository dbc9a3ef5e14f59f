"""Results that say the same of the same plugin, told once: a deployer that tries again and again fills no page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from processors.gateway.console.lately import ResultLine


class Alike(NamedTuple):
    """Results about one plugin, host and environment with one verdict for the same reasons. `last` is the newest;
    `targets` are the installations, each once, the newest first."""

    last: ResultLine
    times: int
    targets: Sequence[str]


def alike(lines: Iterable[ResultLine]) -> list[Alike]:
    """In the order of their newest results, which come first."""
    groups: dict[object, list[ResultLine]] = {}
    for line in lines:
        key = (line.plugin, line.host, line.environment, line.verdict, *line.codes)
        groups.setdefault(key, []).append(line)
    return [Alike(group[0], len(group), _targets(group)) for group in groups.values()]


def _targets(lines: Iterable[ResultLine]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line.target for line in lines if line.target))
