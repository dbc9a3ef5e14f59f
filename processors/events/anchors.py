"""A signed head of a ledger chain. Mirrors `LedgerAnchored` in schemas/."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from processors.events.fields import fields_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerAnchored:
    """The length of a partition's chain at a time, and its last hash; digests are `sha256:<hex>`."""

    anchor_id: str
    at: int
    topic: str
    partition: int
    sequence: int
    next_offset: int
    head: str
    batches: int
    root: str
    signature: str = ""
    """A JWS over all the other facts."""

    @property
    def id(self) -> str:
        return self.anchor_id

    @property
    def key(self) -> str:
        return f"{self.topic}/{self.partition}"

    def facts(self) -> dict[str, Any]:
        """The signed fields."""
        return fields_of(self, "signature")

    def record(self) -> dict[str, Any]:
        return fields_of(self)
