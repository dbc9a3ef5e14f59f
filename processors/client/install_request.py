"""The input for an install request. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from processors.events.install_requests import InstallRequested, MonitoringPlan, RiskAcknowledgement
from processors.events.subject import Subject
from processors.events.vocabulary import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderException:
    """What the exception workflow needs besides the exception. It refuses what is missing, with a reason."""

    exception_id: str
    statement: str | None = None
    profile: str | None = None
    addons: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallRequest:
    """Who asks what. Texts are as given; nothing is checked here."""

    request_id: str
    tenant: str
    operator: str
    subject: Subject
    environment: str = "production"
    target: str = ""
    exception: UnderException | None = None

    def event(self, now: int) -> InstallRequested:
        """The event without its subject. `now` is milliseconds since the epoch."""
        under = self.exception
        return InstallRequested(
            request_id=self.request_id,
            requested_at=now,
            plugin_id=self.subject.manifest.id,
            tenant=self.tenant,
            operator=self.operator,
            environment=self.environment,
            target=self.target,
            action=action(self.subject),
            exception_id=under.exception_id if under else None,
            acknowledgement=self._acknowledgement(under, now) if under else None,
            monitoring=self._monitoring(under) if under else None,
        )

    def _acknowledgement(self, under: UnderException, now: int) -> RiskAcknowledgement | None:
        if not under.statement:
            return None
        return RiskAcknowledgement(by=self.operator, at=now, statement=under.statement)

    def _monitoring(self, under: UnderException) -> MonitoringPlan | None:
        if under.profile is None:
            return None
        return MonitoringPlan(profile=under.profile, addons=tuple(under.addons), owner=self.operator)


def action(subject: Subject) -> Action:
    """An upgrade if a version of the plugin is installed already, otherwise an installation."""
    there = any(plugin.id == subject.manifest.id for plugin in subject.installed)
    return Action.UPGRADE if there or subject.previous_version else Action.INSTALL
