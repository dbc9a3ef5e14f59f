"""An approval names findings by id; those that it was given for stay approved when ids are made anew."""

from __future__ import annotations

from typing import Any

import pytest

from processors.events.report import finding_id
from processors.exception_workflow.rules.scope import basis_of, new_findings
from processors.exception_workflow.state.case import ExceptionCase

CODE, PLUGIN, MIGRATION = "MIGRATION_IRREVERSIBLE", "com.acme.crm", "0007-tax"


def a_report(kind: str, constraint: str) -> dict[str, Any]:
    finding = {
        "code": CODE, "subject": PLUGIN, "object": MIGRATION, "effect": "BLOCK",
        "required": {"kind": kind, "constraint": constraint},
    }  # fmt: skip
    where = {"plugin_id": PLUGIN, "plugin_version": "2", "host": "corex", "host_version": "1", "summary": ""}
    return {
        **where, "input_digest": "", "verdict": "BLOCK", "risk": {"band": "HIGH", "score": 70},
        "findings": [finding], "sources": [], "basis_digest": "",
    }  # fmt: skip


EARLIER = a_report("UNKNOWN", "a migration that can be undone")
NOW = a_report("REVERSIBLE", "")


@pytest.mark.parametrize("approved", [EARLIER, NOW])
def test_a_finding_that_was_approved_under_its_earlier_id_is_approved(approved: dict[str, Any]) -> None:
    """A re-check after an upgrade of the guard must not send every live exception to review."""
    ids = tuple(finding.id for finding in basis_of(approved, "").blocking)

    assert new_findings(ExceptionCase(exception_id="e", finding_ids=ids), basis_of(NOW, "")) == ()


def test_another_finding_is_as_new_as_before() -> None:
    """Only the very phrase that stood for this demand counts."""
    other = finding_id(CODE, PLUGIN, MIGRATION, "a way back over the migrations that have run")

    assert new_findings(ExceptionCase(exception_id="e", finding_ids=(other,)), basis_of(NOW, "")) != ()
