"""Rebuilds the state of exceptions from the topics alone, in case the changelog is lost.

Every decision names the record that caused it, so the decisions of an exception show the order in which its inputs
were handled, across topics. The inputs are handled again in that order, by the same rules and at the same broker
times. The result must be the decisions that were published, one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from processors.events.exceptions import ExceptionDecided
from processors.events.topics import EXCEPTION_DECISIONS
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.processor import ExceptionWorkflow
from processors.exception_workflow.rules import parking
from processors.exception_workflow.rules.reasons import Reason
from processors.exception_workflow.rules.revisions import Refreshed
from processors.exception_workflow.rules.transitions import catch_up, decide, without_idle
from processors.exception_workflow.rules.triggers import RecheckSent
from processors.exception_workflow.state.case import ExceptionCase
from processors.stream.types import Inbound, Outbound

_FOREVER = 2**63


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """An exception as rebuilt from its inputs, and what could not be explained."""

    exception_id: str
    case: ExceptionCase | None
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class _Alone:
    """A `View` with a single exception."""

    exception_id: str
    partition: int
    count: int
    now: int = 0
    clocks_agree: bool = True
    held: dict[str, Any] = field(default_factory=dict[str, Any])
    overtaken: bool = False
    """Whether the record at hand was refused because the matrix had changed: no topic shows that afterwards."""

    def state(self, partition: int) -> Mapping[str, Any]:
        return self.held if partition == self.partition else {}

    def table(self, topic: str) -> Refreshed:  # noqa: ARG002 - no mark: a rebuilt exception is asked about again
        return Refreshed("", _FOREVER if self.overtaken else 0)

    def partitions(self) -> Sequence[int]:
        return (self.partition,)

    def partition_count(self, topic: str) -> int:  # noqa: ARG002 - they are all co-partitioned
        return self.count

    def read_until(self, partition: int) -> int:  # noqa: ARG002 - there is one
        return _FOREVER

    def case(self) -> ExceptionCase:
        held: ExceptionCase | None = self.held.get(self.exception_id)
        return held if held is not None else ExceptionCase(exception_id=self.exception_id)

    def keep(self, case: ExceptionCase) -> None:
        if case.exists or case.parked:
            self.held[self.exception_id] = case
        else:
            self.held.pop(self.exception_id, None)


def rebuild(
    workflow: ExceptionWorkflow,
    policy: ExceptionPolicy,
    published: Sequence[ExceptionDecided],
    inputs: Mapping[str, Inbound],
    partition: int,
    count: int,
    read: Callable[[bytes | None], ExceptionDecided],
) -> Rebuilt:
    """Rebuild one exception from its decisions, in topic order, and the inputs by `caused_by`."""
    view = _Alone(published[0].exception_id, partition, count)
    done: set[str] = set()
    problems: list[str] = []
    derived: set[str] = set()
    for decision in published:
        cause, at = decision.caused_by, decision.at
        view.keep(_by_time(view.case(), decision, policy))
        if cause == "clock" or cause in done:
            continue
        done.add(cause)
        record = inputs.get(cause)
        if record is None:
            problems.append(f"{cause} is not to be had, and `{decision.event}` at {at} came of it")
            continue
        view.overtaken = Reason.REPORT_NOT_FRESH in f"{decision.reason_code} {decision.reason}"
        derived.update(_handled(workflow, view, record, read))
    problems.extend(_unexplained(published, derived))
    case = view.held.get(view.exception_id)
    return Rebuilt(view.exception_id, case, tuple(problems))


def same(one: ExceptionCase | None, other: ExceptionCase | None) -> bool:
    """Whether two states are equal. The mark of the matrix only says when to re-check, and is not rebuilt."""
    return _plain(one) == _plain(other)


def _plain(case: ExceptionCase | None) -> ExceptionCase | None:
    return None if case is None else without_idle(case._replace(mark=""))


def _by_time(case: ExceptionCase, decision: ExceptionDecided, policy: ExceptionPolicy) -> ExceptionCase:
    """The decisions that time alone had caused before a decision."""
    if decision.event == "orphaned":
        return parking.orphans(case, policy, decision.at)[0]
    if decision.caused_by != "clock":
        return case
    if decision.event == "recheck_sent":
        return decide(case, RecheckSent(mark="", at=decision.at), policy).after
    moves = catch_up(case, policy, decision.at)
    return moves[-1].after if moves else case


def _handled(
    workflow: ExceptionWorkflow, view: _Alone, record: Inbound, read: Callable[[bytes | None], ExceptionDecided]
) -> Iterator[str]:
    """Handle an input again, and return the ids of the resulting decisions."""
    outcome = workflow.handle([record], view)
    for write in outcome.writes:
        if write.key == view.exception_id:
            view.keep(write.value if write.value is not None else ExceptionCase(exception_id=view.exception_id))
    yield from _ids(outcome.outputs, read)


def _ids(outputs: Iterable[Outbound], read: Callable[[bytes | None], ExceptionDecided]) -> Iterator[str]:
    yield from (read(o.value).event_id for o in outputs if o.topic == EXCEPTION_DECISIONS)


def _unexplained(published: Sequence[ExceptionDecided], derived: set[str]) -> Iterator[str]:
    for decision in published:
        by_time = decision.caused_by == "clock" or decision.event == "orphaned"
        if not by_time and decision.event_id not in derived:
            yield f"`{decision.event}` of {decision.caused_by} does not come out again"
