"""Security policies by component. The newest policy of a component replaces the one before it."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
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
    """A known vulnerability of some versions. `severity` is critical, high, medium, low, or empty if unknown."""

    id: str
    aliases: tuple[str, ...] = ()
    summary: str = ""
    severity: str = ""
    affected: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    url: str = ""
    withdrawn_at: int | None = None


UNUSABLE: Final = "unusable"
"""The policy, and its advisory, for a component whose last policy is not available."""

EXPIRED: Final = "policy-expired"
"""The advisory that a policy gets when it has expired."""

OVERDUE: Final = Advisory(
    id=EXPIRED,
    summary="what security says of it has not been confirmed in time; nobody knows what it would say now",
    severity="critical",
    affected=("*",),
)
"""Every version is affected."""


@dataclass(frozen=True, kw_only=True)
class SecurityPolicy:
    """The security policy of one component. Times are milliseconds since the epoch, UTC.

    After `valid_until` nothing that contains the component may pass; None is for a policy without an end.
    """

    component_id: str
    policy_id: str
    published_at: int
    publisher: str = ""
    required_baseline: str = ""
    advisories: tuple[Advisory, ...] = ()
    dialect: str = "npm"
    valid_until: int | None = None

    @cached_property
    def digest(self) -> str:
        """sha256 of the canonical JSON of the policy without its end: a confirmed policy keeps the digest that
        reports name."""
        said = {name: value for name, value in asdict(self).items() if name != "valid_until"}
        text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def in_force(self, now: int) -> tuple[Advisory, ...]:
        """The advisories that count at an instant."""
        stand = tuple(a for a in self.advisories if a.withdrawn_at is None or a.withdrawn_at > now)
        return (OVERDUE, *stand) if self.valid_until is not None and self.valid_until <= now else stand

    def dates(self) -> Iterator[int]:
        """The instants at which `in_force` changes."""
        yield from (a.withdrawn_at for a in self.advisories if a.withdrawn_at is not None)
        if self.valid_until is not None:
            yield self.valid_until


@dataclass(frozen=True, eq=False)
class Policies:
    """All policies in force, by component id. Immutable: a change makes another one."""

    by_component: Mapping[str, SecurityPolicy] = field(default_factory=dict[str, SecurityPolicy])
    floors: Floors = field(default_factory=dict[str, Floor])
    """The highest serial of each component, including withdrawn policies."""

    @classmethod
    def of(cls, policies: Iterable[SecurityPolicy], floors: Floors = NO_FLOORS) -> Policies:
        by_component = {policy.component_id: policy for policy in policies}
        return cls(MappingProxyType(by_component), MappingProxyType(dict(floors)))

    def about(self, component: str) -> SecurityPolicy | None:
        return self.by_component.get(component)

    def next_change(self, now: int) -> int | None:
        """The first instant after `now` at which an advisory is withdrawn or a policy expires; None if there is
        none."""
        at = bisect_right(self._dates, now)
        return self._dates[at] if at < len(self._dates) else None

    @cached_property
    def _dates(self) -> tuple[int, ...]:
        return tuple(sorted({date for policy in self.by_component.values() for date in policy.dates()}))


NO_POLICIES = Policies()
