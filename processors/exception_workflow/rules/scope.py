"""What an exception covers, and whether a request under it is within the scope.

Every blocking finding of the fresh report must have been approved by its id, and the risk must not have risen. So
neither a forged report in a request nor a changed matrix permits anything that was not approved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from processors.events.earlier_ids import earlier_ids
from processors.events.exceptions import Scope, Status
from processors.events.report import demand_identity, finding_id
from processors.events.vocabulary import Band, DemandKind, Effect, Verdict
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.rules.monitoring import covers
from processors.exception_workflow.rules.reasons import Reason
from processors.exception_workflow.state.case import ExceptionCase


class Blocking(NamedTuple):
    """A finding that blocks. Ids are computed from its content, whatever the report states.

    `earlier` are the ids that earlier engines gave it: an approval of one of them is an approval of this finding.
    """

    id: str
    code: str
    earlier: tuple[str, ...] = ()

    def is_among(self, approved: Collection[str]) -> bool:
        return self.id in approved or any(id in approved for id in self.earlier)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The parts of a report by which the workflow judges.

    `digest` is the digest of the report's bytes as received.
    """

    digest: str
    input_digest: str
    plugin_id: str
    plugin_version: str
    host: str
    host_version: str
    verdict: str
    band: Band
    score: int
    summary: str
    blocking: tuple[Blocking, ...]
    sources: tuple[tuple[str, str], ...] = ()
    """Matrix sources that it rests on, each with its digest."""

    basis_digest: str = ""
    """Digest of everything that it was judged by."""


def basis_of(report: Mapping[str, Any], digest: str) -> Basis:
    """The relevant parts of a decoded report."""
    risk, band = report["risk"], report["risk"]["band"]
    return Basis(
        digest=digest,
        input_digest=report["input_digest"],
        plugin_id=report["plugin_id"],
        plugin_version=report["plugin_version"],
        host=report["host"],
        host_version=report["host_version"],
        verdict=report["verdict"],
        band=Band(band) if band in Band.__members__ else Band.UNKNOWN,
        score=risk["score"],
        summary=report["summary"],
        blocking=tuple(_blocking(f) for f in report["findings"] if f["effect"] != Effect.WARN),
        sources=tuple((s["source"], s["digest"]) for s in report["sources"]),
        basis_digest=report["basis_digest"],
    )


def _blocking(finding: Mapping[str, Any]) -> Blocking:
    about, demand = (finding["code"], finding["subject"], finding["object"]), finding["required"]
    kind, constraint = demand.get("kind", DemandKind.UNKNOWN), demand["constraint"]
    id = finding_id(*about, demand_identity(kind, constraint))
    return Blocking(id, finding["code"], earlier_ids(*about, kind, constraint))


class Acknowledgement(NamedTuple):
    by: str
    at: int


class Plan(NamedTuple):
    """How the installation will be monitored, according to its operator."""

    profile: str
    addons: tuple[str, ...]
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A request that names an exception, with the checker's fresh report."""

    use_id: str
    request_id: str
    exception_id: str
    scope: Scope
    operator: str
    target: str
    action: str
    stated_digest: str
    acknowledgement: Acknowledgement | None
    plan: Plan | None
    recheck_of: str | None
    basis: Basis
    overtaken: bool = False
    """Whether the matrix was refreshed after the checker had made the report."""

    @property
    def question(self) -> str:
        """Digest of what is to be permitted: the same digest again is a repetition, any other one a separate
        use."""
        parts = (self.target, self.action, self.operator, self.basis.input_digest, *self.scope)
        return hashlib.sha256("".join(f"{len(p)}:{p}" for p in parts).encode()).hexdigest()[:32]


_BY_STATUS = {
    Status.CONSUMED: Reason.ALREADY_USED,
    Status.NEEDS_REVIEW: Reason.UNDER_REVIEW,
    Status.IN_REVIEW: Reason.UNDER_REVIEW,
    Status.EXPIRED: Reason.EXCEPTION_EXPIRED,
    Status.REVOKED: Reason.EXCEPTION_REVOKED,
}
_BANDS = list(Band)


def failed_conditions(case: ExceptionCase, use: Use, policy: ExceptionPolicy, at: int) -> tuple[Reason, ...]:
    """Every condition of an execution that is not met at this moment; empty if it may go on."""
    if not case.exists:
        return (Reason.NO_SUCH_EXCEPTION,)
    return (
        *unavailable(case, at),
        *_out_of_scope(case.scope, use.scope),
        *_report(case, use, policy),
        *_care(case, use, policy),
    )


