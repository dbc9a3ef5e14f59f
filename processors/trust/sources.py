"""Which sources are trusted, with which keys, and how long their statements may be valid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from processors.errors import shorten
from processors.trust.statements import Untrusted

if TYPE_CHECKING:
    from processors.trust.keys import PublicKey
    from processors.trust.scope import Scope

LONGEST_VALIDITY: Final = 31 * 86_400_000
"""The longest validity of a statement in milliseconds, unless configured otherwise."""


@dataclass(frozen=True, slots=True)
class TrustedSource:
    """`longest_validity` (milliseconds) limits what the source claims; without a `required` source nothing is
    judged. `scope` is what it speaks for, None if that is not stated."""

    keys: tuple[PublicKey, ...]
    longest_validity: int = LONGEST_VALIDITY
    required: bool = False
    scope: Scope | None = None


@dataclass(frozen=True, slots=True)
class Trust:
    """The trusted sources by name, and the keys for all `others`: the development key on one machine, elsewhere
    none."""

    sources: Mapping[str, TrustedSource] = field(default_factory=dict[str, TrustedSource])
    others: TrustedSource | None = None

    def of(self, source: str) -> TrustedSource:
        """Raises Untrusted for a source that is not configured."""
        found = self.sources.get(source, self.others)
        if found is None:
            raise Untrusted(f"`{shorten(source)}` is not among the sources that config/guard.yaml trusts")
        return found

    def knows(self, source: str) -> bool:
        return source in self.sources or self.others is not None

    @property
    def required(self) -> frozenset[str]:
        return frozenset(name for name, source in self.sources.items() if source.required)

    @property
    def scopes(self) -> Mapping[str, Scope]:
        """What each source speaks for, where that is stated."""
        return {name: source.scope for name, source in self.sources.items() if source.scope is not None}


NOBODY: Final = Trust()
"""Trusts nothing."""
