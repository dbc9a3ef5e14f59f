"""What an exception lets pass, and where: everything that whoever asks, signs or looks it up has to know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from processors.checker.views.outline import WayOut, outline
from processors.client.results import results_of
from processors.events.exceptions import Scope
from processors.events.report import Finding
from processors.events.vocabulary import Band
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.rules.scope import rests_on
from processors.exception_workflow.state.case import ExceptionCase
from processors.gateway.console.installations import INSTALLATIONS
from processors.gateway.desk import Desk


class Monitoring(NamedTuple):
    """A profile: its name, what it is, and what must be attached."""

    name: str
    description: str
    addons: Sequence[str]


class Terms(NamedTuple):
    """`target` is the installation that was blocked, empty where the report does not say, is not kept any
    more, or was given for several installations under one request id; `lasts` is the longest
    validity from approval on, in milliseconds."""

    scope: Scope
    target: str
    round: int
    findings: Sequence[Finding]
    single_use: bool
    may_be_window: bool
    lasts: int
    until: int | None
    monitoring: Monitoring
    helps: Sequence[WayOut] = ()


def monitoring_of(policy: ExceptionPolicy, name: str) -> Monitoring:
    profile = policy.monitoring.get(name)
    return (
        Monitoring(name, profile.description, profile.addons) if profile is not None else Monitoring(name, "", ())
    )


def permitted(scope: Scope, target: str, round: int, findings: Sequence[Finding], band: Band,
              policy: ExceptionPolicy) -> Terms:  # fmt: skip
    """What may be asked for from a block."""
    rule = policy.band_rule(band)
    return Terms(
        scope=scope,
        target=target,
        round=round,
        findings=[finding for finding in findings if finding.blocks],
        single_use=True,
        may_be_window=rule.use == "window",
        lasts=policy.max_validity(band),
        until=None,
        monitoring=monitoring_of(policy, rule.monitoring),
    )


async def terms_of(desk: Desk, case: ExceptionCase, policy: ExceptionPolicy) -> Terms:
    """What is asked for in the round that runs, with the report that it rests on."""
    results = await desk.read(results_of, desk.settings, desk.events, case.request_id)
    blocks = [
        result
        for result in results.values()
        if result.report_digest == case.report_digest and rests_on(case, result.scope, result.report_digest)
    ]
    report = blocks[0].report if blocks else None
    targets = {block.target for block in blocks}
    target = targets.pop() if len(targets) == 1 else ""
    if blocks:
        INSTALLATIONS.learn(case, target)
    terms = permitted(
        case.scope,
        target,
        case.round,
        () if report is None else [f for f in report.findings if f.id in case.finding_ids],
        case.band,
        policy,
    )
    return terms._replace(
        single_use=case.single_use,
        until=case.asked_until,
        monitoring=monitoring_of(policy, case.profile),
        helps=() if report is None else outline(report).ways_out,
    )