def speaks_against(
    case: ExceptionCase, scope: Scope, basis: Basis, policy: ExceptionPolicy, at: int
) -> tuple[Reason, ...]:
    """The conditions that are known not to be met before anybody says how an installation is looked after: those of
    the exception, and those of a report about a scope. Empty if a use is worth a try."""
    return (*unavailable(case, at), *_out_of_scope(case.scope, scope), *_not_approved(case, basis, policy))


def unavailable(case: ExceptionCase, at: int) -> tuple[Reason, ...]:
    """Why an exception lets nothing pass at all at this moment; empty if it is approved and not over."""
    if case.status is not Status.APPROVED:
        return (_BY_STATUS.get(case.status, Reason.NOT_APPROVED),)
    if case.valid_until is None or at >= case.valid_until:
        return (Reason.EXCEPTION_EXPIRED,)
    return ()


def rests_on(case: ExceptionCase, scope: Scope, digest: str) -> bool:
    """Whether a result with this scope and digest of its report may be a block that an exception was asked for.

    Its sender chose the request id, so that alone proves nothing.
    """
    return scope == case.scope and digest in case.reports


def new_findings(case: ExceptionCase, basis: Basis) -> tuple[str, ...]:
    """Ids of blocking findings that were not approved."""
    approved = set(case.finding_ids)
    return tuple(finding.id for finding in basis.blocking if not finding.is_among(approved))


def has_risen(case: ExceptionCase, basis: Basis) -> bool:
    """Whether the fresh band is above the approved one; an unknown band is above all."""
    return basis.band is Band.UNKNOWN or _BANDS.index(basis.band) > _BANDS.index(case.band)


def _out_of_scope(approved: Scope, asked: Scope) -> Iterator[Reason]:
    if asked.tenant != approved.tenant:
        yield Reason.TENANT_OUT_OF_SCOPE
    if asked.plugin_id != approved.plugin_id:
        yield Reason.PLUGIN_OUT_OF_SCOPE
    if asked.plugin_version != approved.plugin_version:
        yield Reason.VERSION_OUT_OF_SCOPE
    if (asked.host, asked.host_version) != (approved.host, approved.host_version):
        yield Reason.HOST_OUT_OF_SCOPE
    if asked.environment != approved.environment:
        yield Reason.ENVIRONMENT_OUT_OF_SCOPE


def _report(case: ExceptionCase, use: Use, policy: ExceptionPolicy) -> Iterator[Reason]:
    basis = use.basis
    if use.overtaken or basis.digest != use.stated_digest or not _is_about(basis, use.scope):
        yield Reason.REPORT_NOT_FRESH
    yield from _not_approved(case, basis, policy)


def _not_approved(case: ExceptionCase, basis: Basis, policy: ExceptionPolicy) -> Iterator[Reason]:
    if new_findings(case, basis):
        yield Reason.FINDING_NOT_APPROVED
    if any(policy.is_never(finding.code) for finding in basis.blocking):
        yield Reason.NEVER_EXCEPTED
    if has_risen(case, basis):
        yield Reason.BAND_RISEN


def _is_about(basis: Basis, scope: Scope) -> bool:
    """A block without blocking findings would cover everything, so it does not count as a report."""
    return is_about(basis, scope) and basis.verdict == Verdict.BLOCK and bool(basis.blocking)


def is_about(basis: Basis, scope: Scope) -> bool:
    """Whether a report is about the plugin and host of a scope."""
    return (basis.plugin_id, basis.plugin_version, basis.host, basis.host_version) == scope[1:5]


def _care(case: ExceptionCase, use: Use, policy: ExceptionPolicy) -> Iterator[Reason]:
    ack, plan = use.acknowledgement, use.plan
    if not use.target.strip():  # otherwise one use would be enough for any number of installations
        yield Reason.TARGET_MISSING
    if ack is None or not ack.by.strip() or ack.by != use.operator:
        yield Reason.RISK_NOT_ACKNOWLEDGED
    if plan is None:
        yield Reason.MONITORING_PLAN_MISSING
    elif not covers(policy, case.profile, plan.profile, plan.addons):
        yield Reason.MONITORING_NOT_COVERING
    elif not plan.owner.strip():
        yield Reason.MONITORING_OWNER_MISSING
