"""The exception workflow without a broker: records in, everything it decides kept, time moved by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from examples.exception_events import Events
from examples.exceptions import keys, policy
from examples.sealing import SEALS, as_ours

from processors.configuration.settings import shipped
from processors.events.topics import (
    EXCEPTION_DECISIONS,
    EXCEPTION_REQUESTS,
    EXCEPTION_USES,
    INSTALL_REQUESTS,
    MATRIX_REFRESHES,
    NOTIFICATIONS,
)
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.processor import ExceptionWorkflow
from processors.exception_workflow.rules.rechecks import recheck_id
from processors.exception_workflow.rules.revisions import Refreshed
from processors.stream.types import Inbound, Outcome
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.partitioner import partition_of
from processors.stream.wire.schema import Schemas

CODEC = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())
READ = {
    EXCEPTION_DECISIONS: CODEC.decoder(EXCEPTION_DECISIONS, "ExceptionDecided"),
    NOTIFICATIONS: CODEC.decoder(NOTIFICATIONS, "NotificationRequested"),
    EXCEPTION_REQUESTS: CODEC.decoder(EXCEPTION_REQUESTS, "ExceptionRequested"),
    INSTALL_REQUESTS: CODEC.decoder(INSTALL_REQUESTS, "InstallRequested"),
}
PARTITIONS = 6


@dataclass
class Desk:
    """A `View`, and the loop that moves it."""

    now: int
    by: ExceptionPolicy = field(default_factory=policy)
    mark: str = "mark-1"
    refreshed_at: int = 0
    checks: bool = True
    """Whether the guard answers at once, in the words of the report, when it is asked to confirm one."""

    unread_since: int | None = None
    """The time up to which the inputs are read; None if nothing waits."""

    held: dict[int, dict[str, Any]] = field(default_factory=lambda: {n: {} for n in range(PARTITIONS)})
    outputs: list[Any] = field(default_factory=list[Any])
    confirmed: set[str] = field(default_factory=set[str])
    inputs: dict[str, Inbound] = field(default_factory=dict[str, Inbound])

    def __post_init__(self) -> None:
        self.events = Events(CODEC, lambda: self.now)
        self.start()

    def start(self) -> None:
        """Begin afresh, as after a kill: only what the changelog holds is left."""
        self.workflow = ExceptionWorkflow(CODEC, self.by, keys, SEALS)
        spec = self.workflow.state
        self.held = {
            n: {k: spec.decode(spec.encode(v)) for k, v in keyed.items()} for n, keyed in self.held.items()
        }

    def state(self, partition: int) -> Mapping[str, Any]:
        return MappingProxyType(self.held[partition])

    def table(self, topic: str) -> Refreshed:
        assert topic == MATRIX_REFRESHES
        return Refreshed(self.mark, self.refreshed_at)

    def partitions(self) -> Sequence[int]:
        return range(PARTITIONS)

    def partition_count(self, topic: str) -> int:
        return PARTITIONS

    @property
    def clocks_agree(self) -> bool:
        return True

    def read_until(self, partition: int) -> int:
        return self.now if self.unread_since is None else self.unread_since

    def take(self, topic: str, key: str, value: bytes, *, aborts: int = 0, came: int | None = None) -> None:
        """Handle one record; a batch that `aborts` is handled again, as the loop does.

        `came` is the broker's time of it, if it has waited.
        """
        at = partition_of(key.encode(), PARTITIONS)
        headers = as_ours(topic, key, value)
        record = Inbound(topic, at, len(self.inputs), came or self.now, key.encode(), value, headers)
        self.inputs[f"{topic}/{at}/{record.offset}"] = record
        for _ in range(aborts):
            self.workflow.handle([record], self)
        self._settle(self.workflow.handle([record], self))
        if self.checks and topic == EXCEPTION_REQUESTS:
            self._confirm(key, READ[topic](value)["report"])

    def _confirm(self, key: str, report: Mapping[str, Any] | None) -> None:
        case = self.case(key)
        if case is not None and case.status == "CHECKING" and recheck_id(case) not in self.confirmed:
            self.confirmed.add(recheck_id(case))
            self.answer(key, report)

    def answer(self, key: str, report: Mapping[str, Any] | None = None) -> None:
        """What the checker answers to the last question about an exception."""
        case = self.case(key)
        ids = {"request_id": recheck_id(case), "recheck_of": case.request_id, "exception_id": key}
        blank = {"acknowledgement": None, "monitoring": None, "operator": "exception-workflow"}
        self.take(EXCEPTION_USES, key, self.events.use(case.scope, report, **ids, **blank))

    def tick(self, *, aborts: int = 0) -> None:
        """Time passes."""
        for _ in range(aborts):
            self.workflow.tick(self.now, self)
        self._settle(self.workflow.tick(self.now, self))

    def _settle(self, outcome: Outcome) -> None:
        assert not outcome.rejects
        for partition, key, value in outcome.writes:
            if value is None:
                self.held[partition].pop(key, None)
            else:
                self.held[partition][key] = value
        self.outputs.extend(outcome.outputs)

    def of(self, topic: str) -> list[dict[str, Any]]:
        return [READ[topic](output.value) for output in self.outputs if output.topic == topic]

    def home(self, exception_id: str) -> int:
        return partition_of(exception_id.encode(), PARTITIONS)

    def case(self, exception_id: str) -> Any:
        return self.held[self.home(exception_id)].get(exception_id)
