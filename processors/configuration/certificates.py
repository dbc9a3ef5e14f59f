"""The certificate authorities that a client trusts."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.request import getproxies

from processors.errors import SettingsInvalid


def believed(ca: Path | None, variable: str, url: str) -> ssl.SSLContext | bool:
    """The `verify` argument for httpx: the authorities in a PEM file, or the system's if there is none.

    Over plain http without a proxy nobody is: no certificate is shown there, as long as no redirect is followed.
    `variable` is where the file was named, `url` is who will be asked. Raises SettingsInvalid if the file contains
    no certificates.
    """
    if ca is None:
        # To read the system's authorities takes a command 50 ms, and only https and proxies show certificates.
        return not url.startswith("http:") or bool(getproxies()) or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return ssl.create_default_context(cafile=str(ca))
    except (OSError, ssl.SSLError) as error:
        raise SettingsInvalid(f"{variable}: `{ca}` holds no certificates: {error.strerror}") from None
