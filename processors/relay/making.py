"""Builds targets from their configuration: one table of kinds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from processors.errors import SettingsInvalid
from processors.outbound.endpoints import SecretPlace, refuse_address
from processors.relay.config import (
    AuditTarget,
    ChatTarget,
    MailTarget,
    Target,
    TargetConfig,
    WebhookTarget,
)
from processors.relay.courier import Sender
from processors.relay.envelope import cloud_event
from processors.relay.outgoing import Outgoing
from processors.relay.targets.audit import audit_record
from processors.relay.targets.chat import ChatSender
from processors.relay.targets.http import HttpPoster
from processors.relay.targets.mail import MailSender, MailServer, mail
from processors.relay.targets.mattermost import mattermost
from processors.relay.targets.signing import key_of
from processors.relay.targets.slack import slack
from processors.relay.targets.teams import teams
from processors.relay.targets.webhook import WebhookSender

Body = Callable[[Outgoing], bytes | None]
ReadSecret = Callable[[SecretPlace], str]


@dataclass(frozen=True, slots=True)
class Made:
    """A target, ready to use. `endpoint` is a fingerprint of its address."""

    body: Body
    sender: Sender
    endpoint: str


def made(target: Target, links: str, secret: ReadSecret) -> Made:
    """Raises SettingsInvalid that names the secret which is missing or unusable."""
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
        case MailTarget():
            return lambda event: _mail(event, target), _mailing(target, secret), f"{target.host}:{target.port}"
        case ChatTarget():
            url = _chat_url(target, secret)
            poster = HttpPoster(url, target.networks, target.ca, target.in_flight)
            return _ROOMS[target.kind], ChatSender(poster), url


_ROOMS: Mapping[str, Body] = {"slack": slack, "teams": teams, "mattermost": mattermost}


def _mail(event: Outgoing, target: MailTarget) -> bytes | None:
    recipient = event.data["recipient"]
    to = next((to for pattern, to in target.addresses.items() if fnmatchcase(recipient, pattern)), None)
    return None if to is None else mail(event, target.sender, to)


def _mailing(target: MailTarget, secret: ReadSecret) -> MailSender:
    password = secret(target.password) if target.password else ""
    implicit = target.tls == "implicit"
    return MailSender(
        MailServer(target.host, target.port, target.networks, implicit, target.ca, target.username, password)
    )


def _chat_url(target: ChatTarget, secret: ReadSecret) -> str:
    """Raises SettingsInvalid that names the place of the URL, without showing the URL."""
    url, place = secret(target.url), target.url.env or target.url.file
    try:
        refuse_address(url)
    except ValueError as error:
        raise SettingsInvalid(f"the URL of {target.name} in {place} cannot be used: {error}") from None
    parts = urlsplit(url)
    if parts.hostname != target.host.lower():
        raise SettingsInvalid(f"the URL of {target.name} in {place} is not on `{target.host}`")
    if parts.scheme != "https" and not all(network.is_loopback for network in target.networks):
        raise SettingsInvalid(f"the URL of {target.name} in {place} is not https")
    return url


def _signing(target: WebhookTarget | AuditTarget, secret: ReadSecret) -> WebhookSender:
    keys = [key_of(secret(place), str(place.env or place.file)) for place in target.secrets]
    poster = HttpPoster(target.url, target.networks, target.ca, target.in_flight)
    return WebhookSender(poster, keys, secret(target.token) if target.token else "")


def _chosen(target: TargetConfig, body: Body) -> Body:
    """Only notifications have a recipient to filter by."""

    def chosen(event: Outgoing) -> bytes | None:
        if event.kind == "notifications":
            recipient = event.data["recipient"]
            if not any(fnmatchcase(recipient, pattern) for pattern in target.recipients):
                return None
        return body(event)

    return chosen
