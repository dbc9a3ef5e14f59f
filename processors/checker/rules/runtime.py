"""Does the host have the runtimes that the plugin needs?

Runtimes and databases have versions of their own making (go 1.22, node 20, java 17), so they are read as npm
reads them, with the parts that are left out taken as zero, whatever the host's dialect is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from processors.checker.case import Case, readable
from processors.checker.fit import Side, misfit
from processors.checker.offers import Offers
from processors.checker.rules.invalid import unreadable
from processors.checker.statements import Statement
from processors.errors import Refused
from processors.events.report import Demand, Finding
from processors.events.subject import Requirement
from processors.events.vocabulary import Code, DemandKind, Dimension, Distance, Effect, Severity
from processors.versions import Dialect, Version, parse_range

_SHORT = re.compile(r"v?([0-9]{1,15})(?:\.([0-9]{1,15}))?", re.ASCII)
_NAMES = {"golang": "go", "nodejs": "node", "node.js": "node", "jdk": "java", "jre": "java", "jvm": "java"}


def runtimes_fit(case: Case) -> Iterator[Finding]:
    """Each runtime that is demanded is there in an admitted version; where there are several, one must fit.

    A host that lists no runtimes at all has not told; what the matrix says of undeclared runtimes decides then.
    """
    there: dict[str, list[str]] = {}
    for runtime in case.subject.runtimes:
        there.setdefault(known_runtime(runtime.id), []).append(runtime.version)
    for need, statement in case.runtimes():
        versions = there.get(known_runtime(need.id))
        if versions:
            yield from _one_fits(case, need, statement, versions)
        elif there:
            yield _finding(
                case, Code.RUNTIME_TOO_OLD, need, statement, None, Severity.MISSING, Distance.MISSING, Effect.BLOCK
            )
        elif case.matrix.undeclared.runtime != "allow":
            effect = Effect(case.matrix.undeclared.runtime.upper())
            yield _finding(
                case, Code.RUNTIME_UNDECLARED, need, statement, None, Severity.UNKNOWN, Distance.MISSING, effect
            )


def runtime_is_declared(case: Case) -> Iterator[Finding]:
    """Nobody says which runtime this plugin needs. Undeclared is a state of its own, never a pass."""
    policy = case.matrix.undeclared.runtime
    if policy == "allow" or case.manifest.runtimes is not None or any(r.runtimes for r in case.releases):
        return
    yield Finding(
        code=Code.RUNTIME_UNDECLARED,
        dimension=Dimension.RUNTIME,
        effect=Effect(policy.upper()),
        severity=Severity.UNKNOWN,
        subject=case.plugin,
        object="runtime",
        required=Demand(constraint="", kind=DemandKind.STATED_RUNTIME, stated_by="guard"),
        found=None,
        distance=Distance.MISSING,
    )


@lru_cache(4_096)
def runtime_version(text: str) -> Version | None:
    """The version of a runtime or database; `1.22` and `17` are read as 1.22.0 and 17.0.0."""
    short = _SHORT.fullmatch(text)
    return readable(f"{short[1]}.{short[2] or 0}.0" if short else text, Dialect.NPM)


def known_runtime(name: str) -> str:
    """One name for each runtime, whatever a vendor and an administrator call it."""
    folded = name.lower()
    return _NAMES.get(folded, folded)


def _one_fits(case: Case, need: Requirement, statement: Statement, versions: list[str]) -> Iterator[Finding]:
    try:
        range = parse_range(statement.text, Dialect.NPM)
    except Refused as error:
        yield unreadable(case, Dimension.RUNTIME, need.id, statement, error, dialect=Dialect.NPM)
        return
    if not need.range.strip():
        return
    if any((version := runtime_version(text)) and range.admits(version) for text in versions):
        return
    best = Offers(versions, runtime_version).best(range)
    if best.version is None or range.is_empty():
        unread = None if best.version else best.text
        yield unreadable(case, Dimension.RUNTIME, need.id, statement, None, dialect=Dialect.NPM, version=unread)
    elif (miss := misfit(range, best.version)) is not None:
        code = Code.RUNTIME_TOO_NEW if miss.side is Side.TOO_NEW else Code.RUNTIME_TOO_OLD
        yield _finding(case, code, need, statement, best.text, miss.severity, miss.distance, Effect.BLOCK)


def _finding(
    case: Case,
    code: Code,
    need: Requirement,
    statement: Statement,
    found: str | None,
    severity: Severity,
    distance: Distance,
    effect: Effect,
) -> Finding:
    return Finding(
        code=code,
        dimension=Dimension.RUNTIME,
        effect=Effect.WARN if need.optional else effect,
        severity=severity,
        subject=case.plugin,
        object=need.id,
        required=statement.demand(Dialect.NPM),
        found=found,
        distance=distance,
        optional=need.optional,
    )
