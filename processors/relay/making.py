"""From a target's configuration to what makes its bodies and sends them: the table of kinds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from processors.relay.config import AuditTarget, SecretPlace, Target, TargetConfig, WebhookTarget
from processors.relay.courier import Sender
from processors.relay.envelope import cloud_event
from processors.relay.outgoing import Outgoing
from processors.relay.targets.audit import audit_record
from processors.relay.targets.http import HttpPoster
from processors.relay.targets.signing import key_of
from processors.relay.targets.webhook import WebhookSender

Body = Callable[[Outgoing], bytes | None]
ReadSecret = Callable[[SecretPlace], str]


@dataclass(frozen=True, slots=True)
class Made:
    """A target, ready to be sent to. `endpoint` is a fingerprint of its address."""

    body: Body
    sender: Sender
    endpoint: str


def made(target: Target, links: str, secret: ReadSecret) -> Made:
    """Raises SettingsInvalid that names the secret which is missing or cannot be used."""
    body, sender, address = _kind(target, links, secret)
    return Made(_chosen(target, body), sender, hashlib.sha256(address.encode()).hexdigest()[:16])


def _kind(target: Target, links: str, secret: ReadSecret) -> tuple[Body, Sender, str]:
    match target:
        case WebhookTarget():
            return lambda event: cloud_event(event, links=links), _signing(target, secret), target.url
        case AuditTarget():
            return (
                lambda event: cloud_event(event, audit_record(event), links=links),
                _signing(target, secret),
                target.url,
            )


def _signing(target: WebhookTarget | AuditTarget, secret: ReadSecret) -> WebhookSender:
    keys = [key_of(secret(place), str(place.env or place.file)) for place in target.secrets]
    poster = HttpPoster(target.url, target.networks, target.ca, target.in_flight)
    return WebhookSender(poster, keys, secret(target.token) if target.token else "")


def _chosen(target: TargetConfig, body: Body) -> Body:
    """Only notifications have a recipient to choose by."""

    def chosen(event: Outgoing) -> bytes | None:
        if event.kind == "notifications":
            recipient = event.data["recipient"]
            if not any(fnmatchcase(recipient, pattern) for pattern in target.recipients):
                return None
        return body(event)

    return chosen
