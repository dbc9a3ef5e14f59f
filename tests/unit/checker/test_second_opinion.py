"""A slower and simpler check judges the real one: it enumerates instead of computing with intervals."""

from __future__ import annotations

from dataclasses import replace

from examples import questions as ask
from examples.questions import HOUR, NOON
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processors.checker.check import check
from processors.events.subject import InstalledPlugin, Manifest, Requirement, Subject
from processors.events.vocabulary import Code, Effect
from processors.matrix.merged import Matrix

WORLD = [f"{major}.{minor}.{patch}" for major in range(5) for minor in range(4) for patch in range(5)]
NUMBERS = {text: tuple(map(int, text.split("."))) for text in WORLD}


def admitted(text: str) -> set[str] | None:
    """Every version of the small world that a range names, by what its words say; None if they say nothing."""
    if text in ("", "*"):
        return set(WORLD)
    found = set(WORLD)
    for part in text.split(" "):
        operator = part.rstrip("0123456789.")
        if operator not in _SAYS or part[len(operator) :] not in NUMBERS:
            return None
        low = NUMBERS[part[len(operator) :]]
        found = {version for version in found if _SAYS[operator](NUMBERS[version], low)}
    return found or None


_SAYS = {
    ">=": lambda v, low: v >= low,
    ">": lambda v, low: v > low,
    "<": lambda v, low: v < low,
    "^": lambda v, low: v >= low and v[0] == low[0],
    "~": lambda v, low: v >= low and v[:2] == low[:2],
}


def opinion(subject: Subject) -> set[tuple[str, str, str]]:
    """(kind, plugin, effect) of each finding about host, dependencies and conflicts. Knows no catalogue."""
    manifest, found = subject.manifest, set()
    there = {p.id: p for p in subject.installed if p.id != manifest.id}
    hosts = admitted(manifest.host_range or "")
    if hosts is None or subject.host.version not in hosts:
        found.add(
            ("unreadable", subject.host.name, "BLOCK") if hosts is None else ("host", subject.host.name, "BLOCK")
        )
    for need in manifest.requires:
        plugin = there.get(need.id)
        if plugin is None and need.id != manifest.id and not need.optional:
            found.add(("missing", need.id, "BLOCK"))
        if plugin is not None and not plugin.enabled and not need.optional:
            found.add(("disabled", need.id, "BLOCK"))
        if admitted(need.range) is None:
            found.add(("unreadable", need.id, "BLOCK"))
        elif plugin is None or (need.optional and not plugin.enabled):
            pass  # an optional plugin may be absent or disabled; one that is there must fit
        elif plugin.version not in (admitted(need.range) or ()):
            found.add(("unfit", need.id, "BLOCK"))
    for foe in manifest.conflicts:
        plugin, range = there.get(foe.id), admitted(foe.range)
        if range is None:
            found.add(("unreadable", foe.id, "BLOCK"))
        elif plugin is not None and plugin.version in range:
            found.add(("conflict", foe.id, "BLOCK" if plugin.enabled else "WARN"))
    return found


KINDS = {
    Code.HOST_TOO_OLD: "host",
    Code.HOST_TOO_NEW: "host",
    Code.DEPENDENCY_MISSING: "missing",
    Code.DEPENDENCY_DISABLED: "disabled",
    Code.DEPENDENCY_TOO_OLD: "unfit",
    Code.DEPENDENCY_TOO_NEW: "unfit",
    Code.PLUGIN_CONFLICT: "conflict",
    Code.CONSTRAINT_INVALID: "unreadable",
}


def verdicts(subject: Subject) -> set[tuple[str, str, str]]:
    """What the real check says, in the words of the second one; the strictest of several about one thing."""
    matrix = Matrix.of([(ask.document("governance", (), (), undeclared={"host": "allow"}), NOON, NOON + HOUR)])
    findings = check(subject, matrix, NOON, "sha256:0").report.findings
    return {(KINDS[f.code], f.object, str(f.effect)) for f in findings if f.code in KINDS}


def strictest(opinions: set[tuple[str, str, str]]) -> dict[tuple[str, str], str]:
    said: dict[tuple[str, str], str] = {}
    for kind, plugin, effect in opinions:
        if said.get((kind, plugin)) != Effect.BLOCK:
            said[kind, plugin] = effect
    return said


ranges = st.sampled_from(
    [
        "",
        "*",
        ">=1.0.0",
        ">1.2.3",
        "<2.0.0",
        "^1.2.0",
        "~1.2.1",
        ">=1.1.0 <3.2.0",
        ">2.0.0 <1.0.0",
        "^2.0.0",
        ">=1, <2",
    ]
)
needs = st.lists(st.builds(Requirement, ask.ids, ranges, st.booleans()), max_size=4).map(tuple)
plain = st.builds(
    Subject,
    manifest=st.builds(
        Manifest,
        id=ask.ids,
        version=st.just("1.0.0"),
        host_range=st.none() | ranges,
        requires=needs,
        conflicts=needs,
    ),
    host=st.builds(ask.Host, st.just("h"), st.sampled_from(WORLD)),
    installed=st.lists(
        st.builds(InstalledPlugin, ask.ids, st.sampled_from(WORLD), st.booleans()),
        max_size=4,
        unique_by=lambda p: p.id,
    ).map(tuple),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plain)
def test_both_say_the_same(subject: Subject) -> None:
    """About the host, dependencies and conflicts, which thing is wrong and whether it blocks."""
    others = tuple(
        p for p in subject.installed if p.id != subject.manifest.id
    )  # no upgrade: that is another matter
    subject = replace(subject, installed=others)

    assert strictest(opinion(subject)) == strictest(verdicts(subject))
