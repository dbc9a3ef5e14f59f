from dataclasses import replace

from contract.case import NOON, Case, record
from examples.matrices import a_document, a_rule

from processors.client.matrix_topic import refresh_records
from processors.configuration.guard import Staleness
from processors.configuration.settings import shipped
from processors.events.topics import MATRIX_REFRESHES, NOTIFICATIONS
from processors.matrix.merged import Matrix
from processors.staleness.freshness import WHOLE, Known, Level
from processors.staleness.processor import StalenessMonitor
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas

HOUR = 3_600_000
CODEC = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())


def monitor() -> StalenessMonitor:
    return StalenessMonitor(CODEC, lambda: Staleness(warn_at=80, notify="role:matrix-ops"))


def cases() -> list[Case]:
    encode = CODEC.encoder(MATRIX_REFRESHES, "MatrixRefreshed")
    fresh, ageing, gone = (
        replace(a_document(a_rule(), source=name), expires_after=24 * HOUR)
        for name in ("governance", "vendor", "security")
    )
    refreshes = [
        *refresh_records(fresh, NOON, encode),
        *refresh_records(ageing, NOON - 20 * HOUR, encode),
        *refresh_records(fresh, NOON + 1, encode),
        *refresh_records(gone, NOON - 25 * HOUR, encode),
    ]
    standing = [(fresh, NOON), (ageing, NOON - 20 * HOUR), (gone, NOON - 25 * HOUR)]
    return [
        Case(
            name="staleness",
            processor=monitor,
            records=[
                record(MATRIX_REFRESHES, n, r.key.decode(), r.value) for n, r in enumerate(refreshes) if r.key
            ],
            topics=frozenset({NOTIFICATIONS}),
            unreadable=[b"", b"\0\0\0", b"\1not an event", b"\0\x7f\xff\xff\xff\2a"],  # a tombstone is no refresh
            tables={MATRIX_REFRESHES: Matrix.of([(d, at, at + d.expires_after) for d, at in standing])},
            state={
                0: {WHOLE: Known(WHOLE, Level.MISSING, 1), "vendor": Known("vendor", Level.FRESH, 2, (1, 2), "x")}
            },
            state_values=[Known("vendor"), Known("vendor", Level.EXPIRED, NOON, (1, 2, 3), "d@1")],
        )
    ]
