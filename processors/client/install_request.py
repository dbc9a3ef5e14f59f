"""An install request as it goes onto its topic, whoever asks. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from processors.events.subject import Subject
from processors.events.subject_record import subject_to_record
from processors.events.vocabulary import Action
from processors.stream.types import Headers
from processors.stream.wire.headers import event_headers, new_trace


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderException:
    """What the exception workflow asks for besides the exception. What is left out it refuses, and says so."""

    exception_id: str
    statement: str | None = None
    profile: str | None = None
    addons: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallRequest:
    """Who asks what. Texts are as given; nothing is judged here."""

    request_id: str
    tenant: str
    operator: str
    subject: Subject
    environment: str = "production"
    target: str = ""
    exception: UnderException | None = None

    def record(self, now: int) -> dict[str, Any]:
        """The event. `now` is milliseconds since the epoch."""
        subject = subject_to_record(self.subject)
        return {
            "request_id": self.request_id,
            "requested_at": now,
            "tenant": self.tenant,
            "operator": self.operator,
            "environment": self.environment,
            "target": self.target,
            "action": action(subject),
            "recheck_of": None,
            **self._under_exception(now),
            "subject": subject,
        }

    def _under_exception(self, now: int) -> dict[str, Any]:
        under = self.exception
        if under is None:
            return {"exception_id": None, "acknowledgement": None, "monitoring": None}
        statement = {"by": self.operator, "at": now, "statement": under.statement}
        plan = {"profile": under.profile, "addons": list(under.addons), "owner": self.operator}
        return {
            "exception_id": under.exception_id,
            "acknowledgement": statement if under.statement else None,
            "monitoring": plan if under.profile is not None else None,
        }


def headers_of(request_id: str, source: str, now: int) -> Headers:
    """The headers of a request, with a trace that begins with it."""
    return event_headers(
        id=request_id, type="plugin.install.requested", source=source, time=now, cause=(new_trace(),)
    )


def action(subject: Mapping[str, Any]) -> Action:
    """An upgrade if a version of the plugin is there already, an installation otherwise."""
    installed = {plugin["id"] for plugin in subject["installed"]}
    there = subject["previous_version"] or subject["manifest"]["id"] in installed
    return Action.UPGRADE if there else Action.INSTALL
