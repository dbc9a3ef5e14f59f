"""A body posted to one fixed URL. No redirects, no proxy, no cookies, and only addresses that were checked."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from processors.relay.delivery import Reception, Reply
from processors.relay.targets.addresses import AddressRefused, Network, checked, resolve
from processors.relay.targets.answers import reply_to

CONNECT = 3.0
"""Seconds to connect; how long all of a try may take is the courier's to say."""

LARGEST_ANSWER = 64 * 1024
"""Bytes of an answer's body that are read, so that the connection can be used again. Nobody looks at them."""


class HttpPoster:
    """Posts to one URL. Use in one event loop."""

    def __init__(self, url: str, networks: Sequence[Network], ca: Path | None, most: int) -> None:
        """`url` has been validated: http or https, a host, no credentials. `ca` is a PEM file that replaces the
        system's authorities; `most` bounds the connections."""
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

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """One try. What the network or the target does is a Reply; being cut off is not."""
        try:
            addresses = checked(self._host, await resolve(self._host, self._port), self._networks)
            return await self._post(addresses[0].compressed, body, headers)
        except AddressRefused as error:
            return Reply(Reception.FAILED, str(error))
        except (httpx.HTTPError, OSError) as error:
            return Reply(Reception.FAILED, type(error).__name__)  # its text may hold the URL, which may be a secret

    async def close(self) -> None:
        await self._client.aclose()

    async def _post(self, address: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        at = f"[{address}]" if ":" in address else address
        request = self._client.build_request(
            "POST",
            f"{self._scheme}://{at}:{self._port}{self._path}",
            content=body,
            headers={**headers, "host": self._authority, "user-agent": "compat-guard"},
            extensions={"sni_hostname": self._host},
        )
        answer = await self._client.send(request, stream=True)
        try:
            reply = reply_to(answer.status_code, answer.headers.get("retry-after"), time.time_ns() // 1_000_000)
            await _drain(answer)
        finally:
            await answer.aclose()
        return reply


async def _drain(answer: httpx.Response) -> None:
    size = 0
    async for piece in answer.aiter_raw():
        size += len(piece)
        if size > LARGEST_ANSWER:
            return
