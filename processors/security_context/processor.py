"""Connects the room to Kafka: replies in, signed policies and notifications out.

The tables say what to ask about and what is in force; `decision.py` decides what a reply changes. One replica asks:
the one that owns the matrix's partition.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import structlog

from processors.errors import OutputTooLarge
from processors.events.ids import minted
from processors.events.kinds import NOTIFICATION, POLICY_PUBLISHED, POLICY_WITHDRAWN
from processors.events.notifications import NotificationRequested, Urgency
from processors.events.topics import MATRIX_FLOORS, MATRIX_REFRESHES, SECURITY_POLICIES
from processors.matrix.floors import EVENT, FloorFold
from processors.matrix.fold import MatrixFold
from processors.matrix.merged import Matrix
from processors.policies import Policies, SecurityPolicy
from processors.policies.fold import PolicyFold
from processors.policies.record import policy_to_record, statement_of, withdrawal_of, withdrawal_to_record
from processors.security_context import measures
from processors.security_context.asker import Asker, Heard
from processors.security_context.decision import Decision, InForce, decided, serial
from processors.security_context.inquiry import PUBLISHER, components
from processors.security_context.measures import Came
from processors.security_context.words import KIND, RUNBOOK, SUBJECT, told
from processors.stream.seals import Seals
from processors.stream.types import LARGEST_VALUE, Inbound, Outbound, Outcome, View
from processors.stream.wire.codec import Codec
from processors.stream.wire.headers import event_headers
from processors.stream.wire.writer import EventWriter
from processors.trust.keys import Signer
from processors.trust.signatures import sign
from processors.trust.sources import NOBODY, Trust

SOURCE = "/compat-guard/security-context"

_log = structlog.get_logger(__name__)


class Settled(NamedTuple):
    """The result of a reply."""

    heard: Heard
    came: Came
    decision: Decision


class SecurityContext:
    """Puts the platform's policies in force, signed. `asker` is None if no requests are to be sent."""

    name = PUBLISHER
    inputs = (MATRIX_REFRESHES,)
    state = None

    def __init__(
        self,
        codec: Codec,
        seals: Seals,
        asker: Asker | None,
        signer: Signer | None,
        *,
        valid_for: int,
        notify: str,
        accepted: Collection[str] = (),
        trust: Trust = NOBODY,
        security: Trust = NOBODY,
    ) -> None:
        self._asker, self._signer, self._valid_for = asker, signer, valid_for
        self._to, self._accepted = notify, accepted
        floors = FloorFold(codec.decoder(MATRIX_FLOORS, EVENT), seals.check)
        matrix = MatrixFold(codec.decoder(MATRIX_REFRESHES, "MatrixRefreshed"), trust, floors.snapshot)
        policies = codec.decoder(SECURITY_POLICIES, "SecurityPolicyPublished")
        self.tables = (floors, matrix, PolicyFold(policies, security, floors.snapshot))
        self._policies = codec.encoder(SECURITY_POLICIES, "SecurityPolicyPublished")
        self._notify = EventWriter(codec, NOTIFICATION, SOURCE)
        self._seen: tuple[Matrix, Policies] | None = None
        self._components: Sequence[str] = ()
        self._told: set[str] = set()
        measures.begin()

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:  # noqa: ARG002 - the protocol's signature
        """Refreshes are read as a table; they are its input only so that a single replica asks."""
        return Outcome()

    def tick(self, now: int, view: View) -> Outcome:
        """Decide on the received reply, if there is one, and say what to ask about next."""
        outcome = Outcome()
        if self._asker is None:
            return outcome
        self._asker.raise_failure()
        if not view.partitions():
            self._asker.wants(None)
            measures.hide()
            return outcome
        matrix, policies = view.table(MATRIX_REFRESHES), view.table(SECURITY_POLICIES)
        if (heard := self._asker.heard()) is not None and view.clocks_agree:
            self._decide(heard, InForce(policies, view.table(MATRIX_FLOORS), now), outcome)
        self._asker.wants(self._asked(matrix, policies))
        return outcome

    def observe(self, outcome: Outcome, view: View) -> None:
        if self._asker is None:
            return
        for heard, came, decision in (fact for fact in outcome.facts if isinstance(fact, Settled)):
            self._asker.settle(heard, came)
            if came is Came.TAKEN:
                measures.took(decision, heard.reply.foreign)
                continue
            if came is Came.HELD:
                self._told.add(heard.reply.digest)
            _log.error("a reply is not taken", came=came.value, digest=heard.reply.digest)
        if view.partitions():
            measures.show(view.table(SECURITY_POLICIES), self._asker.held)

    def _asked(self, matrix: Matrix, policies: Policies) -> Sequence[str]:
        if self._seen is None or self._seen[0] is not matrix or self._seen[1] is not policies:
            self._seen, self._components = (matrix, policies), components(matrix, policies)
        return self._components

    def _decide(self, heard: Heard, held: InForce, outcome: Outcome) -> None:
        decision = decided(heard.page, heard.reply, held, self._valid_for, self._accepted)
        came = Came.HELD if decision.is_held else Came.TAKEN
        try:
            records = [*self._written(decision, held)]
        except OutputTooLarge as error:
            _log.error("a policy has no place in a record", why=str(error))
            came, records = Came.REFUSED, []
        if came is Came.HELD and heard.reply.digest not in self._told:
            outcome.publish(self._notify(_notification(self._to, heard, decision, held.now), held.now))
        outcome.publish(*records)
        outcome.facts.append(Settled(heard, came, decision))

    def _written(self, decision: Decision, held: InForce) -> Iterator[Outbound]:
        for policy in (*decision.changed, *decision.confirmed):
            yield self._published(policy, serial(policy.component_id, held), held.now)
        for component in decision.withdrawn:
            yield self._withdrawn(component, serial(component, held), held.now)

    def _published(self, policy: SecurityPolicy, serial: int, now: int) -> Outbound:
        statement = statement_of(policy, serial)
        value = self._policies(policy_to_record(policy, statement, sign(statement, self._by())))
        id = minted("policy", policy.component_id, policy.digest, str(serial))
        headers = event_headers(id=id, type=POLICY_PUBLISHED.type, source=SOURCE, time=now)
        if len(value) + len(policy.component_id.encode()) > LARGEST_VALUE:
            raise OutputTooLarge(f"the policy of `{policy.component_id}` has {len(value)} bytes")
        return Outbound(SECURITY_POLICIES, policy.component_id.encode(), value, headers)

    def _withdrawn(self, component: str, serial: int, now: int) -> Outbound:
        statement = withdrawal_of(component, now, serial)
        value = self._policies(withdrawal_to_record(statement, sign(statement, self._by())))
        id = minted("policy-withdrawal", component, str(serial))
        headers = event_headers(id=id, type=POLICY_WITHDRAWN.type, source=SOURCE, time=now)
        return Outbound(SECURITY_POLICIES, component.encode(), value, headers)

    def _by(self) -> Signer:
        assert self._signer is not None, "whoever asks has a key"  # noqa: S101
        return self._signer


def _notification(to: str, heard: Heard, decision: Decision, now: int) -> NotificationRequested:
    """One reply has one id, however often it comes and whichever replica gets it, so that recipients can
    deduplicate."""
    return NotificationRequested(
        notification_id=minted("policies-held", heard.reply.digest),
        at=now,
        recipient=to,
        kind=KIND,
        urgency=Urgency.WARNING,
        subject=SUBJECT,
        body=told(decision, heard.reply),
        link=RUNBOOK,
    )
