"""The middleware (ASGI) around all resources.

Bodies are bounded in size and time and never decompressed, so that a few bytes cannot become many. Responses are
not cached, not sniffed and not framed. Of many simultaneous requests, a few begin at a time. If no token is needed,
a web page must not be able to send requests in a browser's name.
"""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from processors.gateway.admission import Admission
from processors.gateway.intake import LARGEST_BODY
from processors.gateway.problems import Problem

BODY_WITHIN: Final = 30.0
"""Seconds from the head of a request to the end of its body."""

HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}
"""The default. Reports in HTML have their own style."""

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Edges:
    """Wraps the application. `tokenless` says whether requests without a token are admitted."""

    def __init__(self, app: ASGIApp, admission: Admission, *, tokenless: bool, within: float = BODY_WITHIN) -> None:
        self._app, self._admission, self._tokenless, self._within = app, admission, tokenless, within

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._admission.take()
        respond = _with_headers(scope, send)
        try:
            self._refuse(scope)
            await self._app(scope, self._bounded(scope, receive), respond)
        except Problem as problem:  # raised before the application began to respond, or while it read the body
            await problem.response()(scope, receive, respond)

    def _refuse(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise Problem("unsupported-media-type", "bodies are read as they are; send it without Content-Encoding")
        if "content-length" in headers and "transfer-encoding" in headers:
            raise Problem(
                "malformed",
                "a body has a Content-Length or comes in chunks, and not both",
                headers={"Connection": "close"},
            )
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length[:20]) > LARGEST_BODY:
            raise Problem("too-large", f"a body has at most {LARGEST_BODY} bytes", headers={"Connection": "close"})
        if self._tokenless and not (_is_local(headers.get("host", "")) and _is_same_site(scope["method"], headers)):
            raise Problem(
                "forbidden", "without tokens, only programs on this machine are answered, and no web page"
            )

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """Also stores in the scope how many bytes have been read."""
        state: dict[str, int] = scope.setdefault("state", {})
        state["size"] = 0
        until = asyncio.get_running_loop().time() + self._within
        read = 0
        complete = False

        async def bounded() -> Message:
            nonlocal read, complete
            if complete:  # what follows only shows whether the caller is still there
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise Problem(
                    "too-slow", f"a body arrives within {self._within:g} s", headers={"Connection": "close"}
                ) from None
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                state["size"] = read
                complete = not message.get("more_body", False)
                if read > LARGEST_BODY:
                    raise Problem(
                        "too-large", f"a body has at most {LARGEST_BODY} bytes", headers={"Connection": "close"}
                    )
            if complete and read:
                await self._admission.take()  # many bodies may have arrived together
            return message

        return bounded


def _with_headers(scope: Scope, send: Send) -> Send:
    state: dict[str, dict[str, str]] = scope.setdefault("state", {})

    async def respond(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in {**HEADERS, **state.get("headers", {})}.items():
                headers.setdefault(name, value)
        await send(message)

    return respond


def _is_local(host: str) -> bool:
    """Whether the Host header excludes a page on another site that resolves to this address (DNS rebinding)."""
    name = host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return name == "localhost"


def _is_same_site(method: str, headers: Headers) -> bool:
    """Whether no browser sent this on behalf of another site; programs send neither header."""
    if method in _SAFE:
        return True
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host")
