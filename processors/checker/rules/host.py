"""Does the host's version satisfy every statement about it?"""

from __future__ import annotations

from collections.abc import Iterator

from processors.checker.case import Case
from processors.checker.fit import Side, misfit
from processors.checker.rules.invalid import unreadable
from processors.checker.statements import speaks_of
from processors.errors import Refused
from processors.events.report import Demand, Finding
from processors.events.vocabulary import Code, DemandKind, Dimension, Distance, Effect, Severity

_CODES = {
    Side.TOO_OLD: Code.HOST_TOO_OLD,
    Side.TOO_NEW: Code.HOST_TOO_NEW,
    Side.PRERELEASE: Code.HOST_PRERELEASE_EXCLUDED,
}


def host_fits(case: Case) -> Iterator[Finding]:
    """The manifest, each vendor and governance bind separately, so one host can be too old twice."""
    host, version = case.subject.host, case.host_version
    for statement in case.host_statements:
        try:
            range = statement.range(case.dialect)
        except Refused as error:
            yield unreadable(case, Dimension.HOST, host.name, statement, error)
            continue
        if range.is_empty():
            yield unreadable(case, Dimension.HOST, host.name, statement, None)
        elif version is not None and (miss := misfit(range, version)) is not None:
            yield Finding(
                code=_CODES[miss.side],
                dimension=Dimension.HOST,
                effect=Effect.BLOCK,
                severity=miss.severity,
                subject=case.plugin,
                object=host.name,
                required=statement.demand(case.dialect),
                found=host.version,
                distance=miss.distance,
            )


def host_is_declared(case: Case) -> Iterator[Finding]:
    """Nobody states which versions of this host the plugin runs on.

    Undeclared is a state of its own and never a pass.
    """
    policy = case.matrix.undeclared.host
    if policy == "allow" or case.is_host_stated:
        return
    host = case.subject.host.name
    if not speaks_of(case.manifest, host, case.matrix.hosts) and not case.matrix.names_host(host):
        return  # misspelt, as `host_is_known` reports
    elsewhere = not speaks_of(case.manifest, host, case.matrix.hosts_of_anybody)
    yield Finding(
        code=Code.HOST_UNDECLARED,
        dimension=Dimension.HOST,
        effect=Effect(policy.upper()),
        severity=Severity.UNKNOWN,
        subject=case.plugin,
        object=case.subject.host.name,
        required=Demand(constraint="", kind=DemandKind.STATED_HOST_RANGE, stated_by="guard"),
        found=case.manifest.host if elsewhere else None,
        distance=Distance.MISSING,
    )
