"""The releases that a search considered without finding a way out, as the sources list them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from processors.checker.bounds import brief
from processors.checker.case import Case, readable
from processors.checker.plans.branches import admits, demanded
from processors.events.report import Finding, Listed
from processors.events.vocabulary import Code
from processors.versions import Version

MOST_VERSIONS: Final = 5
"""The most releases of one plugin that are named, the newest."""

_MOST_READ: Final = 500
"""Beyond this many releases nothing is listed: reading them all takes longer than it is worth."""

_OF_THE_HOST: Final = frozenset({Code.HOST_TOO_OLD, Code.HOST_PRERELEASE_EXCLUDED})
_OF_A_PLUGIN: Final = frozenset({Code.DEPENDENCY_MISSING, Code.DEPENDENCY_TOO_OLD, Code.DEPENDENCY_TOO_NEW})


def considered_releases(case: Case, finding: Finding) -> tuple[Listed, ...]:
    """The releases of what is demanded, and of an installed plugin that demands it."""
    return tuple(listed for listed in _all(case, finding) if listed is not None)


def _all(case: Case, finding: Finding) -> Iterator[Listed | None]:
    if finding.code in _OF_THE_HOST:
        yield _of_host(case, finding)
    elif finding.code in _OF_A_PLUGIN:
        yield _of_plugin(case, finding.object, finding)
    if finding.subject in case.others:
        yield _of_plugin(case, finding.subject, None)


def _of_host(case: Case, finding: Finding) -> Listed | None:
    name = case.subject.host.name
    declared = case.matrix.host(name)
    texts = declared.releases if declared else ()
    speaking = (s.name for s in case.matrix.sources if case.matrix.authority.declares(s.name, name))
    documents = map(case.matrix.document, speaking)
    stating = [d.source for d in documents if d and (host := d.hosts.get(name)) and host.releases]
    read = [version for text in texts[:_MOST_READ] if (version := readable(text, case.dialect)) is not None]
    return _listed(name, stating, read, finding) if len(texts) <= _MOST_READ else None


def _of_plugin(case: Case, id: str, finding: Finding | None) -> Listed | None:
    """Without a finding, there is no demand on them."""
    rows = case.matrix.releases(id)
    if len(rows) > _MOST_READ:
        return None
    dialect = case.dialect_of(id)
    read = [version for row in rows if (version := readable(row.version, dialect)) is not None]
    return _listed(id, [row.source for row in rows], read, finding)


def _listed(target: str, sources: list[str], read: list[Version], finding: Finding | None) -> Listed:
    newest_first = sorted({version.text: version for version in read}.values(), reverse=True)
    demand = None if finding is None else demanded(finding)
    fitting = newest_first if demand is None else [version for version in newest_first if admits(demand, version)]
    return Listed(
        target=brief(target),
        sources=tuple(brief(source) for source in sorted(set(sources))[:MOST_VERSIONS]),
        versions=tuple(brief(version.text) for version in newest_first[:MOST_VERSIONS]),
        count=len(newest_first),
        fitting=len(fitting),
    )
