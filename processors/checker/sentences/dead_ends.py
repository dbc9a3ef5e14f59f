"""Why no plan helps: the chain of facts that rule each other out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from processors.checker.sentences.fact import Asked
from processors.checker.sentences.lists import joined
from processors.checker.sentences.who import said_by
from processors.events.report import Finding, Inference
from processors.events.vocabulary import Code, DemandKind, Ground


def no_way_out(links: Sequence[Inference]) -> str:
    """Why nothing helps, in one sentence: the facts that rule each other out. Empty where nothing is derived."""
    if not links:
        return ""
    links = chains(links)[0]
    last = links[-1]
    tried = {link.chosen.target for link in links if link.chosen}
    facts = _told(_fact(link.finding, link.version) for link in links)
    if last.finding.object not in tried and last.finding.code in _OF_A_RELEASE:
        if last.finding.ground is Ground.UNLISTED:
            return f"No source lists {last.finding.object}: {joined(facts)}." if len(links) > 1 else ""
        unlisted = f"No source lists a release of {last.finding.object} that would do"
        return f"{unlisted}: {joined(facts)}."
    return f"No choice of releases fits: {joined(facts)}." if len(links) > 1 else ""


def demands(findings: Iterable[Finding]) -> str:
    """What is demanded and not met, in a few words: `billing needs crm >=2.0.0 and mail`. At least one finding."""
    return joined(_told(_fact(finding, "") for finding in findings))


def _told(facts: Iterable[_Fact]) -> list[str]:
    said: dict[str, dict[str, list[str]]] = {}
    for fact in facts:
        said.setdefault(fact.subject, {}).setdefault(fact.verb, []).append(fact.object)
    return [f"{subject} {joined(_demands(verbs))}" for subject, verbs in said.items()]


def chains(links: Sequence[Inference]) -> list[Sequence[Inference]]:
    """Each reason by itself: a chain ends where nothing is left to try."""
    found: list[Sequence[Inference]] = []
    begin = 0
    for n, link in enumerate(links, 1):
        if link.chosen is None or n == len(links):
            found.append(links[begin:n])
            begin = n
    return found


def _demands(verbs: Mapping[str, Sequence[str]]) -> list[str]:
    return [f"{verb} {joined(objects)}" for verb, objects in verbs.items()]


_OF_A_RELEASE = frozenset({Code.DEPENDENCY_MISSING, Code.DEPENDENCY_TOO_OLD, Code.DEPENDENCY_TOO_NEW})


def dead_end(links: Sequence[Inference]) -> str:
    """What follows from the last link of a chain that nothing can meet."""
    if not links:
        return "No release that any source lists would do."
    last = links[-1].finding
    if last.code in _OF_THE_HOST and last.found:
        return f"No source lists a release of {last.subject} that runs on {last.object} {last.found}."
    if last.object in {link.chosen.target for link in links if link.chosen}:
        return f"No release of {last.object} does for all of that."
    if last.code in _OF_A_RELEASE:
        return f"No source lists a release of {last.object} that would do."
    if last.code in _OF_ITSELF:
        return f"No source lists a release of {last.subject} that would do."
    return "No choice of releases that any source lists avoids that."


_OF_THE_HOST = frozenset({Code.HOST_TOO_OLD, Code.HOST_TOO_NEW, Code.HOST_PRERELEASE_EXCLUDED})


_OF_ITSELF = frozenset(
    {
        *(*_OF_THE_HOST, Code.HOST_UNDECLARED, Code.MATRIX_BLOCK, Code.LIFECYCLE_SUNSET),
        *(Code.SECURITY_ADVISORY, Code.SECURITY_BASELINE_LOW),
    }
)


def reason(link: Inference, asked: Asked) -> str:
    """One link of the chain, with who says so and what follows from it, without a full stop."""
    said = f"{' '.join(_fact(link.finding, link.version))} ({said_by(link.finding, asked)})"
    chosen = link.chosen
    if chosen is None:
        return said
    return f"{said}, so {chosen.target} would have to {'go' if chosen.to is None else f'be {chosen.to}'}"


class _Fact(NamedTuple):
    """Who demands something, with its version, and what it demands."""

    subject: str
    verb: str
    object: str


def _fact(finding: Finding, version: str) -> _Fact:
    demand = finding.required.constraint if finding.required.kind is DemandKind.RANGE else ""
    wants = f"{finding.object} {demand}".strip()
    return _Fact(f"{finding.subject} {version}".strip(), _VERBS.get(finding.code, "needs"), wants)


_VERBS = {
    Code.PLUGIN_CONFLICT: "cannot run beside",
    Code.CONFLICT_REVERSE: "cannot run beside",
    Code.DEPENDENCY_CYCLE: "needs itself through",
    Code.LIFECYCLE_SUNSET: "is no longer supported:",
    Code.MATRIX_BLOCK: "is blocked on",
    Code.SECURITY_ADVISORY: "is affected by",
    Code.MANIFEST_INVALID: "has no readable",
    Code.HOST_UNDECLARED: "is not known to run on any version of",
    Code.DATABASE_UNSUPPORTED: "does not run on",
    Code.API_BREAK: "uses",
    Code.SCHEMA_BREAK: "uses",
}
