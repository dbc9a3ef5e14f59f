"""Seals: proof that one of our own processes wrote a record, with this content, for this place.

Some topics carry what only our processors may say to each other, and their consumers cannot see who produced a
record. A seal is an HMAC-SHA256 (RFC 2104) in a header. It covers topic, key and value, whether there is a value at
all, and, for a changelog, the partition and an increasing number, so that a sealed record proves nothing anywhere
else.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from processors.errors import Refused, shorten
from processors.stream.types import Inbound, Outbound
from processors.stream.wire.headers import header

SEAL: Final = "guard.seal"
"""The header: key id, number in its changelog (0 elsewhere) and hexadecimal HMAC, separated by spaces."""

KEY_SIZE: Final = 32
"""Bytes of a key."""


class SealRefused(Refused):
    """A record without a valid seal of our processes: a forgery, or its key was removed."""

    reason = "seal_refused"


class Seal(NamedTuple):
    """A valid seal. `number` is 0 except in a changelog."""

    key_id: str
    number: int


@dataclass(frozen=True, slots=True)
class Seals:
    """The keys by id; `current` seals, and all of them verify, so that keys can be rotated."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)

    def seal(
        self, topic: str, key: bytes | None, value: bytes | None, *, partition: int = -1, number: int = 0
    ) -> tuple[str, bytes]:
        """The header for a record that is about to be written. Only a changelog has a partition and a number."""
        proof = _proof(self.keys[self.current], (topic, key, value, partition, number))
        return (SEAL, f"{self.current} {number} {proof}".encode())

    def sealed(self, record: Outbound) -> Outbound:
        """A message with its seal."""
        seal = self.seal(record.topic, record.key, record.value)
        return record._replace(headers=(*record.headers, seal))

    def check(self, record: Inbound) -> Seal:
        """The seal of a message. Raises SealRefused."""
        return self._checked(record, -1)

    def check_placed(self, record: Inbound, after: int) -> Seal:
        """The seal of a changelog record.

        It is valid in its own partition only, and only after a record of its key that was sealed as number `after`.
        Raises SealRefused.
        """
        seal = self._checked(record, record.partition)
        if seal.number <= after:
            raise SealRefused(f"it was sealed as number {seal.number}, and number {after} stands before it")
        return seal

    def _checked(self, record: Inbound, partition: int) -> Seal:
        said = header(record.headers, SEAL)
        if said is None:
            raise SealRefused("it carries no seal; only our own processes may write it")
        key_id, number, proof = (*said.split(" ", 2), "", "")[:3]
        key = self.keys.get(key_id)
        if key is None:
            raise SealRefused(f"it is sealed with the key `{shorten(key_id)}`, which is not among those configured")
        if not (number.isascii() and number.isdigit() and len(number) <= _DIGITS):
            raise SealRefused(f"its seal has `{shorten(number)}` for a number")
        expected = _proof(key, (record.topic, record.key, record.value, partition, int(number)))
        if not hmac.compare_digest(expected.encode(), proof.encode()):
            raise SealRefused("its seal was not made for this record in this place")
        return Seal(key_id, int(number))


_DIGITS: Final = 18
"""More than any changelog counts to."""


def _proof(key: bytes, parts: tuple[str, bytes | None, bytes | None, int, int]) -> str:
    """Each part is preceded by its length, so that no two records have the same input."""
    topic, record_key, value, partition, number = parts
    mac = hmac.new(key, b"compat-guard seal 1", hashlib.sha256)
    for part in (topic.encode(), record_key, value, str(partition).encode(), str(number).encode()):
        mac.update(b"\0" if part is None else b"\1" + len(part).to_bytes(8, "big") + part)
    return mac.hexdigest()
