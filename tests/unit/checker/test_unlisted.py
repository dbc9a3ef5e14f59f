"""What no source lists is called so, and nobody is told to install it."""

from __future__ import annotations

from examples.questions import HOUR, NOON

from processors.checker.check import check
from processors.events.report import Report
from processors.events.subject import Host, Manifest, Requirement, Subject
from processors.events.vocabulary import Code, Ground, Verdict
from processors.matrix.merged import Matrix
from processors.matrix.text import parse_matrix
from processors.policies import Advisory, Policies, SecurityPolicy

MATRIX = Matrix.of([(parse_matrix("hosts: {corex: {dialect: npm}}"), NOON, NOON + HOUR)])


def report(requires: tuple[Requirement, ...] = (), *advisories: Advisory) -> Report:
    manifest = Manifest(id="sync", version="1.0.0", host_range="*", requires=requires)
    policies = Policies.of(
        [SecurityPolicy(component_id="sync", policy_id="SEC", published_at=NOON, advisories=advisories)]
    )
    return check(Subject(manifest=manifest, host=Host("corex", "1.9.0")), MATRIX, NOON, "", policies).report


def test_a_dependency_that_is_unknown_to_every_source_is_called_so() -> None:
    """No release of it "would do" is not the same: there is none to choose from."""
    said = report((Requirement("nowhere", ">=2"),))
    missing = next(finding for finding in said.findings if finding.code is Code.DEPENDENCY_MISSING)

    assert missing.ground is Ground.UNLISTED
    assert "which no matrix source lists" in said.summary
    assert "would do" not in said.summary


def test_a_fix_that_no_source_lists_is_not_ordered() -> None:
    """The same report said that no change of versions helps."""
    said = report((), Advisory(id="CVE-1", severity="critical", affected=("<1.2.0",), fixed=("1.2.0",)))

    assert said.verdict is Verdict.BLOCK
    assert "sync 1.2.0, which no matrix source lists" in said.summary
    assert "Install sync 1.2.0" not in said.summary
    assert "none of them lists what is needed" in said.remediation_note
