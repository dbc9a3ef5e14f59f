"""What the sources of the matrix speak for, from config/guard.yaml. Reads no key."""

from __future__ import annotations

from collections.abc import Mapping

from processors.configuration import guard
from processors.configuration.settings import Settings
from processors.trust.scope import Scope


def scopes(of: Settings) -> Mapping[str, Scope]:
    """Of each source for which it is stated; of none where the configuration folder has no such file.

    Raises DocumentRefused for a file that cannot be read.
    """
    if not (of.config / guard.FILE).exists():
        return {}
    stated = ((source.name, source.speaks_for) for source in guard.load(of.config).trust.sources)
    return {name: scope_of(speaks_for) for name, speaks_for in stated if speaks_for is not None}


def scope_of(stated: guard.SpeaksFor) -> Scope:
    return Scope(stated.plugins, frozenset(stated.hosts))
