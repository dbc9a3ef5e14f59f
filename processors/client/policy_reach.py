"""Which policies would have no effect, because no plugin of the matrix has the name of their component. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from processors.events.subject import Manifest
from processors.matrix.merged import Matrix
from processors.policies import SecurityPolicy


def unknown_to(matrix: Matrix, policies: Iterable[SecurityPolicy]) -> list[str]:
    """The components that no release and no row of the matrix names, in order.

    They affect only plugins that state such a component.
    """
    documents = [document for source in matrix.sources if (document := matrix.document(source.name))]
    released = {release.plugin for document in documents for release in document.releases}
    patterns = {rule.plugin for document in documents for rule in document.rules} - {"*"}
    return [
        policy.component_id
        for policy in policies
        if policy.component_id not in released and not any(fnmatchcase(policy.component_id, p) for p in patterns)
    ]


def idle_for(manifest: Manifest, policies: Iterable[SecurityPolicy]) -> list[str]:
    """The components that are neither the plugin nor among the components that it states."""
    inside = {manifest.id, *(component.id for component in manifest.components)}
    return [policy.component_id for policy in policies if policy.component_id not in inside]
