"""Signatures of Standard Webhooks (standardwebhooks.com, specification 1.0.0, symmetric scheme `v1`)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence

from processors.errors import SettingsInvalid

PREFIX = "whsec_"
SHORTEST_KEY = 24
"""Bytes, as the specification asks for."""


def key_of(secret: str, name: str) -> bytes:
    """The key of a secret: `whsec_` and base64. Raises SettingsInvalid that shows only its name."""
    try:
        key = base64.b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise SettingsInvalid(f"the secret in {name} is not base64 behind `{PREFIX}`") from None
    if len(key) < SHORTEST_KEY:
        raise SettingsInvalid(f"the secret in {name} has {len(key)} bytes; at least {SHORTEST_KEY} are needed")
    return key


def signed(keys: Sequence[bytes], id: str, seconds: int, body: bytes) -> Mapping[str, str]:
    """The headers of a message. One signature for each key: while a secret is rotated, either of them verifies."""
    content = f"{id}.{seconds}.".encode() + body
    digests = (hmac.new(key, content, hashlib.sha256).digest() for key in keys)
    return {
        "webhook-id": id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests),
    }
