"""Is an installation monitored as its exception demands?"""

from __future__ import annotations

from collections.abc import Collection

from processors.events.outcomes import InstallFinished, InstallOutcome, MonitoringStatus
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.rules.reasons import Reason


def covers(policy: ExceptionPolicy, required: str, profile: str, addons: Collection[str]) -> bool:
    """Whether the attached add-ons include everything that the required profile makes mandatory.

    The profile must be known, and its own add-ons count only if they are attached: a name alone is nothing. Nothing
    covers an unknown required profile.
    """
    mandatory = policy.monitoring.get(required)
    return mandatory is not None and profile in policy.monitoring and set(mandatory.addons) <= set(addons)


def at_least(policy: ExceptionPolicy, profile: str, required: str) -> bool:
    """Whether a profile demands at least as much as another."""
    wanted, least = policy.monitoring.get(profile), policy.monitoring.get(required)
    return wanted is not None and least is not None and set(wanted.addons) >= set(least.addons)


def shortfall(policy: ExceptionPolicy, required: str, news: InstallFinished) -> Reason | None:
    """What is wrong with the monitoring that an outcome reports; None if nothing is.

    An installation that did not happen needs no monitoring. A success that does not mention monitoring has none.
    """
    if news.monitoring is MonitoringStatus.LOST:
        return Reason.MONITORING_LOST
    if news.outcome in (InstallOutcome.FAILED, InstallOutcome.ROLLED_BACK, InstallOutcome.CANCELLED):
        return None
    if news.monitoring is not MonitoringStatus.ATTACHED:
        return Reason.MONITORING_MISSING
    if not covers(policy, required, news.monitoring_profile, news.monitoring_addons):
        return Reason.MONITORING_NOT_COVERING
    return None
