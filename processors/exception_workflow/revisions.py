"""How the matrix stands, as one word: enough to notice that live exceptions must be judged anew."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from processors.errors import EventUnreadable
from processors.events.topics import MATRIX_REFRESHES
from processors.stream.types import Inbound, Reject


class _Part(NamedTuple):
    source: str
    revision: str
    digest: str
    parts: int


class Revisions:
    """A `Fold` over matrix refreshes that keeps no rows. Its snapshot, the mark, changes with each refresh that is
    there whole; it is empty as long as none is.

    `split` gives the envelope of a refresh, and may raise EventUnreadable or RegistryUnavailable.
    """

    topic = MATRIX_REFRESHES

    def __init__(self, split: Callable[[bytes | None], tuple[dict[str, Any], bytes]]) -> None:
        self._split = split
        self._parts: dict[bytes, _Part] = {}
        self._mark = ""

    def apply(self, records: Sequence[Inbound]) -> Sequence[Reject]:
        rejects: list[Reject] = []
        for record in records:
            try:
                self._take(record)
            except EventUnreadable as error:
                rejects.append(Reject(record, error.reason, str(error), error.stage))
        if records:
            self._mark = self._standing()
        return rejects

    def snapshot(self) -> str:
        return self._mark

    def _take(self, record: Inbound) -> None:
        key = record.key or b""
        if record.value is None:
            self._parts.pop(key, None)
            return
        envelope, _ = self._split(record.value)
        names = ("source", "revision", "digest", "parts")
        self._parts[key] = _Part(*(envelope[name] for name in names))

    def _standing(self) -> str:
        whole = sorted(part for part, count in Counter(self._parts.values()).items() if count >= part.parts)
        text = "\n".join(f"{part.source} {part.revision} {part.digest}" for part in whole)
        return hashlib.sha256(text.encode()).hexdigest()[:32] if whole else ""
