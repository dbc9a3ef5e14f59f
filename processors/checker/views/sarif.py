"""A report as SARIF 2.1.0: what code review shows beside the manifest, one result for each finding.

Format: OASIS Static Analysis Results Interchange Format, version 2.1.0. `partialFingerprints` carries the finding's
id, so that a service knows a finding again from one run to the next.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from processors.checker.findings import sections
from processors.checker.sentences import orders
from processors.checker.sentences.demands import told_by
from processors.checker.views.outline import explanation
from processors.events.report import Finding, Remediation, Report
from processors.events.vocabulary import Code

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def render(
    report: Report,
    digest: str,
    artifact: str | None = None,
    matrices: Sequence[str] = (),
    explained_at: str = "",
) -> str:
    """A whole SARIF log. `artifact` is the manifest's path as given; without it, results name no file.

    `matrices` are the files that an offline check used. `explained_at` is the address of a gateway that explains
    findings, if one is known.
    """
    codes = sorted({finding.code for finding in report.findings})
    run = {
        "tool": {
            "driver": {
                "name": "compat-guard",
                "semanticVersion": report.engine,
                "rules": [_rule(code, explained_at) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, codes.index(finding.code), report, artifact) for finding in report.findings],
        "properties": {
            "verdict": report.verdict,
            "summary": report.summary,
            "riskScore": report.risk.score,
            "reportDigest": digest,
            **({"matrixFiles": list(matrices)} if matrices else {}),
            "waysOut": [_in_full(plan, report) for plan in report.remediations],
        },
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _rule(code: Code, explained_at: str) -> dict[str, Any]:
    text = sections().get(code, "")
    means = text.partition("**Means** ")[2].partition("\n")[0]
    return {
        "id": code,
        "shortDescription": {"text": means or str(code)},
        "help": {"text": text.replace("**", "") or str(code), "markdown": text or str(code)},
        **({"helpUri": explanation(explained_at, code)} if explained_at else {}),
    }


def _result(finding: Finding, rule: int, report: Report, artifact: str | None) -> dict[str, Any]:
    cures = [_in_full(plan, report) for plan in report.remediations if _is_cured(finding, report)]
    way_out = f" What helps: {', or '.join(cures[:2])}." if cures and finding.blocks else ""
    return {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": "error" if finding.blocks else "warning",
        "message": {"text": finding.sentence + way_out},
        "locations": [_location(report, artifact)],
        "partialFingerprints": {"findingId/v1": finding.id},
    }


def _in_full(plan: Remediation, report: Report) -> str:
    return orders.with_causes(plan, report.plugin_id, report.plugin_version, told_by(report.findings))


def _is_cured(finding: Finding, report: Report) -> bool:
    return any(finding.id in step.cures for plan in report.remediations for step in plan.steps)


def _location(report: Report, artifact: str | None) -> dict[str, Any]:
    named = {"fullyQualifiedName": f"{report.plugin_id}@{report.plugin_version}", "kind": "module"}
    location: dict[str, Any] = {"logicalLocations": [named]}
    if artifact is not None:
        uri = quote(artifact.replace("\\", "/"), safe="/:@-._~")
        location["physicalLocation"] = {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}}
    return location
