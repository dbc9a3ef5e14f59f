"""Connects the relay to Kafka, for one target: events in, state and dead letters out.

Accepting an event and storing its delivery is one transaction, so no event is lost or accepted twice. A delivery is
removed from the state in the transaction after its acceptance; if the process ends in between, it is sent again,
with the same id and bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import cast

import structlog

from processors.errors import Undeliverable
from processors.events.topics import RELAY_STATE
from processors.relay.commands import CommandPlace, Commands, CommandTable
from processors.relay.courier import Courier
from processors.relay.delivery import Delivery, DeliveryStatus, delivery_key
from processors.relay.dispatch import Change, Dispatch
from processors.relay.measures import DeliveryMeasures
from processors.relay.outgoing import KINDS, Outgoing, outgoing
from processors.relay.records import DeliveryCommand, StateValue, from_record, standing_key, to_record
from processors.relay.target_status import Mode, TargetStatus
from processors.stream.seals import Seals
from processors.stream.types import Inbound, NotYet, Outbound, Outcome, Reject, StateSpec, View
from processors.stream.wire.codec import Codec

_log = structlog.get_logger(__name__)

MOST_PENDING = 500
"""The most deliveries that may wait in one partition. Beyond that, events wait on their topics."""

MOST_DEAD = 200
"""The most given-up deliveries that are kept in one partition for inspection and retry.

