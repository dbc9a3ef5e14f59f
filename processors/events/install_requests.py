"""Somebody asks whether a plugin may be installed. Mirrors the envelope of `InstallRequested` in schemas/."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from processors.events.fields import fields_of
from processors.events.subject import Subject
from processors.events.subject_record import subject_from_record
from processors.events.vocabulary import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskAcknowledgement:
    """That somebody takes the risk of going on under an exception, in their words."""

    by: str
    at: int
    statement: str

    def record(self) -> dict[str, Any]:
        return fields_of(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringPlan:
    """How an installation under an exception will be watched, and who answers for it."""

    profile: str
    addons: tuple[str, ...]
    owner: str

    def record(self) -> dict[str, Any]:
        return fields_of(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallRequested:
    """Who asks, and for what. The subject, which is the question itself, travels beside it: as bytes, because equal
    subjects have equal bytes. `plugin_id` is the subject's, which the record is keyed by."""

    request_id: str
    requested_at: int
    plugin_id: str
    tenant: str
    operator: str
    environment: str
    target: str
    action: Action
    exception_id: str | None = None
    acknowledgement: RiskAcknowledgement | None = None
    monitoring: MonitoringPlan | None = None
    recheck_of: str | None = None

    @property
    def id(self) -> str:
        return self.request_id

    @property
    def key(self) -> str:
        return self.plugin_id

    def record(self) -> dict[str, Any]:
        """Everything but the subject."""
        return {
            **fields_of(self, "plugin_id"),
            "acknowledgement": self.acknowledgement.record() if self.acknowledgement else None,
            "monitoring": self.monitoring.record() if self.monitoring else None,
        }


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """A request as its readers see it. `record` is the whole of it, as the topic gave it."""

    record: Mapping[str, Any]

    @property
    def request_id(self) -> str:
        return self.record["request_id"]

    @property
    def tenant(self) -> str:
        return self.record["tenant"]

    @property
    def operator(self) -> str:
        return self.record["operator"]

    @property
    def environment(self) -> str:
        return self.record["environment"]

    @property
    def target(self) -> str:
        return self.record["target"]

    @property
    def action(self) -> Action:
        return Action(self.record["action"])

    @property
    def acknowledgement(self) -> RiskAcknowledgement | None:
        """That somebody took the risk of an exception; None where nobody did."""
        said = self.record["acknowledgement"]
        if said is None:
            return None
        return RiskAcknowledgement(by=said["by"], at=said["at"], statement=said["statement"])

    @property
    def monitoring(self) -> MonitoringPlan | None:
        """How the installation is to be watched; None where nobody said."""
        plan = self.record["monitoring"]
        if plan is None:
            return None
        return MonitoringPlan(profile=plan["profile"], addons=tuple(plan["addons"]), owner=plan["owner"])

    @property
    def subject_record(self) -> Mapping[str, Any]:
        """The question to be asked again, or to be handed on."""
        return self.record["subject"]

    @property
    def subject(self) -> Subject:
        return subject_from_record(self.subject_record)
