"""Security policies by component. The newest policy of a component replaces the one before it."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Final

from processors.matrix.floors import Floor, Floors

NO_FLOORS: Final[Floors] = MappingProxyType({})

SEVERITIES: Final = ("critical", "high", "medium", "low")
"""Worst first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisory:
    """A known weakness of some versions. `severity` is critical, high, medium, low, or empty for not known."""

    id: str
    aliases: tuple[str, ...] = ()
    summary: str = ""
    severity: str = ""
    affected: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    url: str = ""
    withdrawn_at: int | None = None


@dataclass(frozen=True, kw_only=True)
class SecurityPolicy:
    """What security says of one component. `published_at` is milliseconds since the epoch, UTC."""

    component_id: str
    policy_id: str
    published_at: int
    publisher: str = ""
    required_baseline: str = ""
    advisories: tuple[Advisory, ...] = ()
    dialect: str = "npm"

    @cached_property
    def digest(self) -> str:
        """sha256 of the policy's canonical JSON."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, eq=False)
class Policies:
    """All policies in force, by component id. Immutable: a change makes another one."""

    by_component: Mapping[str, SecurityPolicy] = field(default_factory=dict[str, SecurityPolicy])
    floors: Floors = field(default_factory=dict[str, Floor])
    """How far security has come about each component, withdrawn policies included."""

    @classmethod
    def of(cls, policies: Iterable[SecurityPolicy], floors: Floors = NO_FLOORS) -> Policies:
        by_component = {policy.component_id: policy for policy in policies}
        return cls(MappingProxyType(by_component), MappingProxyType(dict(floors)))

    def about(self, component: str) -> SecurityPolicy | None:
        return self.by_component.get(component)

    def next_withdrawal(self, now: int) -> int | None:
        """The first instant after `now` at which any advisory is withdrawn; None if there is none."""
        at = bisect_right(self._withdrawals, now)
        return self._withdrawals[at] if at < len(self._withdrawals) else None

    @cached_property
    def _withdrawals(self) -> tuple[int, ...]:
        instants = (a.withdrawn_at for policy in self.by_component.values() for a in policy.advisories)
        return tuple(sorted({instant for instant in instants if instant is not None}))


NO_POLICIES = Policies()
