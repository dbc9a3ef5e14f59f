"""Blocks with plans: what the search for ways out costs where 200 releases lie around the plugin."""

from __future__ import annotations

import statistics
import time
from random import Random
from typing import NamedTuple

from processors.checker.check import check
from processors.events.subject import Host, InstalledPlugin, Manifest, Requirement, Subject
from processors.events.vocabulary import Verdict
from processors.matrix.document import HostDeclaration, MatrixDocument, Release
from processors.matrix.merged import Matrix

NOON = 1_795_521_600_000
DAY = 86_400_000
PLUGINS = 20
RELEASES = 10
"""Of each plugin: 200 in all."""


class Percentiles(NamedTuple):
    """Milliseconds of one check."""

    fits: float
    p50: float
    p99: float
    offered: float
    """Share of the blocks with a way out."""


def measured(count: int = 2_000) -> Percentiles:
    """Of `count` checks, each over a catalogue of its own; those that fit apart from those that are blocked."""
    fits: list[float] = []
    blocks: list[float] = []
    offered = 0
    for number in range(count):
        subject, matrix = _question(Random(number))
        check(subject, matrix, NOON, "sha256:0")  # texts are read once, as in a process that runs
        began = time.perf_counter()
        report = check(subject, matrix, NOON, "sha256:0").report
        took = (time.perf_counter() - began) * 1e3
        if report.verdict is Verdict.BLOCK:
            blocks.append(took)
            offered += bool(report.remediations)
        else:
            fits.append(took)
    cuts = statistics.quantiles(blocks, n=100)
    return Percentiles(statistics.median(fits or [0.0]), cuts[49], cuts[98], offered / len(blocks))


def _question(dice: Random) -> tuple[Subject, Matrix]:
    releases = tuple(
        Release(
            "governance", "1", row, _id(p), f"{v}.0.0", {"*": _host(v, dice)}, _needs(p, v, dice), _foes(p, dice)
        )
        for row, (p, v) in enumerate((p, v) for p in range(PLUGINS) for v in range(1, RELEASES + 1))
    )
    hosts = {"corex": HostDeclaration("corex", "npm", tuple(f"{n}.0.0" for n in range(1, 6)))}
    undeclared = {"host": "allow", "runtime": "allow", "matrix": "allow"}
    document = MatrixDocument(
        source="governance", revision="1", digest="", releases=releases, hosts=hosts, undeclared=undeclared
    )
    there = [p for p in range(1, PLUGINS) if dice.random() < 0.5]
    installed = tuple(InstalledPlugin(_id(p), f"{dice.randint(1, 6)}.0.0") for p in there)
    subject = Subject(
        manifest=Manifest(id=_id(0), version=f"{dice.randint(4, 9)}.0.0"),
        host=Host("corex", "3.0.0"),
        installed=installed,
    )
    return subject, Matrix.of([(document, NOON, NOON + DAY)])


def _id(plugin: int) -> str:
    return f"com.acme.p{plugin}"


def _host(version: int, dice: Random) -> str:
    return f">={max(1, version // 3)}.0.0" if dice.random() < 0.8 else "*"


def _needs(plugin: int, version: int, dice: Random) -> tuple[Requirement, ...]:
    later = range(plugin + 1, PLUGINS)
    chosen = [p for p in later if dice.random() < 2 / PLUGINS]
    return tuple(Requirement(_id(p), f">={max(1, version - dice.randint(0, 3))}.0.0") for p in chosen)


def _foes(plugin: int, dice: Random) -> tuple[Requirement, ...]:
    others = [p for p in range(PLUGINS) if p != plugin and dice.random() < 0.4 / PLUGINS]
    return tuple(Requirement(_id(p), f"<{dice.randint(2, 4)}.0.0") for p in others)
