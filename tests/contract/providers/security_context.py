import json
from typing import Any

from contract.case import NOON, Case, record
from examples.matrices import a_document, a_release
from examples.sealing import SEALS
from examples.trust import SIGNER, TRUST, said

from processors.client.matrix_topic import refresh_records
from processors.configuration.settings import shipped
from processors.events.topics import MATRIX_FLOORS, MATRIX_REFRESHES, NOTIFICATIONS, SECURITY_POLICIES
from processors.matrix.merged import Matrix
from processors.policies import Policies, SecurityPolicy
from processors.security_context.asker import Asker, Heard
from processors.security_context.inquiry import PUBLISHER, read
from processors.security_context.processor import SecurityContext
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas

HOUR = 3_600_000
CODEC = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())
PAGE = ("com.acme.crm", "com.acme.erp")


class Answered(Asker):
    """One that has heard a reply, and asks nobody."""

    def __init__(self, *policies: dict[str, Any]) -> None:
        super().__init__(_nobody, "", 900)
        self._heard = Heard(PAGE, read(json.dumps({"policies": policies}).encode(), PAGE, NOON), "")


def _nobody() -> Any:
    raise AssertionError("it is never started")


def processor() -> SecurityContext:
    new = {"component": PAGE[0], "advisories": [{"id": "ACME-1", "affected": ["<2.0.0"]}]}
    return SecurityContext(
        CODEC,
        SEALS,
        Answered(new),
        SIGNER,
        valid_for=24 * HOUR,
        notify="role:security",
        trust=TRUST,
        security=TRUST,
    )


def cases() -> list[Case]:
    document = a_document(releases=tuple(a_release(id, "1.0.0") for id in PAGE))
    refreshes = refresh_records(document, said(document, NOON), CODEC.encoder(MATRIX_REFRESHES, "MatrixRefreshed"))
    ours = SecurityPolicy(component_id=PAGE[1], policy_id="SEC", published_at=NOON, publisher=PUBLISHER)
    return [
        Case(
            name="security-context",
            processor=processor,
            records=[
                record(MATRIX_REFRESHES, n, r.key.decode(), r.value) for n, r in enumerate(refreshes) if r.key
            ],
            topics=frozenset({SECURITY_POLICIES, NOTIFICATIONS}),
            acts_in_time=True,
            unreadable=(),  # it reads none of its records
            tables={
                MATRIX_REFRESHES: Matrix.of([(document, NOON, NOON + HOUR)]),
                SECURITY_POLICIES: Policies.of([ours]),
                MATRIX_FLOORS: {},
            },
        )
    ]
