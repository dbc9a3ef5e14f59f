"""Calls a gateway: one token, one deadline, and its problem details as errors."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any, Final, cast
from urllib.parse import urlsplit

import httpx

from processors.configuration.certificates import believed
from processors.configuration.settings import GatewaySettings
from processors.errors import GatewayUnavailable, Refused, SettingsInvalid, shorten

LONGEST_WAIT: Final = 30
"""Seconds for which a gateway holds one call."""

_SLACK: Final = 10.0
"""Seconds that a response may take beyond the requested wait."""

_CONNECT: Final = 5.0
_LONGEST_MESSAGE: Final = 4000

Files = Sequence[tuple[str, tuple[str | None, bytes]]]


class GatewayRefused(Refused):
    """The gateway refuses a call. `kind` is the end of the problem's type, `more` its members."""

    def __init__(self, kind: str, detail: str, more: Mapping[str, Any]) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.more = kind, detail, more


class GatewayCalls:
    """Calls without redirects and without a proxy from the environment, so that only the gateway gets the token.

    Every method raises GatewayRefused, GatewayUnavailable, and SettingsInvalid if the token is refused.
    """

    def __init__(self, of: GatewaySettings, url: str) -> None:
        """Raises SettingsInvalid for an address to which a token must not be sent."""
        _refuse_unsafe(url)
        self.url = url
        token = of.token.get_secret_value()
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            verify=believed(of.ca, "GUARD_GATEWAY__CA", url),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(LONGEST_WAIT + _SLACK, connect=_CONNECT),
        )

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, until: float, **parameters: str) -> httpx.Response:
        """`until` is the caller's deadline on `time.monotonic`; so in every method."""
        return self._call("GET", path, until, params=parameters)

    def post(
        self, path: str, until: float, *, key: str | None = None, body: Any = None, files: Files | None = None
    ) -> httpx.Response:
        """Send JSON or a form. With an idempotency `key` it may be repeated as long as there was no response."""
        given: dict[str, Any] = {"json": body} if files is None else {"files": files}
        return self._call("POST", path, until, key, **given)

    @contextmanager
    def stream(self, path: str, last_event_id: str | None = None) -> Generator[httpx.Response]:
        """Server-sent events after the given one, without an end. A minute without any data ends the stream."""
        headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
        patience = httpx.Timeout(60, connect=_CONNECT)
        try:
            with self._client.stream("GET", path, headers=headers, timeout=patience) as answer:
                if answer.status_code != 200:
                    answer.read()
                    _raise(answer)
                yield answer
        except httpx.HTTPError as error:
            raise GatewayUnavailable(f"the stream of results broke off: {type(error).__name__}") from None

    def _call(self, method: str, path: str, until: float, key: str | None = None, **given: Any) -> httpx.Response:
        """Repeats a call that is asked to come later, until its deadline: nothing is done twice under one key."""
        while True:
            left = max(0.0, until - time.monotonic())
            wait = min(LONGEST_WAIT, math.ceil(left))
            headers = {"Prefer": f"wait={wait}", **({"Idempotency-Key": key} if key else {})}
            try:
                answer = self._client.request(method, path, headers=headers, **given)
            except httpx.HTTPError as error:
                raise GatewayUnavailable(
                    f"the gateway `{self.url}` does not answer: {type(error).__name__}"
                ) from None
            except httpx.InvalidURL:
                raise SettingsInvalid(f"the gateway has no address `{shorten(path)}`") from None
            pause = retry_after(answer)
            may_repeat = answer.status_code in (429, 503) and (method == "GET" or key is not None)
            if not may_repeat or pause > until - time.monotonic():
                _raise(answer)
                return answer
            time.sleep(pause)


def retry_after(answer: httpx.Response) -> float:
    """Seconds that the gateway asks to wait; 1 if it does not say."""
    said = answer.headers.get("retry-after", "")
    return float(said[:12]) if said.isascii() and said.isdigit() else 1.0


def _raise(answer: httpx.Response) -> None:
    """Raise the error of a response, unless it is a success."""
    if answer.is_success:
        return
    problem = _problem(answer)
    kind, detail = str(problem.get("type", "")).rpartition("/")[2], str(problem.get("detail", ""))
    if answer.status_code == 401:
        raise SettingsInvalid(f"the gateway does not accept the token: {shorten(detail, _LONGEST_MESSAGE)}")
    if answer.status_code >= 500 or answer.status_code == 429:
        raise GatewayUnavailable(f"the gateway answers {answer.status_code}: {shorten(detail, _LONGEST_MESSAGE)}")
    if not problem:
        raise SettingsInvalid(f"this is not a gateway: it answers {answer.status_code} without a problem detail")
    raise GatewayRefused(kind, "\n".join(shorten(line, _LONGEST_MESSAGE) for line in detail.split("\n")), problem)


def _problem(answer: httpx.Response) -> dict[str, Any]:
    if not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return {}
    try:
        found: Any = answer.json()
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _refuse_unsafe(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise SettingsInvalid(f"`{shorten(url)}` is not an address of a gateway, such as https://guard.internal")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise SettingsInvalid(
            f"`{shorten(url)}` would send the token unencrypted; beyond loopback a gateway needs https"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
