"""The gateway's own keys, for commands of verified callers, and for values that callers bring back.

The file is a JWKS with private keys. The first one signs; all of them are published, so that a key can be rotated:
put the new one first, and remove the old one when nothing that it signed is in use any more.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode

from processors.client.signing import Signer
from processors.documents import json_text
from processors.documents.files import naming
from processors.errors import DocumentRefused, SettingsInvalid

_ALGORITHM: Final = "ES256"
AUDIENCE: Final = "compat-guard"
"""The audience of its commands, as in exception_workflow.yaml."""


class SealBroken(Exception):
    """This value was not sealed by a gateway of this installation, or for another purpose."""


class SigningKeys:
    """Signs and seals. Thread-safe."""

    def __init__(self, issuer: str, keys: list[ECKey]) -> None:
        self.issuer, self._keys = issuer, keys
        self._secrets = [hashlib.sha256(b"compat-guard gateway seal" + _secret(key)).digest() for key in keys]

    @property
    def signer(self) -> Signer:
        """Signs commands about exceptions for verified callers."""
        return Signer(self.issuer, AUDIENCE, self._keys[0])

    def public(self) -> dict[str, Any]:
        """The JWKS that verifies the signatures."""
        return {"keys": [{**key.as_dict(private=False), "use": "sig", "alg": _ALGORITHM} for key in self._keys]}

    def seal(self, purpose: str, value: Any) -> str:
        """Protects a value that a caller brings back unchanged, such as the position of a page."""
        body = json.dumps(value, separators=(",", ":")).encode()
        return f"{_text(body)}.{_text(_mac(self._secrets[0], purpose, body))}"

    def unseal(self, purpose: str, sealed: str) -> Any:
        """The value that any replica sealed for the same purpose. Raises SealBroken."""
        body, _, mac = sealed.partition(".")
        try:
            content, found = urlsafe_b64decode(body.encode()), urlsafe_b64decode(mac.encode())
        except ValueError:
            raise SealBroken from None
        if not any(hmac.compare_digest(_mac(secret, purpose, content), found) for secret in self._secrets):
            raise SealBroken
        return json.loads(content)


def read_signing_keys(path: Path, issuer: str) -> SigningKeys:
    """Raises DocumentRefused for a file without private P-256 keys, each with a `kid`."""
    with naming(path):
        document: Any = json_text.load(path.read_bytes())
        try:
            keys = [ECKey.import_key(member) for member in document["keys"]]
        except (JoseError, LookupError, TypeError, ValueError):
            keys = []
        if not keys or not all(key.is_private and key.kid and key.curve_name == "P-256" for key in keys):
            raise DocumentRefused(
                "keys", "expected a JWKS of private P-256 keys; `compat-guard gateway keys` makes one"
            )
        return SigningKeys(issuer, keys)


def make_signing_keys(path: Path) -> None:
    """Create a file with one key, readable by its owner only. Raises SettingsInvalid if it exists already."""
    key = ECKey.generate_key("P-256", {"kid": f"gateway-{secrets.token_hex(4)}"})
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SettingsInvalid(f"`{path}` is there already; keys are never overwritten") from None
    except OSError as error:
        raise SettingsInvalid(f"`{path}` cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"keys": [key.as_dict(private=True)]}, file, indent=2)


def _secret(key: ECKey) -> bytes:
    return str(key.as_dict(private=True)["d"]).encode()


def _mac(secret: bytes, purpose: str, body: bytes) -> bytes:
    return hmac.new(secret, purpose.encode() + b"\0" + body, hashlib.sha256).digest()


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode()
