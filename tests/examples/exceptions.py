"""People, keys and commands for tests of the exception workflow. Case C-2 is the default of everything here."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, OKPKey
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64encode

from processors.events.exceptions import (
    Category,
    CommandKind,
    ExceptionCommand,
    ExceptionDecided,
    Person,
    ProofKind,
    Scope,
    Status,
)
from processors.events.outcomes import InstallFinished, InstallOutcome, MonitoringStatus
from processors.events.vocabulary import Band, Verdict
from processors.exception_workflow.config import ExceptionPolicy, Issuer, parse
from processors.exception_workflow.proof.claims import Verb
from processors.exception_workflow.proof.keys import KeyRing, read_jwks, ring
from processors.exception_workflow.proof.token import Proof
from processors.exception_workflow.proof.verify import Decision
from processors.exception_workflow.rules.rechecks import recheck_id
from processors.exception_workflow.rules.scope import Acknowledgement, Basis, Blocking, Plan, Use
from processors.exception_workflow.rules.triggers import Commanded, Decided, Reported, UseReported
from processors.exception_workflow.state.case import ExceptionCase

CONFIG = Path(__file__).parents[2] / "config" / "exception_workflow.yaml"

NOON = 1_764_000_000_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000

TOOL = "https://approvals.powerx.example"
PROVIDER = "https://login.powerx.example"
ALICE = Person(PROVIDER, "alice")  # asks
BOB = Person(TOOL, "bob")  # steward
SABINE = Person(TOOL, "sabine")  # security
SAMIR = Person(TOOL, "samir")  # security too
LENA = Person(TOOL, "lena")  # lead
ROLES = {BOB: "plugin-steward", SABINE: "security-approver", SAMIR: "security-approver", LENA: "security-lead"}

SCOPE = Scope("acme", "com.powerx.plugins.inventory-sync", "1.5.0", "corex", "1.9.0", "production")
ID = SCOPE.exception_id
REPORT, QUESTION = "sha256:" + "a" * 64, "sha256:" + "b" * 64
HOST_TOO_OLD = Blocking("0123456789abcdef", "HOST_TOO_OLD")
ADDONS = ("error-rate", "latency", "host-health", "on-call")


@cache
def policy() -> ExceptionPolicy:
    """The shipped policy, with an approval service and an identity provider that tests have keys of."""
    shipped = parse(CONFIG.read_bytes())
    issuers = (
        Issuer(
            issuer=TOOL,
            kinds=(ProofKind.SERVICE_JWS,),
            audience="compat-guard",
            jwks="tool.json",
            speaks_for=(PROVIDER,),
        ),
        Issuer(issuer=PROVIDER, kinds=(ProofKind.ID_TOKEN_NONCE,), audience="guard-client", jwks="idp.json"),
    )
    return shipped.model_copy(update={"proof": shipped.proof.model_copy(update={"issuers": issuers})})


@cache
def signing_key(kid: str, curve: str = "P-256") -> ECKey | OKPKey:
    """The same key for the same id as long as the tests run."""
    if curve == "Ed25519":
        return OKPKey.generate_key(curve, {"kid": kid})
    return ECKey.generate_key(curve, {"kid": kid})


@cache
def keys() -> KeyRing:
    """tool-1 and tool-2 (Ed25519) of the approval service, retired-1 revoked at noon, idp-1 of the provider."""
    tool, provider = policy().proof.issuers
    public = [public_jwk("tool-1"), public_jwk("tool-2", "Ed25519")]
    revoked = {**public_jwk("retired-1"), "revoked_at": NOON // 1000}
    return ring(
        [
            *read_jwks(json.dumps({"keys": [*public, revoked]}), tool),
            *read_jwks(json.dumps({"keys": [public_jwk("idp-1")]}), provider),
        ]
    )


def public_jwk(kid: str, curve: str = "P-256") -> dict[str, Any]:
    return dict(signing_key(kid, curve).as_dict(private=False))


def claims(person: Person = BOB, at: int = NOON, **more: Any) -> dict[str, Any]:
    """What the approval tool signs for a person who has just logged in with two factors."""
    seconds = at // 1000
    return {
        "iss": person.issuer,
        "sub": person.subject,
        "aud": "compat-guard",
        "iat": seconds,
        "exp": seconds + 300,
        "auth_time": seconds - 60,
        "amr": ["pwd", "otp"],
        "roles": [ROLES.get(person, "plugin-steward")],
        "exception_id": ID,
        "report_digest": REPORT,
        "step": "steward" if person == BOB else "security",
        "decision": "approve",
        "reason": "the host is upgraded on Friday",
        "jti": f"{person.subject}-{at}",
    } | more


def sign(payload: dict[str, Any] | str, kid: str = "tool-1", alg: str = "ES256", **header: Any) -> str:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    key = signing_key(kid, "Ed25519" if alg in ("EdDSA", "Ed25519") else "P-256")
    if alg == "EdDSA":  # joserfc signs under the newer name only; the two differ in the header alone
        signed = f"{_encoded({'alg': alg, 'kid': kid})}.{urlsafe_b64encode(text.encode()).decode()}"
        signature = JWSRegistry.algorithms["Ed25519"].sign(signed.encode(), key)
        return f"{signed}.{urlsafe_b64encode(signature).decode()}"
    return jws.serialize_compact({"alg": alg, "kid": kid, **header}, text, key, algorithms=[alg])


def _encoded(value: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode()


def command_claims(person: Person, at: int, digest: str, **more: Any) -> dict[str, Any]:
    """What a service signs that asks for a person."""
    seconds = at // 1000
    plain = {"iss": TOOL, "sub": person.subject, "idp": person.issuer, "aud": "compat-guard"}
    return {**plain, "iat": seconds, "exp": seconds + 300, "command_digest": digest} | more


def proof(payload: dict[str, Any], **more: Any) -> Proof:
    return Proof(ProofKind.SERVICE_JWS, sign(payload, **more))


def command(kind: CommandKind = CommandKind.REQUESTED, **more: Any) -> ExceptionCommand:
    plain = ExceptionCommand(
        command_id="command-1",
        exception_id=ID,
        kind=kind,
        at=NOON,
        requester=ALICE,
        scope=SCOPE,
        request_id="request-1",
        report_digest=REPORT,
        finding_ids=(HOST_TOO_OLD.id,),
        risk_statement="The warehouse stands still without it, and the host is upgraded on Friday.",
        category=Category.WAIVER,
    )
    return replace(plain, **more)


def refused(reason_code: str, reason: str) -> ExceptionDecided:
    """A decision of the workflow with this reason; without a code, one that was no refusal."""
    return ExceptionDecided(
        event_id="event-1",
        exception_id=ID,
        round=1,
        sequence=1,
        at=NOON,
        event="refused",
        from_state=Status.PENDING,
        to_state=Status.PENDING,
        reason_code=reason_code,
        reason=reason,
    )


def basis(**more: Any) -> Basis:
    plain = Basis(
        digest=REPORT,
        input_digest=QUESTION,
        plugin_id=SCOPE.plugin_id,
        plugin_version=SCOPE.plugin_version,
        host=SCOPE.host,
        host_version=SCOPE.host_version,
        verdict=Verdict.BLOCK,
        band=Band.HIGH,
        score=75,
        summary="inventory-sync 1.5.0 needs corex >=2.0.0, and this host runs 1.9.0.",
        blocking=(HOST_TOO_OLD,),
    )
    return replace(plain, **more)


def asks(
    kind: CommandKind = CommandKind.REQUESTED, at: int = NOON, report: Basis | None = None, **more: Any
) -> Commanded:
    wanted = command(kind, **more)
    return Commanded(
        command=wanted,
        at=at,
        cause="compat.exception-requests/0/0",
        basis=report or basis(),
        subject=b"question",
        subject_digest=QUESTION,
        spent_until=at + 6 * MINUTE,
    )


def says(person: Person, verb: Verb = Verb.APPROVE, at: int = NOON + MINUTE, **more: Any) -> Decided:
    """A verified decision."""
    plain = Decision(
        person=person,
        roles=frozenset({ROLES.get(person, "plugin-steward")}),
        exception_id=ID,
        report_digest=REPORT,
        step="steward" if person == BOB else "security",
        verb=verb,
        reason="looked at it",
        jti=f"{person.subject}-{at}-{verb}",
        kind=ProofKind.SERVICE_JWS,
        spent_until=at + 6 * MINUTE,
    )
    return Decided(decision=replace(plain, **more), at=at, cause="compat.approval-decisions/0/0")


def wants_to_run(at: int = NOON + HOUR, **more: Any) -> UseReported:
    plain = Use(
        use_id="use-1",
        request_id="request-2",
        exception_id=ID,
        scope=SCOPE,
        operator="alice",
        target="cluster-7",
        action="INSTALL",
        stated_digest=REPORT,
        acknowledgement=Acknowledgement("alice", at),
        plan=Plan("enhanced", ADDONS, "warehouse-oncall"),
        recheck_of=None,
        basis=basis(),
    )
    return UseReported(use=replace(plain, **more), at=at, cause="compat.exception-uses/0/0")


def confirms(case: ExceptionCase, at: int = NOON, report: Basis | None = None, **more: Any) -> UseReported:
    """The guard answers the last question about an exception, by default in the very words of the request."""
    ids = {"request_id": recheck_id(case), "recheck_of": case.request_id, "operator": "exception-workflow"}
    return wants_to_run(at=at, basis=report or basis(), **ids, **more)


def tells(at: int = NOON + 2 * HOUR, **more: Any) -> Reported:
    plain = InstallFinished(
        outcome_id="outcome-1",
        request_id="request-2",
        exception_id=ID,
        operator="rollout",
        target="cluster-7",
        outcome=InstallOutcome.SUCCEEDED,
        monitoring=MonitoringStatus.ATTACHED,
        monitoring_profile="enhanced",
        monitoring_addons=ADDONS,
        reason="",
    )
    return Reported(news=replace(plain, **more), at=at, cause="compat.install-outcomes/0/0")


NEVER_ASKED = ExceptionCase(exception_id=ID)
