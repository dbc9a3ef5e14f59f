"""Posts bodies to one fixed URL. No redirects, no proxy, no cookies, and only checked addresses."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from processors.outbound.addresses import AddressRefused, Network, checked, resolve

CONNECT = 3.0
"""Seconds to connect; the caller limits the whole exchange."""

FAILURES = (AddressRefused, httpx.HTTPError, OSError)
"""Errors of `post` that the network or the other side causes."""


class Answer(NamedTuple):
    """A response. `body` is None if it is longer than the caller reads."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None


class PinnedClient:
    """Posts to one URL. Use in one event loop."""

    def __init__(self, url: str, networks: Sequence[Network], ca: Path | None, most: int) -> None:
        """`url` has been validated: http or https, a host, no credentials.

        `ca` is a PEM file that replaces the system's authorities; `most` is the most connections.
        """
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._scheme, self._authority = parts.scheme, parts.netloc
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._networks = networks
        self._client = httpx.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            verify=ssl.create_default_context(cafile=ca),
            timeout=httpx.Timeout(None, connect=CONNECT),
            limits=httpx.Limits(max_connections=most, max_keepalive_connections=most),
        )

    async def post(self, body: bytes, headers: Mapping[str, str], longest: int) -> Answer:
        """One exchange, in which at most `longest` bytes of the response are read, without decompression.

        Raises one of FAILURES. Their texts may contain the URL, which may be a secret.
        """
        addresses = checked(self._host, await resolve(self._host, self._port), self._networks)
        address = addresses[0].compressed
        at = f"[{address}]" if ":" in address else address
        request = self._client.build_request(
            "POST",
            f"{self._scheme}://{at}:{self._port}{self._path}",
            content=body,
            headers={
                "accept-encoding": "identity",
                **headers,
                "host": self._authority,
                "user-agent": "compat-guard",
            },
            extensions={"sni_hostname": self._host},
        )
        answer = await self._client.send(request, stream=True)
        try:
            return Answer(answer.status_code, answer.headers, await _read(answer, longest))
        finally:
            await answer.aclose()

    async def close(self) -> None:
        await self._client.aclose()


async def _read(answer: httpx.Response, longest: int) -> bytes | None:
    read = bytearray()
    async for piece in answer.aiter_raw():
        read += piece
        if len(read) > longest:
            return None
    return bytes(read)
