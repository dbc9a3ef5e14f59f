"""The ledger's secrets in one file: keys for pseudonyms, and the key that signs anchors.

Rotation adds a key and makes it current. Old ones stay: pseudonym keys to find what was written under them, anchor
keys to verify what they signed. Ids have random digits: a file that replaces a lost one must not repeat ids that
rows and published keys bear. Files with ids that count, k1 and anchor-1, are read as well.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from processors.documents.secrets import OTHERS, read_secret, replace_file
from processors.errors import SettingsInvalid
from processors.masking.pseudonyms import PseudonymKeys


@dataclass(frozen=True, slots=True)
class LedgerKeys:
    """All secrets that the sink needs. The last anchor key signs; others may be public halves."""

    pseudonyms: PseudonymKeys
    anchors: tuple[ECKey, ...]

    @property
    def public(self) -> KeySet:
        """What an auditor needs to verify anchors. It may be given to anybody."""
        return KeySet([ECKey.import_key(key.as_dict(private=False)) for key in self.anchors])


def new_keys(published: KeySet | None = None) -> LedgerKeys:
    """A first key of each kind, with ids that no other file has.

    `published` are the public halves of anchor keys that are lost: what they have signed is verified as before.
    """
    name, key = _pseudonym_key()
    lost = [key for key in published or () if isinstance(key, ECKey)]
    return LedgerKeys(PseudonymKeys(name, {name: key}), (*lost, _anchor_key()))


def rotated(keys: LedgerKeys) -> LedgerKeys:
    """The same keys plus a new current one of each kind."""
    name, key = _pseudonym_key()
    return LedgerKeys(PseudonymKeys(name, {**keys.pseudonyms.keys, name: key}), (*keys.anchors, _anchor_key()))


def _pseudonym_key() -> tuple[str, bytes]:
    """Masked texts keep pseudonyms, which they know by the form of this id: see `masking.patterns`."""
    return f"k{secrets.token_hex(4)}", secrets.token_bytes(32)


def _anchor_key() -> ECKey:
    return ECKey.generate_key("P-256", {"kid": f"anchor-{secrets.token_hex(4)}"}, auto_kid=False)


def read_keys(path: Path) -> LedgerKeys:
    """Raises SettingsInvalid for a file that is missing, unreadable, or readable by everybody.

    Its group may read it: a secret that Kubernetes mounts belongs to root, and the processor is in its group.
    """
    what, made_by = "contains no ledger keys", "compat-guard ledger keys"
    return read_secret(path, _parse, closed_to=OTHERS, what=what, made_by=made_by)


def _parse(raw: Mapping[str, Any]) -> LedgerKeys:
    held = {str(name): base64.b64decode(key) for name, key in raw["pseudonyms"]["keys"].items()}
    try:
        anchors = tuple(ECKey.import_key(key) for key in raw["anchors"]["keys"])
    except JoseError as error:
        raise ValueError from error
    if not anchors or not anchors[-1].is_private:
        raise SettingsInvalid("there is no anchor key that signs; make keys with `compat-guard ledger keys`")
    return LedgerKeys(PseudonymKeys(raw["pseudonyms"]["current"], held), anchors)


def write_keys(path: Path, keys: LedgerKeys) -> None:
    """Write completely or not at all, readable by the owner only.

    An existing file is replaced; its keys must be among these.
    """
    raw = {
        "pseudonyms": {
            "current": keys.pseudonyms.current,
            "keys": {name: base64.b64encode(key).decode() for name, key in keys.pseudonyms.keys.items()},
        },
        "anchors": {"keys": [key.as_dict(private=key.is_private) for key in keys.anchors]},
    }
    replace_file(path, json.dumps(raw, indent=1))


def read_public(path: Path) -> KeySet:
    """A JWKS, or a file of ledger keys of which only the public half is used. Raises SettingsInvalid."""
    try:
        raw = cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))
        keys = raw["anchors"]["keys"] if "anchors" in raw else raw["keys"]
        return KeySet([ECKey.import_key({k: v for k, v in key.items() if k != "d"}) for key in keys])
    except OSError as error:
        raise SettingsInvalid(f"`{path}` cannot be opened: {(error.strerror or 'unknown error').lower()}") from None
    except (ValueError, KeyError, TypeError, AttributeError, JoseError):
        raise SettingsInvalid(f"`{path}` holds no public keys; expected a JWKS, or the ledger's own keys") from None
