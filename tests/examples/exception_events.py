"""Records of the exception topics, as clients would write them: case C-2 unless told otherwise."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from examples.exceptions import ADDONS, ALICE, BOB, NOON, SCOPE, claims, command_claims, sign

from processors.events.exceptions import Person, Scope, command_from_record
from processors.events.report import Demand, Finding, Report, Risk
from processors.events.report_record import report_to_record
from processors.events.subject import Host, Manifest, Subject
from processors.events.subject_record import subject_to_record
from processors.events.topics import (
    APPROVAL_DECISIONS,
    EXCEPTION_REQUESTS,
    EXCEPTION_USES,
    INSTALL_OUTCOMES,
    INSTALL_REQUESTS,
)
from processors.events.vocabulary import Band, Code, Dimension, Effect, Severity, Verdict
from processors.exception_workflow.proof.commands import digest_of, signed_text
from processors.stream.wire.codec import Codec

TOO_OLD = Finding(
    code=Code.HOST_TOO_OLD,
    dimension=Dimension.HOST,
    effect=Effect.BLOCK,
    severity=Severity.MAJOR,
    severity_percent=100,
    subject=SCOPE.plugin_id,
    object="corex",
    required=Demand(constraint=">=2.0.0", dialect="npm"),
    found="1.9.0",
)
NEW_BREAK = Finding(
    code=Code.API_BREAK,
    dimension=Dimension.API_SCHEMA,
    effect=Effect.BLOCK,
    severity=Severity.MAJOR,
    subject=SCOPE.plugin_id,
    object="orders",
    required=Demand(constraint="^2"),
)


class Events:
    """Encodes with the product's codec. Every value is the whole record on its topic. `now` is when commands are
    signed."""

    def __init__(self, codec: Codec, now: Callable[[], int] = lambda: NOON) -> None:
        self._codec, self._now = codec, now
        self._subjects = codec.encoder(INSTALL_REQUESTS, "InstallRequested").tail
        self._reports = codec.encoder(EXCEPTION_USES, "ExceptionUseRequested").tail

    def subject(self, scope: Scope = SCOPE) -> dict[str, Any]:
        return subject_to_record(
            Subject(
                manifest=Manifest(id=scope.plugin_id, version=scope.plugin_version, host_range=">=2.0.0"),
                host=Host(scope.host, scope.host_version),
            )
        )

    def report(
        self,
        scope: Scope = SCOPE,
        findings: tuple[Finding, ...] = (TOO_OLD,),
        band: Band = Band.HIGH,
        verdict: Verdict | None = None,
    ) -> dict[str, Any]:
        return report_to_record(
            Report(
                engine="1",
                input_digest=self.subject_digest(self.subject(scope)),
                basis_digest="sha256:" + "0" * 64,
                plugin_id=scope.plugin_id,
                plugin_version=scope.plugin_version,
                host=scope.host,
                host_version=scope.host_version,
                dialect="npm",
                verdict=verdict or (Verdict.BLOCK if findings else Verdict.ALLOW),
                summary="inventory-sync 1.5.0 needs corex >=2.0.0, and this host runs 1.9.0.",
                findings=findings,
                risk=Risk(75, band),
            )
        )

    def subject_digest(self, subject: Mapping[str, Any]) -> str:
        return _digest(self._subjects(subject))

    def digest(self, report: Mapping[str, Any]) -> str:
        return _digest(self._reports(report))

    def command(
        self,
        scope: Scope = SCOPE,
        report: Mapping[str, Any] | None = None,
        by: Person = ALICE,
        token: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> bytes:
        """A command that a service signed for a person; `token` are claims, `more` fields of the record, which are
        signed as they are. A `proof` of its own is left as it is."""
        shown = report or self.report(scope)
        record = {
            "command_id": "command-1",
            "exception_id": scope.exception_id,
            "kind": "REQUESTED",
            "at": self._now(),
            "requester": by.subject,
            "requester_issuer": by.issuer,
            **scope._asdict(),
            "request_id": "request-1",
            "report_digest": self.digest(shown),
            "finding_ids": [finding["id"] for finding in shown["findings"]],
            "risk_statement": "The warehouse stands still without it, and the host is upgraded on Friday.",
            "category": "WAIVER",
            "compensating_controls": [],
            "valid_until": None,
            "single_use": True,
            "reason": "",
            "proof_kind": "SERVICE_JWS",
            "proof": None,
            "subject": self.subject(scope),
            "report": shown,
            **more,
        }
        if "proof" not in more:
            digest = digest_of(signed_text(command_from_record(record)))
            signed = command_claims(by, self._now(), digest, **(token or {}))
            record["proof"] = sign(signed, typ="compat-command+jwt")
        return self._codec.encoder(EXCEPTION_REQUESTS, "ExceptionRequested")(record)

    def decision(self, person: Person = BOB, at: int = NOON, scope: Scope = SCOPE, **more: Any) -> bytes:
        """A decision of the approval tool; `more` are claims."""
        bound = {"exception_id": scope.exception_id, "report_digest": self.digest(self.report(scope))}
        return self.proof(sign(claims(person, at, **(bound | more))), scope)

    def proof(
        self, token: str, scope: Scope = SCOPE, kind: str = "SERVICE_JWS", decision: str | None = None
    ) -> bytes:
        record = {
            "decision_id": "decision-1",
            "exception_id": scope.exception_id,
            "at": NOON,
            "proof_kind": kind,
            "proof": token,
            "decision": decision,
        }
        return self._codec.encoder(APPROVAL_DECISIONS, "ApprovalDecided")(record)

    def use(self, scope: Scope = SCOPE, report: Mapping[str, Any] | None = None, **more: Any) -> bytes:
        """What the checker hands over for a request under the exception."""
        shown = report or self.report(scope)
        record = {
            "use_id": "use-1",
            "request_id": "request-2",
            "tenant": scope.tenant,
            "operator": "alice",
            "environment": scope.environment,
            "target": "cluster-7",
            "action": "INSTALL",
            "plugin_id": scope.plugin_id,
            "plugin_version": scope.plugin_version,
            "host": scope.host,
            "host_version": scope.host_version,
            "verdict": shown["verdict"],
            "band": shown["risk"]["band"],
            "score": shown["risk"]["score"],
            "exception_id": scope.exception_id,
            "approval_id": None,
            "monitoring_profile": None,
            "recheck_of": None,
            "refusals": [],
            "plugin_name": "CRM",
            "matrix_expires_at": None,
            "exception_possible": True,
            "report_digest": self.digest(shown),
            "requested_at": NOON,
            "acknowledgement": {"by": "alice", "at": NOON, "statement": "I know"},
            "monitoring": {"profile": "enhanced", "addons": list(ADDONS), "owner": "warehouse-oncall"},
            "report": shown,
        }
        return self._codec.encoder(EXCEPTION_USES, "ExceptionUseRequested")(record | more)

    def outcome(self, scope: Scope = SCOPE, **more: Any) -> bytes:
        record = {
            "outcome_id": "outcome-1",
            "request_id": "request-2",
            "exception_id": scope.exception_id,
            "at": NOON,
            "tenant": scope.tenant,
            "operator": "rollout",
            "environment": scope.environment,
            "target": "cluster-7",
            "plugin_id": scope.plugin_id,
            "plugin_version": scope.plugin_version,
            "outcome": "SUCCEEDED",
            "monitoring": "ATTACHED",
            "monitoring_profile": "enhanced",
            "monitoring_addons": list(ADDONS),
            "reason": "",
        }
        return self._codec.encoder(INSTALL_OUTCOMES, "InstallFinished")(record | more)


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
