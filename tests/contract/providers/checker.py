"""What the checker promises, told by requests that are allowed, warned, blocked, and handed to the workflow."""

from __future__ import annotations

from contract.case import NOON, Case, record
from examples.checkers import a_request, a_subject
from examples.matrices import HOUR, a_document, a_rule
from examples.sealing import SEALS

from processors.checker.processor import Checker
from processors.configuration.settings import shipped
from processors.events.topics import (
    BLOCKS,
    EXCEPTION_USES,
    INSTALL_REQUESTS,
    MATRIX_REFRESHES,
    NOTIFICATIONS,
    RESULTS,
    SECURITY_POLICIES,
)
from processors.matrix.merged import Matrix
from processors.policies import NO_POLICIES
from processors.stream.types import Inbound
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas

CODEC = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())
FITS = a_subject("com.acme.crm")
WARNS = a_subject("com.acme.chat")
BREAKS = a_subject("com.acme.crm", host_range=">=3.0.0")
UNDER = {"exception_id": "5d5ad3a9-6c05-5ee6-9c4e-5f0f4a0b7a01"}
WATCHED = {
    "acknowledgement": {"by": "alice", "at": NOON, "statement": "I know"},
    "monitoring": {"profile": "strict", "addons": ["slo"], "owner": "alice"},
}
TRACED = [("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]


def asks(offset: int, key: str, value: bytes) -> Inbound:
    """A request with a trace, sealed as the workflow seals a re-check."""
    seal = SEALS.seal(INSTALL_REQUESTS, key.encode(), value)
    return record(INSTALL_REQUESTS, offset, key, value, headers=[*TRACED, seal])


def cases() -> list[Case]:
    encode = CODEC.encoder(INSTALL_REQUESTS, "InstallRequested")
    matrix = a_document(a_rule("com.acme.*", "allow"), a_rule("com.acme.chat", "warn"))
    twice = a_request(BREAKS, request_id="twice")
    requests = [
        a_request(FITS),
        a_request(WARNS, operator=""),
        twice,
        a_request(FITS, **UNDER),
        a_request(BREAKS, **UNDER, **WATCHED),
        twice,
        a_request(FITS, **UNDER, recheck_of="first"),
        a_request(BREAKS, request_id="twice", tenant="another"),
    ]
    return [
        Case(
            name="checker",
            processor=lambda: Checker(CODEC, SEALS),
            records=[
                asks(n, asked["subject"]["manifest"]["id"], encode(asked)) for n, asked in enumerate(requests)
            ],
            topics=frozenset({RESULTS, BLOCKS, EXCEPTION_USES, NOTIFICATIONS}),
            tables={
                MATRIX_REFRESHES: Matrix.of([(matrix, NOON - HOUR, NOON + HOUR)]),
                SECURITY_POLICIES: NO_POLICIES,
            },
        )
    ]
