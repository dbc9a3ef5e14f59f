"""Calls a processor with batches, and decides what happens if our own code fails on one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from processors.errors import BreakerOpen, Fatal, Unavailable, shorten
from processors.stream.loop.dead_letters import CircuitBreaker
from processors.stream.loop.transaction import At
from processors.stream.loop.trials import Trials
from processors.stream.types import INTERNAL, Inbound, Outcome, Processor, Reject, View

POISON: Final = "poison"
"""The reason of a reject whose record had stopped the process before, and failed again alone."""

MOST: Final = 10
"""Poisonous records that one process quarantines before it stops: more of them are a bad release."""

_log = structlog.get_logger(__name__)


class Judge:
    """Hands batches to a processor.

    `trials` is None if nothing can be quarantined: then each failure stops the process.
    """

    def __init__(self, processor: Processor, trials: Trials | None) -> None:
        self._processor, self._trials = processor, trials
        self._breaker = self._next = CircuitBreaker()
        self._poisonous = 0

    def portions(self, batch: Sequence[Inbound]) -> Sequence[Sequence[Inbound]]:
        """The parts of a batch that are handled together, in order."""
        return [batch] if self._trials is None else self._trials.portions(batch)

    def __call__(self, portion: Sequence[Inbound], view: View, committed: Mapping[At, int]) -> Outcome:
        """The outcome of a portion. `committed` are the group's committed offsets.

        Raises:
            BreakerOpen: the release may be to blame. Nothing of the portion may be committed.
            Unavailable, Fatal: as the processor does.
        """
        if self._trials is None:
            return self._together(portion, view)
        self._trials.begin(portion, committed)
        try:
            alone = self._trials.suspects(portion[0])
            outcome = self._alone(portion[0], view) if alone else self._together(portion, view)
        except Exception as error:
            if isinstance(error, BreakerOpen) or not isinstance(error, Unavailable | Fatal):
                self._trials.failed(portion, committed)
            raise
        self._trials.passed(portion, committed)
        return outcome

    def committed(self) -> None:
        """The last outcome has taken effect: a batch that is aborted and handled again counts once."""
        self._breaker = self._next

    def _together(self, portion: Sequence[Inbound], view: View) -> Outcome:
        outcome = self._processor.handle(portion, view)
        judged = [record for record in portion if not outcome.waits(record)] if outcome.waiting else portion
        self._next = self._breaker.after(judged, outcome.rejects)
        return outcome

    def _alone(self, record: Inbound, view: View) -> Outcome:
        """A failure of our own code on this record does not stop the process a second time."""
        outcome = self._tried(record, view)
        failures = [reject for reject in outcome.rejects if reject.reason == INTERNAL]
        outcome.rejects = [_poison(reject) for reject in outcome.rejects]
        self._next = self._breaker
        self._poisonous += len(failures)
        if self._poisonous > MOST:
            raise BreakerOpen(f"our own code failed on {MOST} records one by one, such as: {failures[0].message}")
        if failures:
            at = f"{record.topic}/{record.partition}@{record.offset}"
            _log.critical("a record is poison", processor=self._processor.name, at=at, message=failures[0].message)
        return outcome

    def _tried(self, record: Inbound, view: View) -> Outcome:
        if self._trials is not None and self._trials.is_given_up(record):
            ended = "it ended the process each time that it was tried"
            return Outcome(rejects=[Reject(record, INTERNAL, ended, "handle")])
        try:
            return self._processor.handle([record], view)
        except (Unavailable, Fatal):
            raise
        except Exception as error:  # noqa: BLE001 - it stopped a process before, and becomes a dead letter now
            message = shorten(f"{type(error).__name__}: {error}")
            return Outcome(rejects=[Reject(record, INTERNAL, message, "handle")])


def _poison(reject: Reject) -> Reject:
    return reject._replace(reason=POISON) if reject.reason == INTERNAL else reject
