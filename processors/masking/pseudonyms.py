"""Pseudonyms of people that only the holder of a key can compute: the same person has the same one. Pure."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from processors.errors import SettingsInvalid
from processors.masking.texts import clean


@dataclass(frozen=True, slots=True)
class PseudonymKeys:
    """Secret keys by id. `current` is used for new data; the others find older data."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        if self.current not in self.keys:
            raise SettingsInvalid(f"pseudonym key `{self.current}` is current, but is not among the keys")
        if any(len(key) < 32 for key in self.keys.values()):
            raise SettingsInvalid(
                "a pseudonym key has fewer than 32 bytes; make one with `compat-guard ledger keys`"
            )

    def pseudonym(self, person: str, key_id: str | None = None) -> str:
        """`<key id>:<hex>`: 128 bits of HMAC-SHA256. Case, width and outer space of the name do not matter."""
        key_id = key_id or self.current
        name = unicodedata.normalize("NFKC", person).strip().casefold()
        digest = hmac.new(self.keys[key_id], name.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
        return f"{key_id}:{digest[:32]}"

    def pseudonyms(self, person: str) -> list[str]:
        """All pseudonyms of a person in the ledger, one for each key that ever was current."""
        return [self.pseudonym(person, key_id) for key_id in self.keys]


def shown(person: str) -> str:
    """Enough of a name to recognise a known person, too little to reveal it: `a…@e…`, `b…`."""
    parts = [clean(part)[:1] for part in person.strip().split("@")[:2]]
    return "@".join(f"{part}…" for part in parts)
