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


class Refreshed(NamedTuple):
    """How the matrix stands. `mark` changes with what is in effect and is empty as long as nothing is; `at` is the
    broker's time of the latest change, in milliseconds since the epoch, or a later one."""

    mark: str
    at: int


class Revisions:
    """A `Fold` over matrix refreshes that keeps no rows. What is not there whole does not count.

    `split` gives the envelope of a refresh, and may raise EventUnreadable or RegistryUnavailable.
    """

    topic = MATRIX_REFRESHES

    def __init__(self, split: Callable[[bytes | None], tuple[dict[str, Any], bytes]]) -> None:
        self._split = split
        self._parts: dict[bytes, _Part] = {}
        self._came: dict[bytes, int] = {}
        self._withdrawn = 0
        self._standing = Refreshed("", 0)

    def apply(self, records: Sequence[Inbound]) -> Sequence[Reject]:
        rejects: list[Reject] = []
        for record in records:
            try:
                self._take(record)
            except EventUnreadable as error:
                rejects.append(Reject(record, error.reason, str(error), error.stage))
        if records:
            self._standing = self._read()
        return rejects

    def snapshot(self) -> Refreshed:
        return self._standing

    def _take(self, record: Inbound) -> None:
        key = record.key or b""
        if record.value is None:
            if self._parts.pop(key, None) is not None:
                self._withdrawn = max(self._withdrawn, record.timestamp)
            return
        envelope, _ = self._split(record.value)
        names = ("source", "revision", "digest", "parts")
        part = _Part(*(envelope[name] for name in names))
        if self._parts.get(key) != part:  # the same again is no change
            self._parts[key], self._came[key] = part, record.timestamp

    def _read(self) -> Refreshed:
        whole = {part for part, count in Counter(self._parts.values()).items() if count >= part.parts}
        text = "\n".join(f"{part.source} {part.revision} {part.digest}" for part in sorted(whole))
        came = (self._came[key] for key, part in self._parts.items() if part in whole)
        mark = hashlib.sha256(text.encode()).hexdigest()[:32] if whole else ""
        return Refreshed(mark, max([self._withdrawn, *came]))
