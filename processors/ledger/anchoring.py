"""Publishes anchors after commits, about once a minute for each chain that has grown."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from joserfc.jwk import ECKey

from processors import metrics
from processors.errors import Unavailable
from processors.events.topics import LEDGER_ANCHORS
from processors.ledger.anchors import anchor
from processors.ledger.chain import Head
from processors.ledger.filing import At
from processors.ledger.transaction import Committed
from processors.stream.types import Outbound

_log = structlog.get_logger(__name__)

Encode = Callable[[Mapping[str, Any]], bytes]
Publish = Callable[[Sequence[Outbound]], object]


class Anchoring:
    """Call it with every commit. What cannot be published now is published later: heads only ever move on.

    The chain of the anchors' own topic is not anchored, or each anchor would lead to another for ever.
    """

    def __init__(self, encode: Encode, publish: Publish, key: ECKey, every: float) -> None:
        self._encode, self._publish, self._key, self._every = encode, publish, key, every
        self._grown: dict[At, tuple[Head, int]] = {}
        self._next = 0.0

    def __call__(self, committed: Committed) -> None:
        for at, head in committed.heads.items():
            if at[0] != LEDGER_ANCHORS:
                self._grown[at] = (head, committed.positions[at])
        if self._grown and time.monotonic() >= self._next:
            self.publish_now()

    def publish_now(self) -> None:
        """Publish what has grown. An outage is logged, and never stops the ledger."""
        self._next = time.monotonic() + self._every
        at = time.time_ns() // 1_000_000
        events = [
            anchor(topic, partition, head, next_offset, at, self._key)
            for (topic, partition), (head, next_offset) in sorted(self._grown.items(), key=lambda item: item[0])
        ]
        try:
            self._publish([Outbound(LEDGER_ANCHORS, _key(event), self._encode(event)) for event in events])
        except Unavailable as error:
            _log.warning("anchors cannot be published", error=type(error).__name__, message=str(error))
            return
        self._grown.clear()
        metrics.LEDGER_ANCHORS.inc(len(events))
        metrics.LEDGER_ANCHORED.set_to_current_time()


def _key(event: Mapping[str, Any]) -> bytes:
    return f"{event['topic']}/{event['partition']}".encode()
