"""Which source speaks for what. Outside its scope, what a source states can only tighten.

Governance speaks for everything. Beside it, a source speaks for its scope alone, and for nothing without one. Where
governance is neither in effect nor required, nobody stands above the others, so a source without a scope speaks for
everything.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from processors.matrix.document import GOVERNANCE
from processors.matrix.index import matches
from processors.trust.scope import Scope

_NOTHING: Final = Scope()
_REMEMBERED: Final = 65_536


@dataclass(frozen=True, eq=False)
class Authority:
    """Of these sources, in effect or required, for questions about one host; `host` is empty where no host is asked
    about."""

    sources: Collection[str]
    scopes: Mapping[str, Scope]
    host: str = ""

    @cached_property
    def leading(self) -> frozenset[str]:
        """The sources that speak for everything that is asked about this host."""
        return frozenset(name for name in self.sources if self.declares(name, self.host))

    @cached_property
    def is_shared(self) -> bool:
        """Whether some source does not speak for everything."""
        return len(self.leading) < len(self.sources)

    def declares(self, source: str, host: str) -> bool:
        """Whether the source says what a host is: its dialect, its components and its versions."""
        scope = self._limit(source)
        return scope is None or host in scope.hosts

    def speaks_for(self, source: str, plugin: str) -> bool:
        """Whether what the source says of a plugin counts also where it lets something pass."""
        return source in self.leading or self._matching(source, plugin)

    def _limit(self, source: str) -> Scope | None:
        if source == GOVERNANCE:
            return None
        return self.scopes.get(source, _NOTHING if GOVERNANCE in self.sources else None)

    @cached_property
    def _matching(self) -> Callable[[str, str], bool]:
        return lru_cache(_REMEMBERED)(self._matches)

    def _matches(self, source: str, plugin: str) -> bool:
        return any(matches(pattern, plugin) for pattern in self.scopes.get(source, _NOTHING).plugins)
