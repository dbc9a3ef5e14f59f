"""The answer: findings, risk, ways out, and what it is based on. Mirrors `Report` in schemas/.

A report contains neither a time nor the requester, so that the same question under the same matrix has the same
report, byte for byte, on any day and in any process.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from processors.events.vocabulary import (
    Band,
    Code,
    DemandKind,
    Dimension,
    Distance,
    Effect,
    Ground,
    RemedyKind,
    Severity,
    Verdict,
)

ALTERNATIVES: Final = " | "
"""Separates the values of a demand of kind ONE_OF or FIXED_IN: any of them is enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A demand and its source. The kind says what `constraint` is: a range, a checksum, a format."""

    constraint: str
    kind: DemandKind = DemandKind.RANGE
    dialect: str = ""
    stated_by: str = "manifest"
    source: str = ""
    revision: str = ""
    row: int | None = None

    @property
    def identity(self) -> str:
        return demand_identity(self.kind, self.constraint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One reason why a plugin does not fit: a fact. words.py gives it its sentence.

    `found` is the version or value that was found, `ground` why that is not enough. `path` leads from the requested
    plugin to `subject` along their needs, both ends included; empty if they are the same.
    """

    code: Code
    dimension: Dimension
    effect: Effect
    severity: Severity
    severity_percent: int = 0
    subject: str
    object: str
    required: Demand
    found: str | None = None
    ground: Ground = Ground.UNKNOWN
    path: tuple[str, ...] = ()
    distance: Distance = Distance.NONE
    optional: bool = False
    derived_from: str | None = None
    sentence: str = ""
    help: str = ""

    @property
    def id(self) -> str:
        """The same in every re-check and under every revision of the matrix, so that an approval can name it."""
        return finding_id(self.code, self.subject, self.object, self.required.identity)

    @property
    def blocks(self) -> bool:
        return self.effect is not Effect.WARN


def demand_identity(kind: str, constraint: str) -> str:
    """Distinguishes demands, by facts only: a reworded report changes no id.

    A range stands for itself. A report of an earlier engine without kinds keeps its text.
    """
    if kind in (DemandKind.RANGE, DemandKind.UNKNOWN):
        return constraint
    return f"{kind}={constraint}"


def finding_id(code: str, subject: str, object: str, constraint: str) -> str:
    """First 16 hex digits of sha256 over the four parts, each prefixed with its length."""
    parts = "".join(f"{len(part)}:{part}" for part in (str(code), subject, object, constraint))
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one dimension adds to the score. `weight_bp` and `combined_bp` are basis points, severities percent."""

    dimension: Dimension
    weight_bp: int
    severities: tuple[int, ...]
    combined_bp: int


@dataclass(frozen=True, slots=True)
class Risk:
    """A score from 0 to 100, its band, and everything that is needed to compute it again."""

    score: int
    band: Band
    contributions: tuple[Contribution, ...] = ()
    floor: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One change: install, upgrade, enable or replace `target` so that it has version `to`; None removes it."""

    kind: RemedyKind
    target: str
    to: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why `target` is changed: the demand that the change serves. `version` is that of `subject` after the plan."""

    target: str
    code: Code
    subject: str
    version: str
    object: str
    required: Demand


@dataclass(frozen=True, slots=True)
class PlanStep:
    """The changes that are made at once. `with_request` says that the request is part of the step.

    `cures` are ids of findings of the request that the step removes, `causes` the demands that its changes serve:
    those of the request, and those of other changes in the plan.
    """

    changes: tuple[Change, ...]
    with_request: bool = False
    cures: tuple[str, ...] = ()
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Remediation:
    """A way out: a plan. `verified` says that the check was repeated after each step, and passes in the end.

    `change` and `also` are all changes, in the order of the steps. `leaves_open` are ids of findings that still
    block after it; only the closest plan, if no plan passes, has any.
    """

    change: Change
    also: tuple[Change, ...] = ()
    verified: bool
    cost: int
    sentence: str
    steps: tuple[PlanStep, ...] = ()
    leaves_open: tuple[str, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        return (self.change, *self.also)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What the sources list of a plugin or of the host: `count` versions, of which `versions` are the newest.

    `fitting` is how many of them the related demand admits.
    """

    target: str
    sources: tuple[str, ...]
    versions: tuple[str, ...]
    count: int
    fitting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """One link of the explanation why there is no way out: a fact, and what follows from it.

    `version` is that of the finding's subject after the changes, `chosen` what was tried against the finding; None
    if nothing is left to try. Then `listed` are the releases that were considered: of what is demanded, and of the
    plugin that demands it.
    """

    finding: Finding
    version: str
    chosen: Change | None = None
    listed: tuple[Listed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WaysOut:
    """At most five plans, the cheapest first; if there are none, the reason, and the closest plan."""

    plans: tuple[Remediation, ...] = ()
    note: str = ""
    derivation: tuple[Inference, ...] = ()
    closest: Remediation | None = None


@dataclass(frozen=True, slots=True)
class SourceStanding:
    """A matrix source that the answer rests on."""

    source: str
    revision: str
    digest: str
    expired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RowWeighed:
    """A matrix row that applies, and its effect."""

    source: str
    revision: str
    row: int
    says: str
    action: str
    decisive: bool
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole answer to the compatibility question."""

    engine: str
    input_digest: str
    basis_digest: str
    plugin_id: str
    plugin_version: str
    host: str
    host_version: str
    dialect: str
    verdict: Verdict
    summary: str
    findings: tuple[Finding, ...]
    risk: Risk
    remediations: tuple[Remediation, ...] = ()
    remediation_note: str = ""
    derivation: tuple[Inference, ...] = ()
    closest: Remediation | None = None
    sources: tuple[SourceStanding, ...] = ()
    rows: tuple[RowWeighed, ...] = ()
    rows_weighed: int = 0
    policies: tuple[str, ...] = ()
