"""The answer while the guard is switched off: a warning that says so, in the form of every other answer. Pure."""

from __future__ import annotations

from typing import Final

import processors
from processors.checker.bounds import brief
from processors.documents.canonical import digest_of
from processors.events.report import Demand, Finding, Report, Risk
from processors.events.subject import Subject
from processors.events.vocabulary import Band, Code, DemandKind, Dimension, Distance, Effect, Severity, Verdict

FEATURE: Final = "plugin-compat-guard"
SAYS: Final = f"The compatibility guard is switched off by the feature {FEATURE}: nothing was checked."
_BASIS: Final = f"{processors.__version__}\n{FEATURE}: off"


def unguarded(subject: Subject, input_digest: str) -> Report:
    """WARN, never ALLOW: the installation goes on, people are notified, and the ledger shows that nothing was
    checked."""
    manifest, host = subject.manifest, subject.host
    finding = Finding(
        code=Code.GUARD_OFF,
        dimension=Dimension.MATRIX,
        effect=Effect.WARN,
        severity=Severity.UNKNOWN,
        subject=brief(manifest.id),
        object=FEATURE,
        required=Demand(constraint="", kind=DemandKind.SWITCHED_ON, stated_by="guard"),
        distance=Distance.NONE,
        sentence=SAYS,
        help=f"Switch {FEATURE} on in config/guard.yaml, and ask again.",
    )
    return Report(
        engine=processors.__version__,
        input_digest=input_digest,
        basis_digest=digest_of(_BASIS.encode()),
        plugin_id=brief(manifest.id),
        plugin_version=brief(manifest.version),
        host=brief(host.name),
        host_version=brief(host.version),
        dialect="",
        verdict=Verdict.WARN,
        summary=SAYS,
        findings=(finding,),
        risk=Risk(0, Band.UNKNOWN),
    )
