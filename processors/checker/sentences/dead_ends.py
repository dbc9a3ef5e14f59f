"""Why no plan helps: the chain of facts that contradict each other. It claims no more than what was searched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from processors.checker.sentences.demands import Demanded, demanded
from processors.checker.sentences.fact import Asked
from processors.checker.sentences.lists import joined
from processors.checker.sentences.who import said_by
from processors.events.report import Finding, Inference, Listed
from processors.events.vocabulary import Code, DemandKind, Ground


def no_way_out(links: Sequence[Inference], told: Finding | None = None) -> str:
    """Why nothing helps, in one sentence: the facts that contradict each other. Empty if nothing was derived.

    Demands that were `told` already are not repeated.
    """
    if not links:
        return ""
    links = chains(links)[0]
    last = links[-1]
    facts = _told(
        demanded(link.finding, link.version) for link in links if told is None or link.finding.id != told.id
    )
    before = f"{joined(facts)}; " if facts else ""
    if last.finding.object not in tried(links) and last.finding.code in OF_A_RELEASE:
        if last.finding.ground is Ground.UNLISTED:
            return f"{before}no source lists {last.finding.object}." if len(links) > 1 else ""
        listing = _listing(last) or f"no source lists a release of {last.finding.object} that would do"
        return f"{before}{listing}." if before else _sentence(listing)
    if last.finding.code in OF_AN_OLD_HOST and (listing := _listing(last)):
        return f"{before}{listing}." if before else _sentence(listing)
    return f"No choice of listed releases fits: {joined(facts)}." if len(links) > 1 and facts else ""


def demands(findings: Iterable[Finding]) -> str:
    """What is demanded and not met, in a few words: `billing needs crm >=2.0.0 and mail`. At least one finding."""
    return joined(_told(demanded(finding, "") for finding in findings))


def _told(facts: Iterable[Demanded]) -> list[str]:
    said: dict[str, dict[str, list[str]]] = {}
    for fact in facts:
        said.setdefault(fact.subject, {}).setdefault(fact.verb, []).append(fact.object)
    return [f"{subject} {joined(_objects(verbs))}" for subject, verbs in said.items()]


def _objects(verbs: Mapping[str, Sequence[str]]) -> list[str]:
    return [f"{verb} {joined(objects)}" for verb, objects in verbs.items()]


def chains(links: Sequence[Inference]) -> list[Sequence[Inference]]:
    """The explanations one by one: a chain ends where nothing is left to try."""
    found: list[Sequence[Inference]] = []
    begin = 0
    for n, link in enumerate(links, 1):
        if link.chosen is None or n == len(links):
            found.append(links[begin:n])
            begin = n
    return found


def tried(links: Iterable[Inference]) -> set[str]:
    """What was changed on the way to a dead end."""
    return {link.chosen.target for link in links if link.chosen}


OF_A_RELEASE = frozenset({Code.DEPENDENCY_MISSING, Code.DEPENDENCY_TOO_OLD, Code.DEPENDENCY_TOO_NEW})
OF_AN_OLD_HOST = frozenset({Code.HOST_TOO_OLD, Code.HOST_PRERELEASE_EXCLUDED})
OF_THE_HOST = OF_AN_OLD_HOST | {Code.HOST_TOO_NEW}


def dead_end(links: Sequence[Inference]) -> str:
    """The conclusion from the last link of a chain that nothing can meet."""
    if not links:
        return "No release that any source lists would do."
    last = links[-1]
    is_tried = last.finding.object in tried(links)
    listing = "" if is_tried else _listing(last)
    told = "" if listing and last.finding.code in OF_A_RELEASE else _verdict(links)
    return " ".join(filter(None, (_sentence(listing) if listing else "", told, _none_newer(last))))


def _verdict(links: Sequence[Inference]) -> str:
    last = links[-1].finding
    if last.code in OF_THE_HOST and last.found:
        return f"No listed release of {last.subject} helps on {last.object} {last.found}."
    if last.object in tried(links):
        return f"No listed release of {last.object} does for all of that."
    if last.code in OF_A_RELEASE:
        return f"No source lists a release of {last.object} that would do."
    if last.code in _OF_ITSELF:
        return f"No source lists a release of {last.subject} that would do."
    return "No choice of releases that any source lists avoids that."


_OF_ITSELF = frozenset(
    {
        *(Code.HOST_UNDECLARED, Code.MATRIX_BLOCK, Code.LIFECYCLE_SUNSET),
        *(Code.SECURITY_ADVISORY, Code.SECURITY_BASELINE_LOW, *OF_THE_HOST),
    }
)


def _listing(last: Inference) -> str:
    """What the sources list of what is demanded, if none of it is admitted: the fact that ends the search."""
    demand = last.finding.required
    listed = _of(last.finding.object, last)
    if listed is None or listed.fitting or demand.kind is not DemandKind.RANGE or not demand.constraint.strip():
        return ""
    if not listed.count:
        return f"no source lists a release of {listed.target}"
    who = f"{joined(listed.sources)} {'lists' if len(listed.sources) == 1 else 'list'}"
    if listed.count == 1:
        return f"{who} {listed.target} {listed.versions[0]} alone, which is not in {demand.constraint}"
    if listed.count > len(listed.versions):
        many = f"{who} {listed.count} releases of {listed.target}, the newest {listed.versions[0]}"
        return f"{many}; none is in {demand.constraint}"
    return f"{who} {listed.target} {joined(listed.versions[::-1])}; none is in {demand.constraint}"


def _sentence(listing: str) -> str:
    """With a full stop. It may begin with the id of a source, which keeps its spelling."""
    return f"{listing.replace('no source ', 'No source ', 1) if listing.startswith('no source ') else listing}."


def _none_newer(last: Inference) -> str:
    """States that an installed plugin in the way has no newer release, if that is so."""
    listed = _of(last.finding.subject, last)
    if listed is None or last.finding.code in _OF_ITSELF:
        return ""
    if listed.count and listed.versions[0] != last.version:
        return ""
    return f"No source lists a newer release of {listed.target}."


def _of(target: str, link: Inference) -> Listed | None:
    return next((listed for listed in link.listed if listed.target == target), None)


def names_all(finding: Finding) -> bool:
    """Whether the conclusion from a finding at a dead end names everything that it is about."""
    return finding.code in OF_A_RELEASE | OF_THE_HOST


def reason(link: Inference, asked: Asked) -> str:
    """One link of the chain, with its source and its consequence, without a full stop."""
    said = f"{demanded(link.finding, link.version)} ({said_by(link.finding, asked)})"
    chosen = link.chosen
    if chosen is None:
        return said
    return f"{said}, so {chosen.target} would have to {'go' if chosen.to is None else f'be {chosen.to}'}"
