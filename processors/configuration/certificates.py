"""The certificate authorities that a client trusts."""

from __future__ import annotations

import ssl
from pathlib import Path

from processors.errors import SettingsInvalid


def believed(ca: Path | None, variable: str) -> ssl.SSLContext | bool:
    """The `verify` argument for httpx: the authorities in a PEM file, or the system's if there is none.

    `variable` is where the file was named. Raises SettingsInvalid if it contains no certificates.
    """
    if ca is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca))
    except (OSError, ssl.SSLError) as error:
        raise SettingsInvalid(f"{variable}: `{ca}` holds no certificates: {error.strerror}") from None
