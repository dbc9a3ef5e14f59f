"""Fetches an issuer's keys from a server that may be unavailable, slow, verbose, or not the issuer."""

from __future__ import annotations

import ssl
import time
from http import HTTPStatus

import httpx

from processors.bootstrap.download import PLAIN, TooMuch, TooSlow, read_whole
from processors.errors import Unavailable, shorten
from processors.exception_workflow.proof.keys import JWKS_LIMIT

PATIENCE = 10.0
"""Seconds for the whole response, plus at most one more wait for a chunk."""


class KeysUnavailable(Unavailable):
    """The keys of an issuer cannot be fetched."""


def fetch(
    url: str, patience: float = PATIENCE, *, trusted: ssl.SSLContext | None = None, limit: int = JWKS_LIMIT
) -> bytes:
    """The response as received, at most `limit` bytes. `trusted` holds the CAs to trust; None means the usual ones.

    Raises KeysUnavailable. Redirects are not followed: whoever controls a redirect could approve everything.
    """
    until = time.monotonic() + patience
    try:
        with httpx.stream("GET", url, timeout=patience, headers=PLAIN, verify=trusted or True) as answer:
            if answer.status_code != HTTPStatus.OK:
                raise KeysUnavailable(f"expected keys from `{url}`, found {_answered(answer)}")
            return read_whole(answer, limit, until)
    except TooMuch as error:
        raise KeysUnavailable(f"`{url}` {error}, which is no set of keys") from None
    except TooSlow as error:
        raise KeysUnavailable(f"`{url}` {error}") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise KeysUnavailable(f"`{url}` gives no keys: {type(error).__name__}") from error


def _answered(answer: httpx.Response) -> str:
    if answer.has_redirect_location:
        to = shorten(answer.headers["location"])
        return f"a redirect to `{to}`; redirects are not followed, so name the address of the keys themselves"
    return f"status {answer.status_code}"
