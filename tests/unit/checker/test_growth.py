"""The work of a check grows with the question, and no faster: whichever of its lists is long.

Steps are counted, and no time is measured: they are the same on any machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields
from types import FrameType
from typing import Any

import pytest
from examples.questions import HOUR, NOON, document

from processors.checker.check import check
from processors.events.report import Report
from processors.events.subject import (
    Defect,
    Host,
    InstalledPlugin,
    Manifest,
    Migration,
    Provision,
    Requirement,
    Subject,
)
from processors.events.vocabulary import Code, Dimension, Verdict
from processors.matrix.merged import Matrix

MATRIX = Matrix.of([(document("governance", (), ()), NOON, NOON + HOUR)])
FEW, TIMES = 120, 4
MOST = 1.75
"""How much more than in proportion the steps may grow: a logarithm does it by a quarter, a square four times."""

Asking = Callable[[int], Subject]


def plugin(**said: Any) -> Manifest:
    return Manifest(**{"id": "a", "version": "1.0.0", "host_range": "*", **said})


def asking(manifest: Manifest, **said: Any) -> Subject:
    return Subject(**{"manifest": manifest, "host": Host("h", "1.0.0"), **said})


def each(count: int, make: Callable[[int], Any]) -> tuple[Any, ...]:
    return tuple(make(n) for n in range(count))


def needs(*ids: str, range: str = "") -> tuple[Requirement, ...]:
    return tuple(Requirement(id, range) for id in ids)


def installed(id: str, **said: Any) -> InstalledPlugin:
    return InstalledPlugin(**{"id": id, "version": "1.0.0", **said})


def chain(count: int, *more: str, enabled: bool = True) -> tuple[InstalledPlugin, ...]:
    """Each needs the next one, and the last one needs what is not there."""
    return each(
        count,
        lambda n: installed(f"p{n}", enabled=enabled, requires=needs(f"p{n + 1}", *(f"{id}{n}" for id in more))),
    )


def offering(count: int, version: str) -> tuple[InstalledPlugin, ...]:
    """All of them offer the same, each in a version of its own."""
    return each(count, lambda n: installed(f"o{n}", provides=(Provision("x", version.format(n)),)))


def demanding(count: int, id: str, range: str) -> tuple[Requirement, ...]:
    return each(count, lambda n: Requirement(id, range.format(n)))


WORST: dict[str, Asking] = {
    "Manifest.requires, none there": lambda n: asking(plugin(requires=each(n, lambda k: Requirement(f"p{k}")))),
    "Manifest.requires, one plugin": lambda n: asking(
        plugin(requires=demanding(n, "p", ">=1.{}")), installed=(installed("p", version="0.1.0"),)
    ),
    "Manifest.requires, stand-ins": lambda n: asking(
        plugin(requires=demanding(n, "x", ">=9.{}")), installed=offering(n, "1.{}.0")
    ),
    "Manifest.requires, candidates": lambda n: asking(
        plugin(requires=demanding(n, "x", ">=1.0.0 <9.{}")), installed=offering(n, "8.{}.0-rc")
    ),
    "Manifest.conflicts": lambda n: asking(
        plugin(conflicts=each(n, lambda k: Requirement(f"p{k}"))),
        installed=each(n, lambda k: installed(f"p{k}", conflicts=needs("a"))),
    ),
    "Manifest.replaces": lambda n: asking(
        plugin(replaces=each(n, lambda k: f"o{k}")),
        installed=(
            *offering(n, "1.{}.0"),
            *each(n, lambda k: installed(f"p{k}", requires=needs("x", f"o{k}", range=">=9"))),
        ),
    ),
    "Manifest.runtimes": lambda n: asking(
        plugin(runtimes=demanding(n, "go", ">=9.{}")), runtimes=each(n, lambda k: Provision("go", f"1.{k}"))
    ),
    "Manifest.databases": lambda n: asking(
        plugin(databases=demanding(n, "postgresql", ">=9{}")), database=Provision("postgresql", "16")
    ),
    "Manifest.provides": lambda n: asking(plugin(provides=each(n, lambda k: Provision(f"x{k}", "1.0.0")))),
    "Manifest.consumes": lambda n: asking(
        plugin(consumes=demanding(n, "x", ">=9.{}")), installed=offering(n, "1.{}.0")
    ),
    "Manifest.consumes, candidates": lambda n: asking(
        plugin(consumes=demanding(n, "x", ">=1.0.0 <9.{}")), installed=offering(n, "8.{}.0-rc")
    ),
    "Manifest.migrations": lambda n: asking(
        plugin(version="2.0.0", migrations=each(n, lambda k: Migration(id=f"m{k}", checksum="b", driver="mysql"))),
        installed=(installed("a", migrations=each(n, lambda k: Migration(id=f"m{k}", checksum="a"))),),
        database=Provision("postgresql", "16"),
    ),
    "Manifest.components": lambda n: asking(plugin(components=each(n, lambda k: Provision("c", f"1.{k}")))),
    "Manifest.defects": lambda n: asking(plugin(defects=each(n, lambda k: Defect(f"p{k}", "odd")))),
    "Manifest.extra": lambda n: asking(plugin(extra={f"k{k}": '""' for k in range(n)})),
    "Host.provides": lambda n: asking(
        plugin(consumes=each(n, lambda k: Requirement(f"x{k}", ">=9"))),
        host=Host("h", "1.0.0", each(n, lambda k: Provision(f"x{k}", "1.0.0"))),
    ),
    "Subject.runtimes": lambda n: asking(
        plugin(runtimes=each(n, lambda k: Requirement(f"r{k}", ">=9"))),
        runtimes=each(n, lambda k: Provision(f"r{k}", "1.0")),
    ),
    "Subject.installed": lambda n: asking(plugin(), installed=each(n, lambda k: installed(f"p{k}"))),
    "Subject.installed, twice": lambda n: asking(
        plugin(), installed=each(n, lambda k: installed(f"p{k // 2}", version=f"1.{k}.0"))
    ),
    "InstalledPlugin.requires, a chain": lambda n: asking(plugin(requires=needs("p0")), installed=chain(n)),
    "InstalledPlugin.requires, a chain of missing ones": lambda n: asking(
        plugin(requires=needs("p0")), installed=chain(n, "m")
    ),
    "InstalledPlugin.requires, a chain of disabled ones": lambda n: asking(
        plugin(requires=needs("p0")), installed=chain(n, enabled=False)
    ),
    "InstalledPlugin.requires, a chain that may break": lambda n: asking(
        plugin(conflicts=needs("p0")), installed=(*chain(n), installed(f"p{n}"))
    ),
    "InstalledPlugin.requires, a circle": lambda n: asking(
        plugin(requires=needs("p0")), installed=(*chain(n), installed(f"p{n}", requires=needs("a")))
    ),
    "InstalledPlugin.requires, each other": lambda n: asking(
        plugin(conflicts=needs("hub")),
        installed=(
            installed("hub", requires=each(n, lambda k: Requirement(f"p{k}"))),
            *each(n, lambda k: installed(f"p{k}", requires=needs("hub"))),
        ),
    ),
    "InstalledPlugin.requires, the same": lambda n: asking(
        plugin(requires=each(n, lambda k: Requirement(f"p{k}"))),
        installed=(
            *each(n, lambda k: installed(f"p{k}", requires=needs("x", range=">=9"))),
            *offering(n, "1.{}.0"),
        ),
    ),
    "InstalledPlugin.conflicts": lambda n: asking(
        plugin(requires=each(n, lambda k: Requirement(f"p{k}"))),
        installed=each(n, lambda k: installed(f"p{k}", conflicts=needs(f"p{k + 1}"))),
    ),
    "InstalledPlugin.provides": lambda n: asking(
        plugin(version="2.0.0"),
        installed=(
            installed("a", provides=each(n, lambda k: Provision("x", f"1.{k}.0"))),
            *each(n, lambda k: installed(f"p{k}", consumes=needs("x", range=f">=9.{k}"))),
        ),
    ),
    "InstalledPlugin.consumes": lambda n: asking(
        plugin(requires=needs("m")), installed=each(n, lambda k: installed(f"p{k}", consumes=needs(f"x{k}")))
    ),
    "InstalledPlugin.migrations": lambda n: asking(
        plugin(version="0.5.0"),
        installed=(installed("a", migrations=each(n, lambda k: Migration(id=f"m{k}", reversible=False))),),
    ),
}
BOUNDED: dict[str, Asking] = {
    "Subject.together": lambda n: asking(plugin(), together=each(n, lambda k: plugin(id=f"t{k}"))),
    "Subject.together, beside many": lambda n: asking(
        plugin(), together=each(n // 10, lambda k: plugin(id=f"t{k}")), installed=chain(n)
    ),
    "Subject.installed, one plugin": lambda n: asking(
        plugin(), installed=each(2 * n, lambda k: installed("p", version=f"1.{k}.0"))
    ),
    "Host.provides, for needs": lambda n: asking(
        plugin(requires=demanding(n, "x", ">=9.{}")),
        host=Host("h", "1.0.0", each(n, lambda k: Provision("x", f"1.{k}.0"))),
    ),
}
"""What can only be compared pair by pair: so much, and no more."""


def answer(subject: Subject) -> Report:
    return check(subject, MATRIX, NOON, "sha256:0").report


def steps(subject: Subject) -> int:
    """Lines of our own that the check of a subject goes through, each time that it does."""
    count = 0

    def lines(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return lines

    def calls(frame: FrameType, _event: str, _argument: object) -> Any:
        return lines if "processors" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(calls)
    try:
        answer(subject)
    finally:
        sys.settrace(before)
    return count


def test_every_list_of_a_question_is_here() -> None:
    """A new one has its worst case, too."""
    lists = {
        f"{kind.__name__}.{field.name}"
        for kind in (Subject, Manifest, Host, InstalledPlugin)
        for field in fields(kind)
        if str(field.type).startswith(("tuple", "Mapping"))
    }

    assert {name.partition(",")[0] for name in (*WORST, *BOUNDED)} == lists


@pytest.mark.parametrize("name", WORST)
def test_the_work_grows_in_proportion(name: str) -> None:
    few, many = (steps(WORST[name](count)) for count in (FEW, TIMES * FEW))

    assert many < MOST * TIMES * few, f"{few} steps for {FEW}, {many} for {TIMES * FEW}"


@pytest.mark.parametrize("name", BOUNDED)
def test_what_is_more_than_can_be_compared_blocks_at_once(name: str) -> None:
    """Twice a thousand are blocked with fewer steps than a hundred are judged with, and the report says why."""
    few, many = BOUNDED[name](100), BOUNDED[name](2_000)
    report = answer(many)
    told = report.findings[0]

    assert steps(many) < 20 * steps(few)
    assert (report.verdict, told.code) == (Verdict.BLOCK, Code.CONSTRAINT_INVALID)
    assert told.sentence.endswith("Ask about less at once.")
    assert "ask about less at once" in report.remediation_note
    assert not any(finding.dimension is Dimension.MANIFEST for finding in answer(few).findings)
