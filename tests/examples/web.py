"""httpx's functions, which read the certificates that this machine trusts once, and not anew for each call.

To read them costs more than the call."""

import ssl
from functools import partial

import httpx

TRUSTED = ssl.create_default_context()

get = partial(httpx.get, verify=TRUSTED)
post = partial(httpx.post, verify=TRUSTED)
request = partial(httpx.request, verify=TRUSTED)
stream = partial(httpx.stream, verify=TRUSTED)
