"""A request to install a plugin. Mirrors the envelope of `InstallRequested` in schemas/."""

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
    """The acknowledgement of the risk under an exception, in the operator's words."""

    by: str
    at: int
    statement: str

    def record(self) -> dict[str, Any]:
        return fields_of(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringPlan:
    """How an installation under an exception will be monitored, and who is responsible."""

    profile: str
    addons: tuple[str, ...]
    owner: str

    def record(self) -> dict[str, Any]:
        return fields_of(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallRequested:
    """Who asks, and for what. The subject, which is the question itself, is separate.

    It is passed as bytes, because equal subjects have equal bytes. `plugin_id` is the subject's, the key of the
    record.
    """

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
    """A request for its readers. `record` is the whole record of the topic."""

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
        """The acknowledgement of the risk; None if there is none."""
        said = self.record["acknowledgement"]
        if said is None:
            return None
        return RiskAcknowledgement(by=said["by"], at=said["at"], statement=said["statement"])

    @property
    def monitoring(self) -> MonitoringPlan | None:
        """How the installation is to be monitored; None if that is not stated."""
        plan = self.record["monitoring"]
        if plan is None:
            return None
        return MonitoringPlan(profile=plan["profile"], addons=tuple(plan["addons"]), owner=plan["owner"])

    @property
    def subject_record(self) -> Mapping[str, Any]:
        """The question, to be asked again or passed on."""
        return self.record["subject"]

    @property
    def subject(self) -> Subject:
        return subject_from_record(self.subject_record)
