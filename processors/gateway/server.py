"""The server process: uvicorn with deadlines for slow senders, readiness, and a graceful shutdown."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from processors.configuration.settings import GatewaySettings
from processors.errors import Fatal
from processors.gateway import measures
from processors.gateway.desk import Desk
from processors.gateway.replies import Replies
from processors.stream.loop.health import Health

HEAD_WITHIN: Final = 10.0
"""Seconds from the first byte of a request, or from the opening of a connection, to the end of its head."""

GRACE: Final = 8
"""Seconds that requests have to finish after the shutdown began."""

STALLED_AFTER: Final = 30.0
"""Seconds without progress of the reader after which no request can be answered here."""

_LOOK_EVERY: Final = 0.1

_ACCEPTED_IN_A_ROUND: Final = 16
"""Connections that the event loop accepts in one round, which asyncio calls the backlog."""

_BACKLOG: Final = 2048
"""Connections that the system keeps until they are accepted."""


class Deadlines(H11Protocol):
    """Closes connections whose next request does not reach the end of its head in time."""

    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        super().connection_made(transport)
        self._start()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._start()
        elif self.conn.their_state is not h11.IDLE:
            self._cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel()
        super().connection_lost(exc)

    def _start(self) -> None:
        if self._due is None:
            self._due = self.loop.call_later(HEAD_WITHIN, self._close)

    def _cancel(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _close(self) -> None:
        self._due = None
        self.transport.abort()


class _Server(uvicorn.Server):
    """The caller handles signals."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def serve(
    app: ASGIApp, desk: Desk, replies: Replies, health: Health, bound: socket.socket, stop: threading.Event
) -> None:
    """Serve on a bound socket until `stop` is set, then end open requests within GRACE seconds."""
    server = _Server(_config(app, desk.settings.gateway))
    serving = asyncio.create_task(server.serve([bound]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    bound.listen(_BACKLOG)  # asyncio has just given the system its own, small number
    while not stop.is_set() and not serving.done():
        health.beat()
        health.moved()
        health.assigned = replies.caught_up.is_set()
        health.waiting = _waiting(replies)
        due = time.monotonic() + _LOOK_EVERY
        await asyncio.sleep(_LOOK_EVERY)
        measures.show(desk.mailbox, desk.live, time.monotonic() - due)
    health.assigned = False
    desk.close()
    server.should_exit = True
    await serving
    if not stop.is_set():
        raise Fatal("the server ended by itself")


def _waiting(replies: Replies) -> str | None:
    if replies.is_stalled(STALLED_AFTER):
        return "the reader of answers stands still"
    return "no broker answers" if replies.silent else None


def _config(app: ASGIApp, of: GatewaySettings) -> uvicorn.Config:
    tls: dict[str, Any] = {"ssl_certfile": of.certificate, "ssl_keyfile": of.private_key} if of.certificate else {}
    return uvicorn.Config(
        app,
        http=Deadlines,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(of.proxy),
        forwarded_allow_ips=of.proxy or None,
        backlog=_ACCEPTED_IN_A_ROUND,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=GRACE,
        h11_max_incomplete_event_size=32 * 1024,
        **tls,
    )
