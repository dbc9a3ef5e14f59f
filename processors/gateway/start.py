"""Builds a gateway from the settings and runs it."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

import structlog

from processors.bootstrap import development
from processors.bootstrap.clients import codec, stream_settings
from processors.bootstrap.heartbeat import heartbeat
from processors.bootstrap.processors import begin_logging
from processors.bootstrap.sealing import seals
from processors.configuration.gateway import GatewayConfig
from processors.configuration.guard import Watched
from processors.configuration.settings import Settings
from processors.errors import Fatal, SettingsInvalid
from processors.gateway.app import create_app
from processors.gateway.auth.gate import Gate
from processors.gateway.console.pages import PAGES
from processors.gateway.desk import WRITTEN_WITHIN, Desk
from processors.gateway.positions import Position
from processors.gateway.replies import Answer, Replies
from processors.gateway.server import serve
from processors.gateway.signing import SigningKeys, read_signing_keys
from processors.observability.collector import collector_eased
from processors.stream.io.clients import refuse_plaintext
from processors.stream.io.outbox import Outbox
from processors.stream.loop.health import Health
from processors.stream.loop.health_server import HealthServer
from processors.stream.loop.watchdog import Watchdog
from processors.stream.types import Inbound

_YOUNG: Final = 10_000
"""New values after which the youngest generation is collected: ten milliseconds in which no request is answered."""

_MIDDLE: Final = 3
"""Collections of the youngest generation after which the middle one is collected, which takes that much longer."""

_log = structlog.get_logger(__name__)


def run_gateway(of: Settings, stop: threading.Event) -> None:
    """Serve until `stop` is set. Raises SettingsInvalid for unsafe settings, Fatal if it cannot go on.

    The process ends with code 70 when the event loop stands still, also while it closes; call it in the main
    thread.
    """
    begin_logging(of)
    config = Watched(of.config)
    refuse_unsafe(of, config().gateway)
    keys = signing_keys(of)
    seals(of)  # it shows nothing that it cannot verify
    failures: list[BaseException] = []
    with ExitStack() as stack:
        bound = stack.enter_context(listening(of.gateway.host, of.gateway.port))
        events = stack.enter_context(codec(of))
        stream = stream_settings(of)
        outbox = Outbox(stream, WRITTEN_WITHIN)
        stack.callback(outbox.close)
        health = Health("gateway")
        health.tables_loaded = health.restored = True  # it has neither
        Watchdog(health, stop, heartbeat()).start()
        stack.enter_context(HealthServer(health, of.health_host, of.health_port))
        gate = Gate(lambda: config().gateway, of.config, open_to_all=of.gateway.profile == "embedded")
        desk = Desk(settings=of, config=config, events=events, outbox=outbox, gate=gate, keys=keys)
        app = create_app(desk, *PAGES)

        def failed(error: BaseException) -> None:
            failures.append(error)
            stop.set()

        async def serving() -> None:
            loop = asyncio.get_running_loop()

            def deliver(answers: Sequence[Answer], results: Sequence[Inbound]) -> None:
                loop.call_soon_threadsafe(desk.deliver, answers, results)

            def begins(place: Position) -> None:
                loop.call_soon_threadsafe(desk.begin, place)

            replies = Replies(stream, events, deliver, begins, failed)
            replies.start()
            try:
                _log.info("the gateway listens", address="{}:{}".format(*bound.getsockname()[:2]))
                await serve(app, desk, replies, health, bound, stop)
            finally:
                replies.stop()

        with collector_eased(_YOUNG, _MIDDLE):
            asyncio.run(serving())
    if failures:
        raise Fatal(f"the reader of answers failed: {failures[0]!r}") from failures[0]


def refuse_unsafe(of: Settings, config: GatewayConfig) -> None:
    """Raise SettingsInvalid if callers could be anonymous or their traffic unencrypted."""
    gateway = of.gateway
    local = _is_loopback(gateway.host)
    if gateway.profile == "embedded":
        if not local:
            raise SettingsInvalid(
                f"GUARD_GATEWAY__PROFILE=embedded asks for no token, and GUARD_GATEWAY__HOST `{gateway.host}` is "
                "not on loopback; leave the profile out and name an issuer in guard.yaml"
            )
        try:
            refuse_plaintext(of.kafka.bootstrap)
        except SettingsInvalid:
            raise SettingsInvalid(
                "GUARD_GATEWAY__PROFILE=embedded asks for no token, and the broker is not on loopback; leave the "
                "profile out and name an issuer in guard.yaml"
            ) from None
        return
    if not config.issuers:
        raise SettingsInvalid(
            "guard.yaml names no issuer under `gateway`, so nobody could be known; name your identity provider "
            "(GUARD_GATEWAY__PROFILE=embedded asks for no token, on loopback only)"
        )
    if bool(gateway.certificate) != bool(gateway.private_key):
        raise SettingsInvalid("GUARD_GATEWAY__CERTIFICATE and GUARD_GATEWAY__PRIVATE_KEY go together")
    if not local and not gateway.certificate and not gateway.proxy:
        raise SettingsInvalid(
            f"GUARD_GATEWAY__HOST `{gateway.host}` is not on loopback, and tokens would cross a network in the "
            "clear; set GUARD_GATEWAY__CERTIFICATE, or GUARD_GATEWAY__PROXY to the proxy that does TLS"
        )


def signing_keys(of: Settings) -> SigningKeys:
    """The gateway's own keys; those of the development issuer in the embedded profile. Raises SettingsInvalid."""
    if of.gateway.signing_keys is not None:
        return read_signing_keys(of.gateway.signing_keys, of.gateway.issuer)
    if of.gateway.profile == "embedded":
        tool = development.tool()
        return SigningKeys(tool.issuer, [tool.key])
    raise SettingsInvalid(
        "GUARD_GATEWAY__SIGNING_KEYS is not set; `compat-guard gateway keys FILE` makes a file that all replicas "
        "share"
    )


def listening(host: str, port: int) -> socket.socket:
    """A socket that is bound and does not listen yet. Raises SettingsInvalid."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named, asyncio sends data at once (TCP_NODELAY). Otherwise the body of a response waits
    # until the caller's system acknowledges the head, which takes 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise SettingsInvalid(f"the gateway cannot listen on {host}:{port}: {error.strerror}") from None
    return bound


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
