"""Metrics of the gateway: an ASGI middleware around everything, and gauges of the process."""

from __future__ import annotations

import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from processors.gateway.live import Live
from processors.gateway.mailbox import Mailbox
from processors.observability import metrics

STREAM: Final = "events"
"""The operation whose duration the caller decides."""

CONSOLE: Final = "console"
OTHER: Final = "other"


class Measured:
    """Counts every request once, by operation and status. Names come from routes, and never from a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            if status:  # otherwise the caller left before there was a response
                operation = operation_of(scope)
                metrics.GATEWAY_REQUESTS.labels(operation, str(status)).inc()
                if operation != STREAM:
                    metrics.GATEWAY_SECONDS.labels(operation).observe(time.monotonic() - began)


def operation_of(scope: Scope) -> str:
    """The operation of the contract that a request has reached; a page of the console, or something else."""
    route = scope.get("route")
    if route is None:
        return OTHER
    return getattr(route, "operation_id", None) or (CONSOLE if not _is_internal(scope) else OTHER)


def show(mailbox: Mailbox, live: Live, lag: float) -> None:
    """Set the gauges. `lag` is how many seconds late the event loop ran."""
    metrics.GATEWAY_WAITING.set(mailbox.waiting)
    metrics.GATEWAY_STREAMS.set(live.streams)
    metrics.GATEWAY_LAG.observe(max(lag, 0.0))


def _is_internal(scope: Scope) -> bool:
    return str(scope["path"]).startswith("/internal/")
