"""Converts a report to and from its Avro record; the JSON view is the same record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from processors.events.report import (
    Cause,
    Change,
    Contribution,
    Demand,
    Finding,
    Inference,
    Listed,
    PlanStep,
    Remediation,
    Report,
    Risk,
    RowWeighed,
    SourceStanding,
)
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

Record = Mapping[str, Any]


def report_to_record(report: Report) -> dict[str, Any]:
    return {
        "engine": report.engine,
        "input_digest": report.input_digest,
        "basis_digest": report.basis_digest,
        "plugin_id": report.plugin_id,
        "plugin_version": report.plugin_version,
        "host": report.host,
        "host_version": report.host_version,
        "dialect": report.dialect,
        "verdict": report.verdict,
        "summary": report.summary,
        "findings": [_finding_to_record(f) for f in report.findings],
        "risk": _risk_to_record(report.risk),
        "remediations": [_remediation_to_record(r) for r in report.remediations],
        "remediation_note": report.remediation_note,
        "derivation": [_inference_to_record(i) for i in report.derivation],
        "closest": _remediation_to_record(report.closest) if report.closest else None,
        "sources": [
            {"source": s.source, "revision": s.revision, "digest": s.digest, "expired": s.expired}
            for s in report.sources
        ],
        "rows": [_row_to_record(r) for r in report.rows],
        "rows_weighed": report.rows_weighed,
        "policies": list(report.policies),
    }


def _finding_to_record(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "code": finding.code,
        "dimension": finding.dimension,
        "effect": finding.effect,
        "severity": finding.severity,
        "severity_percent": finding.severity_percent,
        "subject": finding.subject,
        "object": finding.object,
        "required": _demand_to_record(finding.required),
        "found": finding.found,
        "ground": finding.ground,
        "path": list(finding.path),
        "optional": finding.optional,
        "distance": finding.distance,
        "derived_from": finding.derived_from,
        "sentence": finding.sentence,
        "help": finding.help,
    }


def _demand_to_record(demand: Demand) -> dict[str, Any]:
    return {
        "constraint": demand.constraint,
        "kind": demand.kind,
        "dialect": demand.dialect,
        "stated_by": demand.stated_by,
        "source": demand.source,
        "revision": demand.revision,
        "row": demand.row,
    }


def _risk_to_record(risk: Risk) -> dict[str, Any]:
    return {
        "score": risk.score,
        "band": risk.band,
        "contributions": [
            {
                "dimension": c.dimension,
                "weight_bp": c.weight_bp,
                "severities": list(c.severities),
                "combined_bp": c.combined_bp,
            }
            for c in risk.contributions
        ],
        "floor": risk.floor,
    }


def _change_to_record(change: Change) -> dict[str, Any]:
    return {"kind": change.kind, "target": change.target, "to": change.to}


def _remediation_to_record(remediation: Remediation) -> dict[str, Any]:
    return {
        **_change_to_record(remediation.change),
        "verified": remediation.verified,
        "cost": remediation.cost,
        "sentence": remediation.sentence,
        "also": [_change_to_record(c) for c in remediation.also],
        "steps": [_step_to_record(step) for step in remediation.steps],
        "leaves_open": list(remediation.leaves_open),
    }


def _step_to_record(step: PlanStep) -> dict[str, Any]:
    return {
        "changes": [_change_to_record(c) for c in step.changes],
        "with_request": step.with_request,
        "cures": list(step.cures),
        "causes": [_cause_to_record(cause) for cause in step.causes],
    }


def _cause_to_record(cause: Cause) -> dict[str, Any]:
    return {
        "target": cause.target,
        "code": cause.code,
        "subject": cause.subject,
        "version": cause.version,
        "object": cause.object,
        "required": _demand_to_record(cause.required),
    }


def _inference_to_record(inference: Inference) -> dict[str, Any]:
    return {
        "finding": _finding_to_record(inference.finding),
        "version": inference.version,
        "chosen": _change_to_record(inference.chosen) if inference.chosen else None,
        "listed": [_listed_to_record(listed) for listed in inference.listed],
    }


def _listed_to_record(listed: Listed) -> dict[str, Any]:
    return {
        "target": listed.target,
        "sources": list(listed.sources),
        "versions": list(listed.versions),
        "count": listed.count,
        "fitting": listed.fitting,
    }


def _row_to_record(row: RowWeighed) -> dict[str, Any]:
    return {
        "source": row.source,
        "revision": row.revision,
        "row": row.row,
        "says": row.says,
        "action": row.action,
        "decisive": row.decisive,
        "why": row.why,
    }


def report_from_record(record: Record) -> Report:
    """The typed report of a decoded record: the exact inverse of `report_to_record`."""
    return Report(
        engine=record["engine"],
        input_digest=record["input_digest"],
        basis_digest=record["basis_digest"],
        plugin_id=record["plugin_id"],
        plugin_version=record["plugin_version"],
        host=record["host"],
        host_version=record["host_version"],
        dialect=record["dialect"],
        verdict=Verdict(record["verdict"]),
        summary=record["summary"],
        findings=tuple(_finding_from_record(f) for f in record["findings"]),
        risk=_risk_from_record(record["risk"]),
        remediations=tuple(_remediation_from_record(r) for r in record["remediations"]),
        remediation_note=record["remediation_note"],
        derivation=tuple(_inference_from_record(i) for i in record["derivation"]),
        closest=_remediation_from_record(record["closest"]) if record["closest"] else None,
        sources=tuple(SourceStanding(**s) for s in record["sources"]),
        rows=tuple(RowWeighed(**r) for r in record["rows"]),
        rows_weighed=record["rows_weighed"],
        policies=tuple(record["policies"]),
    )


def _finding_from_record(record: Record) -> Finding:
    return Finding(
        code=Code(record["code"]),
        dimension=Dimension(record["dimension"]),
        effect=Effect(record["effect"]),
        severity=Severity(record["severity"]),
        severity_percent=record["severity_percent"],
        subject=record["subject"],
        object=record["object"],
        required=_demand_from_record(record["required"]),
        found=record["found"],
        ground=Ground(record["ground"]),
        path=tuple(record["path"]),
        optional=record["optional"],
        distance=Distance(record["distance"]),
        derived_from=record["derived_from"],
        sentence=record["sentence"],
        help=record["help"],
    )


def _demand_from_record(record: Record) -> Demand:
    return Demand(
        constraint=record["constraint"],
        kind=DemandKind(record["kind"]),
        dialect=record["dialect"],
        stated_by=record["stated_by"],
        source=record["source"],
        revision=record["revision"],
        row=record["row"],
    )


def _risk_from_record(record: Record) -> Risk:
    contributions = tuple(
        Contribution(Dimension(c["dimension"]), c["weight_bp"], tuple(c["severities"]), c["combined_bp"])
        for c in record["contributions"]
    )
    return Risk(record["score"], Band(record["band"]), contributions, record["floor"])


def _remediation_from_record(record: Record) -> Remediation:
    return Remediation(
        change=_change_from_record(record),
        also=tuple(_change_from_record(c) for c in record["also"]),
        verified=record["verified"],
        cost=record["cost"],
        sentence=record["sentence"],
        steps=tuple(_step_from_record(step) for step in record["steps"]),
        leaves_open=tuple(record["leaves_open"]),
    )


def _step_from_record(record: Record) -> PlanStep:
    changes = tuple(_change_from_record(c) for c in record["changes"])
    causes = tuple(_cause_from_record(c) for c in record.get("causes", ()))
    return PlanStep(changes, record["with_request"], tuple(record["cures"]), causes)


def _cause_from_record(record: Record) -> Cause:
    return Cause(
        target=record["target"],
        code=Code(record["code"]),
        subject=record["subject"],
        version=record["version"],
        object=record["object"],
        required=_demand_from_record(record["required"]),
    )


def _inference_from_record(record: Record) -> Inference:
    chosen = record["chosen"]
    return Inference(
        finding=_finding_from_record(record["finding"]),
        version=record["version"],
        chosen=_change_from_record(chosen) if chosen else None,
        listed=tuple(_listed_from_record(listed) for listed in record.get("listed", ())),
    )


def _listed_from_record(record: Record) -> Listed:
    return Listed(
        target=record["target"],
        sources=tuple(record["sources"]),
        versions=tuple(record["versions"]),
        count=record["count"],
        fitting=record["fitting"],
    )


def _change_from_record(record: Record) -> Change:
    return Change(RemedyKind(record["kind"]), record["target"], record["to"])
