"""Which facts of a source do not count, because it does not speak for what they are about."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from processors.matrix.authority import Authority
from processors.matrix.document import GOVERNANCE, MatrixDocument
from processors.matrix.index import matches
from processors.matrix.lint import Notice
from processors.trust.scope import Scope


def beside_governance(document: MatrixDocument, scopes: Mapping[str, Scope]) -> list[Notice]:
    """As `uncounted`, where governance is in effect too."""
    return uncounted(document, Authority({document.source, GOVERNANCE}, scopes))


def uncounted(document: MatrixDocument, authority: Authority) -> list[Notice]:
    """A warning for each kind of fact that lets nothing pass on any host, and how it would. Empty if all count."""
    if document.source in authority.leading:
        return []
    found = list(_uncounted(document, authority, authority.scopes.get(document.source, Scope())))
    way_out = "to count there, it needs `speaks_for` under `trust.sources` in config/guard.yaml"
    return [*found, Notice("source", way_out)] if found else []


def _uncounted(document: MatrixDocument, authority: Authority, scope: Scope) -> Iterator[Notice]:
    if hosts := sorted(name for name in document.hosts if not authority.declares(document.source, name)):
        told = f"it does not speak for {_some(hosts)}: of a host, only its security baseline counts"
        yield Notice("hosts", told)
    rules = (rule.plugin for rule in document.rules if rule.host not in scope.hosts)
    if rows := sorted({plugin for plugin in rules if not _is_own(plugin, scope)}):
        yield Notice("matrix", f"it does not speak for {_some(rows)}: rows block and warn, but list nothing")
    if scope.hosts:
        return
    if plugins := sorted({row.plugin for row in document.releases if not _is_own(row.plugin, scope)}):
        told = f"it does not speak for {_some(plugins)}: what a release demands counts, but not what it offers"
        yield Notice("releases", told)
    if schemes := [stated.match for stated in document.plugins if not _is_own(stated.match, scope)]:
        yield Notice("plugins", f"the scheme of {_some(schemes)} counts only for plugins that it speaks for")
    if document.weights or document.severity:
        yield Notice("weights", f"only the weights and severities of `{GOVERNANCE}` count")


def _is_own(pattern: str, scope: Scope) -> bool:
    """Whether every plugin that the pattern matches is in the scope."""
    return any(matches(own, pattern) for own in scope.plugins)


def _some(names: Collection[str]) -> str:
    first = next(iter(names))
    return f"`{first}`" if len(names) == 1 else f"`{first}` and {len(names) - 1} more"
