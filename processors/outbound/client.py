"""Posts bodies to one fixed URL. No redirects, no proxy, no cookies, and only checked addresses."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from yarl import URL

from processors.outbound.addresses import AddressRefused, Network, checked, resolve

CONNECT = 3.0
"""Seconds to connect; the caller limits the whole exchange."""

FAILURES = (AddressRefused, ClientError, OSError)
"""Errors of `post` that the network or the other side causes."""


class Answer(NamedTuple):
    """A response. `body` is None if it is longer than the caller reads. Names of headers match in any case."""

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
        self._scheme = parts.scheme
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._always = {"accept-encoding": "identity", "host": parts.netloc, "user-agent": "compat-guard"}
        self._networks, self._most = networks, most
        self._tls = ssl.create_default_context(cafile=ca)
        self._session: ClientSession | None = None

    async def post(self, body: bytes, headers: Mapping[str, str], longest: int) -> Answer:
        """One exchange, in which at most `longest` bytes of the response are read, without decompression.

        Raises one of FAILURES. Their texts may contain the URL, which may be a secret.
        """
        addresses = checked(self._host, await resolve(self._host, self._port), self._networks)
        address = addresses[0].compressed
        at = f"[{address}]" if ":" in address else address
        async with self._opened().post(
            URL(f"{self._scheme}://{at}:{self._port}{self._path}", encoded=True),
            data=body,
            headers={**headers, **self._always},
            allow_redirects=False,
            server_hostname=self._host if self._scheme == "https" else None,
        ) as answer:
            return Answer(answer.status, answer.headers, await _read(answer, longest))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> ClientSession:
        """A session belongs to the event loop in which it is created."""
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(limit=self._most, ssl=self._tls),
                timeout=ClientTimeout(total=None, sock_connect=CONNECT),
                cookie_jar=DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("Accept",),
                trust_env=False,
            )
        return self._session


async def _read(answer: ClientResponse, longest: int) -> bytes | None:
    read = bytearray()
    async for piece in answer.content.iter_any():
        read += piece
        if len(read) > longest:
            answer.close()
            return None
    return bytes(read)
