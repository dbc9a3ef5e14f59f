"""The outcome of an installation, from the rollout system. Mirrors `InstallFinished` in schemas/."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class InstallOutcome(StrEnum):
    UNKNOWN = "UNKNOWN"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    ROLLED_BACK = "ROLLED_BACK"
    CANCELLED = "CANCELLED"


class MonitoringStatus(StrEnum):
    UNKNOWN = "UNKNOWN"
    ATTACHED = "ATTACHED"
    MISSING = "MISSING"
    LOST = "LOST"
    NOT_REQUIRED = "NOT_REQUIRED"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallFinished:
    """An outcome, or a change of the monitoring alone, with `outcome` UNKNOWN. Empty fields are not stated."""

    outcome_id: str
    request_id: str
    exception_id: str | None
    operator: str
    target: str
    outcome: InstallOutcome
    monitoring: MonitoringStatus
    monitoring_profile: str
    monitoring_addons: tuple[str, ...]
    reason: str
    tenant: str = ""
    plugin_id: str = ""
    plugin_version: str = ""

    @property
    def told(self) -> str:
        """Digest of its content: the same digest again is a repetition, another one under the same id is news."""
        parts = (self.outcome_id, self.request_id, self.target, self.outcome, self.monitoring)
        parts = (*parts, self.monitoring_profile, *self.monitoring_addons)
        return hashlib.sha256("".join(f"{len(p)}:{p}" for p in parts).encode()).hexdigest()[:32]


def install_finished_from_record(record: Mapping[str, Any]) -> InstallFinished:
    return InstallFinished(
        outcome_id=record["outcome_id"],
        request_id=record["request_id"],
        exception_id=record["exception_id"],
        operator=record["operator"],
        target=record["target"],
        outcome=InstallOutcome(record["outcome"]),
        monitoring=MonitoringStatus(record["monitoring"]),
        monitoring_profile=record["monitoring_profile"],
        monitoring_addons=tuple(record["monitoring_addons"]),
        reason=record["reason"],
        tenant=record["tenant"],
        plugin_id=record["plugin_id"],
        plugin_version=record["plugin_version"],
    )
