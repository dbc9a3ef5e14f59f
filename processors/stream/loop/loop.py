"""The one loop: poll a batch, let the processor decide, write the outcome and the offsets in one transaction.

    poll -> handle -> begin, write, advance, commit -> state and positions move
              |                    |
              └── Unavailable ─────┴──> abort, wait, the same records again

One poll is one batch is one transaction, closed before the next poll. Rebalances happen only inside a poll, so no
transaction is open when partitions are revoked. Every error except Unavailable leaves the loop and ends the
process: its supervisor restarts it, and it restores its state.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

import structlog
from confluent_kafka import Consumer

from processors.errors import Fatal, TransactionAborted, Unavailable
from processors.observability.collector import collector_eased, freeze, freeze_again
from processors.stream.io import clients
from processors.stream.io.contact import Contact
from processors.stream.loop.assignment import Assignment
from processors.stream.loop.batches import NOT_OWNED, Batches
from processors.stream.loop.clock import Clock
from processors.stream.loop.dead_letters import dead_letter
from processors.stream.loop.gaps import Gaps
from processors.stream.loop.health import CALLING, CLOSING, WORKING, Health
from processors.stream.loop.health_server import HealthServer
from processors.stream.loop.judge import Judge
from processors.stream.loop.measures import Measures
from processors.stream.loop.refusals import Refusals
from processors.stream.loop.state import KeyedState, changelog_records
from processors.stream.loop.table import Table
from processors.stream.loop.transaction import (
    At,
    KafkaTransaction,
    Transaction,
    backoff,
)
from processors.stream.loop.trials import Trials
from processors.stream.loop.view import Known, LoopView
from processors.stream.loop.watermark import Watermark
from processors.stream.seals import Seals
from processors.stream.settings import StreamSettings, required_seals
from processors.stream.types import Inbound, Observer, Outbound, Outcome, Processor, Reject
from processors.stream.wire.tracing import Trace, Tracing

_log = structlog.get_logger(__name__)
RELEASE_EVERY = 1.0
"""The most seconds until records that were left for later are handled again."""

FREEZE_EVERY = 60.0
"""The fewest seconds between two full garbage collections after tables have changed."""

PASS_EVERY = 60.0
"""The fewest seconds between two commits of an idle loop that only move positions past what is no record."""

MOST_ABORTS = 8
"""The most transactions in a row that may be aborted.