The dead letters have all of them.
"""

COMMAND_KEPT = 3_600_000
"""Milliseconds that a command to resume a target is kept, so that every process sees it."""


class Relay:
    """The processor of one target. `body` gives what is sent, or None for an event that the target does not get.

    Commands are accepted, and cleared, under `seals`.
    """

    def __init__(
        self,
        codec: Codec,
        target: str,
        events: Sequence[str],
        body: Callable[[Outgoing], bytes | None],
        dispatch: Dispatch,
        courier: Courier,
        measures: DeliveryMeasures,
        seals: Seals,
        since: int | None = None,
    ) -> None:
        self.name = f"relay-{target}"
        self._target, self._body, self._dispatch, self._courier = target, body, dispatch, courier
        self._measures, self._seals, self._since = measures, seals, since
        self._kinds = {KINDS[event].topic: event for event in events}
        self.inputs = tuple(self._kinds)
        self._decoders = {
            KINDS[event].topic: codec.decoder(KINDS[event].topic, KINDS[event].schema) for event in events
        }
        self._read = codec.decoder(RELAY_STATE, "RelayState")
        self._written = codec.encoder(RELAY_STATE, "RelayState")
        self.tables = (CommandTable(target, self._read, seals.check),)
        self.state = StateSpec(RELAY_STATE, self._encode, self._decode, prefix=f"{target}/")

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        outcome = Outcome()
        room = {number: MOST_PENDING - len(_pending(view, number)) for number in {r.partition for r in batch}}
        for record in batch:
            if not outcome.waits(record):
                with outcome.rejecting(record):
                    self._take_in(record, view, outcome, room)
        return outcome

    def tick(self, now: int, view: View) -> Outcome:
        """Commit the results of attempts, carry out commands, and wake the courier."""
        self._courier.raise_failure()
        outcome = Outcome()
        for key, change in self._dispatch.unsaved().items():
            self._settle(key, change, view, outcome)
        self._obey(view.table(RELAY_STATE), view, outcome)
        self._share_standing(now, view, outcome)
        self._dispatch.sync({k: v for n in view.partitions() for k, v in _deliveries(view, n).items()})
        self._courier.wake(now)
        return outcome

    def observe(self, outcome: Outcome, view: View) -> None:
        changes = [fact for fact in outcome.facts if isinstance(fact, Change)]
        self._dispatch.saved(changes)
        for change in changes:
            if change.after is None:
                self._measures.accepted(change.before, view.now)
            elif not change.after.pending:
                self._measures.died()
        self._measures.show(self._dispatch.waiting(), self._dispatch.standing)

    def _take_in(self, record: Inbound, view: View, outcome: Outcome, room: dict[int, int]) -> None:
        standing: TargetStatus = outcome.get(view, record.partition, standing_key(self._target)) or self._new(
            view.now
        )
        if record.timestamp < standing.known_since:
            return
        kind = self._kinds[record.topic]
        event = outgoing(kind, record, self._decoders[record.topic](record.value))
        body = self._body(event)
        if body is None:
            return
        if room[record.partition] <= 0:
            raise NotYet
        held = outcome.get(view, record.partition, delivery_key(self._target, record.topic, event.id))
        if held is not None and held.pending:
            return  # the same event again, while the first one is on its way
        delivery = Delivery(
            target=self._target,
            id=event.id,
            type=event.type,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            order_key=event.order_key,
            at=record.timestamp,
            urgent=event.urgent,
            body=body,
            next_at=view.now,
        )
        outcome.put(record.partition, delivery.state_key, delivery)
        room[record.partition] -= 1

    def _settle(self, key: str, change: Change, view: View, outcome: Outcome) -> None:
        """Only if the state still holds what was attempted: otherwise another process owned the partition."""
        partition = change.before.partition
        if view.state(partition).get(key) is None:
            return
        outcome.put(partition, key, change.after)
        outcome.facts.append(change)
        if change.after is not None and not change.after.pending:
            outcome.rejects.append(_dead_letter(change.after))
            self._make_room(partition, view, outcome)

    def _make_room(self, partition: int, view: View, outcome: Outcome) -> None:
        dead = [d for d in _deliveries(view, partition).values() if not d.pending]
        for delivery in sorted(dead, key=lambda d: d.offset)[: max(len(dead) - MOST_DEAD + 1, 0)]:
            outcome.put(partition, delivery.state_key, None)

    def _obey(self, commands: Commands, view: View, outcome: Outcome) -> None:
        for at, command in commands.items():
            if not command.id:
                self._resume(at, command, view, outcome)
            elif at.partition in view.partitions():
                self._try_again(command, at.partition, view, outcome)
                outcome.outputs.append(self._cleared(at, command))

    def _try_again(self, command: DeliveryCommand, partition: int, view: View, outcome: Outcome) -> None:
        key = delivery_key(self._target, command.topic, command.id)
        delivery: Delivery | None = outcome.get(view, partition, key)
        if delivery is None:
            _log.warning("there is no such delivery to try again", target=self._target, delivery=command.id)
        elif key not in self._dispatch.unsaved():
            fresh = replace(
                delivery, status=DeliveryStatus.PENDING, attempts=0, refusals=0, next_at=command.at, message=""
            )
            outcome.put(partition, key, fresh)

    def _resume(self, at: CommandPlace, command: DeliveryCommand, view: View, outcome: Outcome) -> None:
        standing = self._dispatch.standing
        if standing.mode is not Mode.ACTIVE and command.at > standing.changed_at:
            self._dispatch.resume(view.now)
        if at.partition in view.partitions() and view.now - command.at > COMMAND_KEPT:
            outcome.outputs.append(self._cleared(at, command))

    def _cleared(self, at: CommandPlace, command: DeliveryCommand) -> Outbound:
        """The record that removes a command from the topic: sealed too, or anybody could cancel an operator's
        command."""
        key = command.key.encode()
        return Outbound(RELAY_STATE, key, None, (self._seals.seal(RELAY_STATE, key, None),), at.partition)

    def _share_standing(self, now: int, view: View, outcome: Outcome) -> None:
        """Every partition stores the target's status, so that its next owner knows it."""
        key = standing_key(self._target)
        held = {number: cast("TargetStatus | None", view.state(number).get(key)) for number in view.partitions()}
        self._dispatch.adopt([standing for standing in held.values() if standing is not None])
        for number, standing in held.items():
            since = (standing or self._new(now)).known_since
            told = replace(self._dispatch.standing, known_since=since, recent=())
            if told != standing:
                outcome.put(number, key, told)

    def _new(self, now: int) -> TargetStatus:
        return replace(self._dispatch.standing, known_since=now if self._since is None else self._since, recent=())

    def _encode(self, value: StateValue) -> bytes:
        return self._written(to_record(self._target, value))

    def _decode(self, value: bytes) -> StateValue:
        return from_record(self._read(value))


def _deliveries(view: View, partition: int) -> Mapping[str, Delivery]:
    return {key: value for key, value in view.state(partition).items() if isinstance(value, Delivery)}


def _pending(view: View, partition: int) -> list[Delivery]:
    return [delivery for delivery in _deliveries(view, partition).values() if delivery.pending]


def _dead_letter(delivery: Delivery) -> Reject:
    """What was sent, and where its event is. The event itself is valid, and stays on its topic."""
    record = Inbound(
        topic=delivery.topic,
        partition=delivery.partition,
        offset=delivery.offset,
        timestamp=delivery.at,
        key=delivery.order_key.encode(),
        value=delivery.body,
    )
    said = f"{delivery.target} did not take event {delivery.id} in {delivery.attempts} tries: {delivery.message}"
    return Reject(record, Undeliverable.reason, said, "deliver")
