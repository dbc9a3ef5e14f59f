from dataclasses import replace

from contract.case import NOON, Case, record
from examples.matrices import a_document, a_rule
from examples.sealing import SEALS
from examples.trust import TRUST, said

from processors.client.matrix_topic import refresh_records
from processors.configuration.guard import Staleness
from processors.configuration.settings import shipped
from processors.events.topics import MATRIX_FLOORS, MATRIX_REFRESHES, NOTIFICATIONS, SECURITY_POLICIES
from processors.matrix.floors import Floor
from processors.matrix.merged import Matrix
from processors.policies import NO_POLICIES
from processors.staleness.freshness import WHOLE, Known, Level
from processors.staleness.processor import StalenessMonitor
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas

HOUR = 3_600_000
CODEC = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())


def monitor() -> StalenessMonitor:
    config = Staleness(warn_at=80, notify="role:matrix-ops")
    return StalenessMonitor(CODEC, SEALS, lambda: config, TRUST, TRUST)


def cases() -> list[Case]:
    encode = CODEC.encoder(MATRIX_REFRESHES, "MatrixRefreshed")
    fresh, ageing, gone = (
        replace(a_document(a_rule(), source=name), expires_after=24 * HOUR)
        for name in ("governance", "vendor", "security")
    )
    refreshes = [
        *refresh_records(fresh, said(fresh, NOON), encode),
        *refresh_records(ageing, said(ageing, NOON - 20 * HOUR), encode),
        *refresh_records(fresh, said(fresh, NOON + 1), encode),
        *refresh_records(gone, said(gone, NOON - 25 * HOUR), encode),
    ]
    standing = [(fresh, NOON), (ageing, NOON - 20 * HOUR), (gone, NOON - 25 * HOUR)]
    matrix = Matrix.EMPTY
    for document, at in standing:
        floor = Floor(at, document.digest, False)
        matrix = matrix.add(document, at, at + document.expires_after, floor)
    return [
        Case(
            name="staleness",
            processor=monitor,
            records=[
                record(MATRIX_REFRESHES, n, r.key.decode(), r.value) for n, r in enumerate(refreshes) if r.key
            ],
            topics=frozenset({NOTIFICATIONS, MATRIX_FLOORS}),
            unreadable=[b"", b"\0\0\0", b"\1not an event", b"\0\x7f\xff\xff\xff\2a"],  # a tombstone is no refresh
            tables={
                MATRIX_REFRESHES: matrix,
                SECURITY_POLICIES: NO_POLICIES,
                MATRIX_FLOORS: {"governance": Floor(1, "", False), "vendor": Floor(NOON, "", False)},
            },
            state={
                0: {WHOLE: Known(WHOLE, Level.MISSING, 1), "vendor": Known("vendor", Level.FRESH, 2, (1, 2), "x")}
            },
            state_values=[Known("vendor"), Known("vendor", Level.EXPIRED, NOON, (1, 2, 3), "d@1")],
        )
    ]
