"""A report as JUnit XML for build servers: one test case for each finding, failed if it blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from processors.checker.sentences.demands import told_by
from processors.checker.sentences.orders import with_causes
from processors.events.report import Finding, Report
from processors.events.vocabulary import Verdict

_SUITE: Final = "compat-guard"


def render(report: Report, digest: str, matrices: Sequence[str] = ()) -> str:
    """A whole document. Characters that XML cannot represent are replaced.

    `matrices` are the files that an offline check used.
    """
    asked = f"{report.plugin_id} {report.plugin_version} on {report.host} {report.host_version}"
    cases = [_case(finding, asked) for finding in report.findings] or [_plain(report, asked)]
    failures = sum("<failure" in case for case in cases)
    totals = f'tests="{len(cases)}" failures="{failures}" errors="0" skipped="0"'
    known = told_by(report.findings)
    plans = (with_causes(plan, report.plugin_id, report.plugin_version, known) for plan in report.remediations)
    ways = "".join(f"\nWhat helps: {plan}." for plan in plans)
    files = "".join(f"\nmatrix file: {file}" for file in matrices)
    told = "<system-out>" + xml_text(f"{report.summary}{ways}{files}\nreport {digest}") + "</system-out>"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name="{_SUITE}" {totals}>\n<testsuite name={attribute(asked)} {totals}>\n'
        + "\n".join(cases)
        + f"\n{told}\n</testsuite>\n</testsuites>"
    )


def _case(finding: Finding, asked: str) -> str:
    name = f"{finding.code} {finding.subject} {finding.object}"
    about = f"<testcase classname={attribute(asked)} name={attribute(name)}>"
    if not finding.blocks:
        return f"{about}<system-out>{xml_text(finding.sentence)}</system-out></testcase>"
    message = f"message={attribute(finding.sentence)} type={attribute(finding.code)}"
    told = xml_text(f"{finding.sentence}\n{finding.help}")
    return f"{about}<failure {message}>{told}</failure></testcase>"


def _plain(report: Report, asked: str) -> str:
    """A report without findings: passed, unless its verdict does not allow the installation."""
    about = f"<testcase classname={attribute(asked)} name={attribute('compatibility')}"
    if report.verdict in (Verdict.ALLOW, Verdict.WARN, Verdict.ALLOW_BY_EXCEPTION):
        return f"{about}/>"
    return f"{about}><failure message={attribute(report.summary)}/></testcase>"


def xml_text(text: str) -> str:
    return escape(_clean(text))


def attribute(text: str) -> str:
    return quoteattr(_clean(text))


def _clean(text: str) -> str:
    return "".join(c if c in "\t\n" or c.isprintable() else "�" for c in text)
