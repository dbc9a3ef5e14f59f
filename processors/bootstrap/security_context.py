"""Builds the security context: a loop, and a thread that sends requests."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import structlog

from processors.bootstrap.clients import codec, stream_settings
from processors.bootstrap.sealing import seals
from processors.bootstrap.secrets import secret
from processors.bootstrap.trust import matrix_trust, policy_trust, signer
from processors.configuration.settings import Settings
from processors.errors import SettingsInvalid
from processors.outbound.client import PinnedClient
from processors.policies.record import SECURITY
from processors.security_context.asker import FIRST_RETRY, Asker
from processors.security_context.config import FILE, SecurityService, load
from processors.security_context.processor import SecurityContext
from processors.stream.loop.health import Health
from processors.stream.loop.loop import run as run_loop
from processors.trust.keys import Signer
from processors.trust.sources import Trust

_log = structlog.get_logger(__name__)


def run_security_context(
    of: Settings, stop: threading.Event, health: Health, first_retry: float = FIRST_RETRY
) -> None:
    """Run until `stop` is set. Without a configured platform, no requests are sent.

    Raises SettingsInvalid if its signatures would not be trusted, and what the loop raises.
    """
    config, security = load(of.config), policy_trust(of)
    with ExitStack() as stack:
        asker = key = None
        if config.platform is None:
            _log.warning("no platform is configured, so nobody is asked", file=str(of.config / FILE))
        else:
            key = _believed(signer(of), security)
            asker = stack.enter_context(_asker(config.platform, config.every / 1000, first_retry, of))
        events = stack.enter_context(codec(of))
        processor = SecurityContext(
            events,
            seals(of),
            asker,
            key,
            valid_for=config.valid_for,
            notify=config.notify,
            accepted=config.accept,
            trust=matrix_trust(of),
            security=security,
        )
        run_loop(processor, stream_settings(of), stop, health=health)


def _asker(platform: SecurityService, every: float, first_retry: float, of: Settings) -> Asker:
    token = secret(platform.token, of.config) if platform.token else ""
    ca = of.config / platform.ca if platform.ca else None
    return Asker(
        lambda: PinnedClient(platform.url, platform.networks, ca, most=1), token, every, first_retry=first_retry
    )


def _believed(key: Signer, security: Trust) -> Signer:
    """Raises SettingsInvalid for a key whose policies every reader would refuse."""
    if key.kid not in {known.kid for known in security.of(SECURITY).keys}:
        raise SettingsInvalid(
            f"the key `{key.kid}` is not among those that config/guard.yaml trusts with security policies; put its "
            "public half into the file under `trust.policies`, or name another key with GUARD_SIGNING__KEY_FILE"
        )
    return key