A rebalance costs one or two; a member that its coordinator does not know any more would abort for ever.
"""

OpenTransaction = Callable[[Consumer, Health], Transaction]
"""Creates the transaction of a loop. May raise Unavailable; it is then called again."""


def run(
    processor: Processor,
    settings: StreamSettings,
    stop: threading.Event,
    *,
    transaction: OpenTransaction | None = None,
    health: Health | None = None,
) -> None:
    """Run a processor until `stop` is set, which takes effect after the current transaction.

    `transaction` replaces Kafka's by another that stores the offsets itself, such as the ledger's in Postgres.

    Raises:
        Fatal: this process must end with exit code 70 and be restarted.
        SettingsInvalid: a topic does not exist, or the broker must not be used with these settings.
    """
    with ExitStack() as stack:
        health = health or Health(processor.name)
        if settings.health_port is not None:
            stack.enter_context(HealthServer(health, settings.health_host, settings.health_port))
        opened = transaction or _kafka(processor, settings, stack)
        runner = Runner(processor, settings, stop, health, opened, quarantines=transaction is None)
        try:
            runner.run(stack)
        except Exception as error:
            _log.critical("the loop ends", processor=processor.name, error=type(error).__name__, message=str(error))
            raise  # said before clients are closed, which may take so long that the process is killed
        finally:
            health.stands_still()
            health.beat(CLOSING)


def _kafka(processor: Processor, settings: StreamSettings, stack: ExitStack) -> OpenTransaction:
    identity = f"{processor.name}-{settings.ordinal}"
    producer = clients.transactional_producer(settings, identity)
    stack.callback(clients.close, producer)

    def opened(consumer: Consumer, health: Health) -> KafkaTransaction:
        transaction = KafkaTransaction(producer, consumer, processor.name, settings.retry_deadline, health.beat)
        transaction.open(identity)
        return transaction

    return opened


class Runner:
    """The only place that begins and commits transactions."""

    def __init__(
        self,
        processor: Processor,
        settings: StreamSettings,
        stop: threading.Event,
        health: Health,
        open_transaction: OpenTransaction,
        *,
        quarantines: bool,
    ) -> None:
        if processor.state is not None:
            required_seals(settings)
        self._processor, self._settings, self._stop, self._health = processor, settings, stop, health
        self._open_transaction, self._quarantines = open_transaction, quarantines
        self.state = KeyedState()
        self.tables: dict[str, Table] = {}
        self.horizon = Watermark(settings)
        self._gaps = Gaps()
        self._counts: dict[str, int] = {}
        self._refusals: dict[str, Refusals] = {}
        self._attempt = self._aborts = 0
        self._next_tick = 0.0
        self._next_release = 0.0
        self._next_pass = time.monotonic() + PASS_EVERY
        self._next_kept = 0.0
        self._kept: Sequence[int] = ()
        self._trace: Trace | None = None
        self._observer = processor if isinstance(processor, Observer) else None
        self._measures = Measures(processor.name, processor.inputs)

    def run(self, stack: ExitStack) -> None:
        """Open everything, run rounds until stopped, and leave the group."""
        stack.enter_context(collector_eased())
        if self._settings.otlp_endpoint:
            self._trace = stack.enter_context(Tracing(self._processor.name, self._settings.otlp_endpoint))
        self._consumer = clients.group_consumer(
            self._settings,
            self._processor.name,
            copartitioned=len(self._processor.inputs) > 1,
            calm=self._processor.state is None,  # timers would have to wait for the end of a partition
        )
        stack.callback(clients.close, self._consumer)
        for fold in self._processor.tables:
            reader = clients.reader(self._settings, self._processor.name, brief=True)
            self.tables[fold.topic] = table = Table(reader, fold)
            self._refusals[fold.topic] = Refusals(table)
            stack.callback(table.close)
        self._trials = (
            Trials(self._consumer, self._settings.batch, self._health.beat) if self._quarantines else None
        )
        self._judge = Judge(self._processor, self._trials)
        self.clock = Clock(self._processor.name, self._settings)
        stack.callback(self.clock.close)
        if not self._until_available(self._prepare, lambda: None):
            return
        stack.callback(self.assignment.leave)  # before the consumer is closed, as the last comes first
        self._consumer.subscribe(
            list(self._processor.inputs),
            on_assign=self.assignment.on_assign,
            on_revoke=self.assignment.on_revoke,
            on_lost=self.assignment.on_lost,
        )
        _log.info("processor started", processor=self._processor.name, ordinal=self._settings.ordinal)
        while self._until_available(self._round, self.assignment.rewind):
            pass
        _log.info("processor stopped", processor=self._processor.name)

    def _prepare(self) -> None:
        self.clock.start()
        for table in self.tables.values():
            rejects = table.load(self._settings.retry_deadline, self._health.beat, persistent=True)
            self._note_rejects(table, rejects)
            table.follow(lambda: clients.following_reader(self._settings, self._processor.name))
        self._contact = self._contacts()
        self._health.tables_loaded = True
        self._kept = [table.revision for table in self.tables.values()]
        freeze()
        counts = {topic: self.partition_count(topic) for topic in self._processor.inputs}
        self._transaction = self._open_transaction(self._consumer, self._health)
        self.assignment = Assignment(
            consumer=self._consumer,
            processor=self._processor,
            settings=self._settings,
            transaction=self._transaction,
            state=self.state,
            health=self._health,
            trials=self._trials,
            partition_counts=counts,
        )
        self._known = Known(
            self.clock, self.state, self.tables, self.assignment, self.horizon, self.partition_count
        )
        self._batches = Batches(
            self._consumer, self._settings, self.assignment, self._nothing_between, self._processor.name
        )

    def _contacts(self) -> Contact:
        return Contact(
            self._settings,
            {
                self._processor.inputs[0]: self._consumer,
                **{topic: table.reader for topic, table in self.tables.items()},
                self._settings.clock: self.clock.producer,
            },
        )

    def _nothing_between(self, at: At, position: int, end: int) -> None:
        self._gaps.note(at, position, end)
        if self._processor.state is not None:
            self.horizon.nothing_between(at, position, end)

    def _until_available(self, act: Callable[[], None], undo: Callable[[], None]) -> bool:
        """Call `act` until nothing is unavailable any more. False if the process was asked to stop."""
        while not self._stop.is_set():
            self._health.beat()
            try:
                act()
            except Unavailable as error:
                self._wait(error)
                undo()
            else:
                self._reset_backoff()
                return True
        return False

    def _round(self) -> None:
        """One round: a tick if one is due, and a batch if there is one."""
        self._check_brokers()
        if time.monotonic() >= self._next_tick:
            self._tick()
        with self._measures.phase("poll"):
            batch, positions = self._batches.next()
        self._health.beat(WORKING)
        for table in self.tables.values():  # after the wait, so that a batch is judged by the newest tables
            self._note_rejects(table, table.drain())
        if batch:
            self._handle_all(batch, positions)

    def _check_brokers(self) -> None:
        """Check the brokers: polling a silent broker looks the same as polling an idle topic."""
        self._contact.check()
        if self._contact.silent:
            self._health.stands_still()
        else:
            self._health.moved()
        self.clock.look(others_are_answered=not self._contact.silent)

    def _handle_all(self, batch: Sequence[Inbound], positions: Mapping[At, int]) -> None:
        """Handle a batch at once, unless an earlier process failed on some of it: then those records are handled
        one by one."""
        portions = self._judge.portions(batch)
        if len(portions) == 1:
            self._handle(batch, positions)
            return
        late: dict[At, int] = {}
        for portion in portions:
            due = [r for r in portion if r.offset < late.get((r.topic, r.partition), NOT_OWNED)]
            if due:
                late |= self._handle(due, {(r.topic, r.partition): r.offset + 1 for r in due})

    def _handle(self, batch: Sequence[Inbound], positions: Mapping[At, int]) -> Mapping[At, int]:
        """One transaction. Returns the offsets from which records were left for later."""
        began = time.time_ns()
        self._health.beat(WORKING)
        with self._measures.phase("handle"):
            outcome = self._judge(batch, self._view(batch, positions), self.assignment.positions)
        if outcome.waiting:
            batch = [record for record in batch if not outcome.waits(record)]
            positions = {**positions, **outcome.waiting}
        self._complete(outcome)
        with self._measures.phase("commit"):
            self._transact(batch, outcome, positions)
        self._judge.committed()
        if self._processor.state is not None:
            self.horizon.handled(batch)
        self.assignment.hold(outcome.waiting)
        if self._trace is not None:
            self._trace(batch, began, time.time_ns())
        return outcome.waiting

    def _tick(self) -> None:
        """Handle what time alone causes.

        It includes the current positions: a transaction without offsets is not fenced.
        """
        self._next_tick = time.monotonic() + self._settings.tick
        self._freeze_tables()
        if not self.assignment.positions:
            return
        self._release()
        view = self._view()
        outcome = self._processor.tick(view.now, view)
        self._complete(outcome)
        if outcome.outputs or outcome.writes or outcome.rejects or self._gaps_are_due():
            self._transact((), outcome, dict(self.assignment.positions))
        else:
            self._observe(outcome)
        self._measures.lag(self._consumer, self._gaps.passed(self.assignment.positions, {}))

    def _gaps_are_due(self) -> bool:
        if time.monotonic() < self._next_pass:
            return False
        self._next_pass = time.monotonic() + PASS_EVERY
        return bool(self._gaps.ahead(self.assignment.positions))

    def _freeze_tables(self) -> None:
        """Exclude the values of changed tables, which are long-lived, from garbage collection."""
        revisions = [table.revision for table in self.tables.values()]
        if revisions != self._kept and time.monotonic() >= self._next_kept:
            self._kept, self._next_kept = revisions, time.monotonic() + FREEZE_EVERY
            freeze_again()

    def _release(self) -> None:
        """Read again what was left for later, at most once a second, however often the processor ticks: each
        time costs a fetch."""
        if time.monotonic() >= self._next_release:
            self._next_release = time.monotonic() + RELEASE_EVERY
            self.assignment.release()

    def _transact(self, batch: Sequence[Inbound], outcome: Outcome, positions: Mapping[At, int]) -> None:
        records = self._records(outcome)
        positions = self._gaps.passed(positions, self.assignment.positions)
        try:
            self._health.beat(CALLING)
            self._transaction.begin()
            self._transaction.write(outcome, records)
            self._transaction.advance(positions)
            self._health.beat(CALLING)
            self._transaction.commit()
        except Unavailable as error:
            self._health.beat(CALLING)
            self._transaction.abort()
            self._count_abort(error)
            raise
        self._aborts = 0
        self._observe(outcome)
        self._settle(outcome, positions)
        self._measures.committed(batch, records, outcome.rejects, len(self.state))

    def _count_abort(self, error: Unavailable) -> None:
        self._measures.aborted()
        self._aborts += isinstance(error, TransactionAborted)
        if self._aborts >= MOST_ABORTS:
            raise Fatal(f"{self._aborts} transactions in a row were aborted: {error}") from error

    def _records(self, outcome: Outcome) -> list[Outbound]:
        letters = [dead_letter(r, self._processor.name, self._settings.dead_letters) for r in outcome.rejects]
        spec = self._processor.state
        changes = [] if spec is None else changelog_records(spec, outcome.writes, self._seals(), self.state)
        return outcome.outputs + changes + letters

    def _observe(self, outcome: Outcome) -> None:
        """Let the processor count. The state is still the one from which the outcome was made."""
        if self._observer is not None:
            self._observer.observe(outcome, self._view())

    def _settle(self, outcome: Outcome, positions: Mapping[At, int]) -> None:
        """The transaction is committed: apply it to state and positions."""
        if self._processor.state is not None:
            self.state.apply(outcome.writes)
        self.assignment.positions.update(positions)
        for refusals in self._refusals.values():
            refusals.settled(owner=self.assignment.has_first())

    def _wait(self, error: Unavailable) -> None:
        """Back off, short enough to delay the group's rebalances by a few seconds at most."""
        _log.warning("waiting", processor=self._processor.name, error=type(error).__name__, message=str(error))
        self._health.waiting = type(error).__name__
        self._measures.waiting(type(error).__name__)
        self._stop.wait(backoff(self._attempt))
        self._attempt += 1

    def _reset_backoff(self) -> None:
        """Reset the back-off after a successful round.

        After an abort it must be one that committed: an empty one proves nothing.
        """
        if self._attempt and not self._aborts:
            self._attempt, self._health.waiting = 0, None
            self._measures.waiting(None)

    def _seals(self) -> Seals:
        return required_seals(self._settings)

    def _complete(self, outcome: Outcome) -> None:
        """Add what is due whatever the processor decides: repairs of tables and changelogs."""
        if self.assignment.has_first():
            for refusals in self._refusals.values():
                outcome.rejects.extend(refusals.due())
        self.state.repair(outcome)

    def _note_rejects(self, table: Table, rejects: Sequence[Reject]) -> None:
        self._measures.table(table, rejects)
        for reject in rejects:
            _log.error("a table refused a record", topic=table.topic, reason=reject.reason, message=reject.message)
        self._refusals[table.topic].note(rejects)

    def _view(self, batch: Sequence[Inbound] = (), positions: Mapping[At, int] | None = None) -> LoopView:
        return LoopView(self.clock.now(), self._known, batch, positions or {})

    def partition_count(self, topic: str) -> int:
        if topic not in self._counts:
            self._counts[topic] = clients.partition_count(self._consumer, topic)
        return self._counts[topic]
