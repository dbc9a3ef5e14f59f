"""httpx's functions, which read the certificates that this machine trusts once, and not anew for each call.

To read them costs more than the call."""

import ssl
import time
from collections.abc import Callable
from functools import partial

import httpx

TRUSTED = ssl.create_default_context()

get = partial(httpx.get, verify=TRUSTED)
post = partial(httpx.post, verify=TRUSTED)
request = partial(httpx.request, verify=TRUSTED)
stream = partial(httpx.stream, verify=TRUSTED)


def patiently(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """What a well-behaved client gets: it waits as it is told, where it has asked too often for its rate."""
    while (answer := ask()).status_code == httpx.codes.TOO_MANY_REQUESTS:
        time.sleep(int(answer.headers["retry-after"]))
    return answer
