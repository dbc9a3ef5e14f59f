"""Connects the monitor to its topics: refreshes in, notifications and metrics out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from processors.configuration.guard import Staleness
from processors.events.ids import minted
from processors.events.kinds import FLOOR_RAISED, NOTIFICATION
from processors.events.notifications import NotificationRequested
from processors.events.topics import (
    MATRIX_FLOORS,
    MATRIX_REFRESHES,
    SECURITY_POLICIES,
    STALENESS_STATE,
)
from processors.matrix.floors import EVENT, FloorFold, Floors, floor_to_record
from processors.matrix.fold import MatrixFold
from processors.matrix.merged import Matrix
from processors.matrix.parts import Refresh, refresh_of
from processors.policies.fold import PolicyFold
from processors.staleness.freshness import Change, Known, Level, changes, is_news, refreshed
from processors.staleness.measures import Measures
from processors.staleness.words import notice
from processors.stream.seals import Seals
from processors.stream.types import Inbound, Outbound, Outcome, StateSpec, View
from processors.stream.wire.codec import Codec
from processors.stream.wire.headers import event_headers
from processors.stream.wire.writer import EventWriter
from processors.trust.signatures import verify
from processors.trust.sources import NOBODY, Trust
from processors.trust.statements import Untrusted

SOURCE = "/compat-guard/staleness"
_ONLY = 0
"""The partition of the refreshes; there is only one, so one process monitors them."""


class StalenessMonitor:
    """Notifies people once for each change of a source's level, and updates metrics. It also writes the floors of
    sources and security policies.

    What is in effect comes from the same fold that the checker uses, so that both agree. Reported levels are in the
    changelog, so that a restart repeats nothing. `config` may change between batches.
    """

    name = "staleness"
    inputs = (MATRIX_REFRESHES,)

    def __init__(
        self,
        codec: Codec,
        seals: Seals,
        config: Callable[[], Staleness],
        trust: Trust = NOBODY,
        security: Trust = NOBODY,
    ) -> None:
        self._seals, self._config, self._trust, self._measures = seals, config, trust, Measures()
        self._refreshes = codec.decoder(MATRIX_REFRESHES, "MatrixRefreshed")
        floors = FloorFold(codec.decoder(MATRIX_FLOORS, EVENT), seals.check)
        policies = PolicyFold(
            codec.decoder(SECURITY_POLICIES, "SecurityPolicyPublished"), security, floors.snapshot
        )
        self.tables = (floors, MatrixFold(self._refreshes, trust, floors.snapshot), policies)
        self._floors = codec.encoder(MATRIX_FLOORS, EVENT)
        self._notify = EventWriter(codec, NOTIFICATION, SOURCE)
        self._written = codec.encoder(STALENESS_STATE, "StalenessState")
        self._read = codec.decoder(STALENESS_STATE, "StalenessState")
        self.state = StateSpec(STALENESS_STATE, self._encode, self._decode)

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        """Remember when refreshes came. The table decides whether they are in effect, and refuses untrusted ones.

        A tombstone removes a part and says nothing of a refresh.
        """
        outcome = Outcome()
        for record in batch:
            if record.value is None:
                continue
            with outcome.rejecting(record):
                refresh = refresh_of(self._refreshes(record.value))
                before: Known = outcome.get(view, record.partition, refresh.source) or Known(refresh.source)
                after = refreshed(before, f"{refresh.digest}@{refresh.issued_at}", record.timestamp)
                if after is not before and self._is_trusted(refresh, record.timestamp):
                    outcome.put(record.partition, after.name, after)
                    outcome.facts.append(after)
        return outcome

    def tick(self, now: int, view: View) -> Outcome:
        """Report what has changed since the last report.

        While clocks disagree, the age of sources is unknown, and nothing is reported.
        """
        outcome, matrix, config = Outcome(), view.table(MATRIX_REFRESHES), self._config()
        reached = {**matrix.floors, **view.table(SECURITY_POLICIES).floors}
        outcome.publish(*self._raised(reached, view.table(MATRIX_FLOORS), now))
        if not view.clocks_agree:
            return outcome
        known: Mapping[str, Known] = view.state(_ONLY)
        for change in changes(matrix, known, config.warn_at, now):
            before = known.get(change.name, Known(change.name))
            if is_news(change):
                recipient = _recipient(change, matrix) or config.notify
                outcome.publish(self._notify(_notification(change, before, recipient, now), now))
                outcome.facts.append(change)
            after = before._replace(level=change.after, since=now)
            outcome.put(_ONLY, change.name, None if change.after is Level.WITHDRAWN else after)
        return outcome

    def _is_trusted(self, refresh: Refresh, at: int) -> bool:
        try:
            verify(refresh.statement, refresh.signature, self._trust.of(refresh.source).keys, at)
        except Untrusted:
            return False
        return not refresh.withdrawn

    def _raised(self, reached: Floors, written: Floors, now: int) -> Iterator[Outbound]:
        """The increased floors. One may be written twice before it is read again, which does no harm."""
        for source, floor in reached.items():
            if source not in written or floor.serial > written[source].serial:
                key, value = source.encode(), self._floors(floor_to_record(source, floor))
                id = minted("floor", source, str(floor.serial))
                headers = event_headers(id=id, type=FLOOR_RAISED.type, source=SOURCE, time=now)
                yield self._seals.sealed(Outbound(MATRIX_FLOORS, key, value, headers))

    def observe(self, outcome: Outcome, view: View) -> None:
        for fact in outcome.facts:
            self._measures.count(fact)
        self._measures.show(view.table(MATRIX_REFRESHES), view.state(_ONLY), self._config().warn_at, view.now)

    def _encode(self, known: Known) -> bytes:
        return self._written(
            {
                "source": known.name,
                "level": known.level or "",
                "since": known.since,
                "arrivals": list(known.arrivals),
                "refresh": known.refresh,
            }
        )

    def _decode(self, value: bytes) -> Known:
        record = self._read(value)
        told = Level(record["level"]) if record["level"] else None
        return Known(record["source"], told, record["since"], tuple(record["arrivals"]), record["refresh"])


def _notification(change: Change, before: Known, recipient: str, now: int) -> NotificationRequested:
    """The same change of the same refresh has one id, however often a tick is repeated."""
    told = notice(change, now)
    since = change.source.issued_at if change.source else before.since
    return NotificationRequested(
        notification_id=minted("staleness", change.name, change.after, str(since)),
        at=now,
        recipient=recipient,
        kind=told.kind,
        urgency=told.urgency,
        subject=told.subject,
        body=told.body,
        link=told.link,
    )


def _recipient(change: Change, matrix: Matrix) -> str:
    """The source's own alert channel, if it has one."""
    document = matrix.document(change.name) if change.source else None
    return document.governance.alert_channel if document else ""
