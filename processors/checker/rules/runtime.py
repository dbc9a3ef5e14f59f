"""Does the host have the runtimes that the plugin needs?

Runtimes and databases count their versions in ways of their own (go1.22.3, 1.8.0_462), so each is read in the
dialect of its name, whatever the host's is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from processors.checker.case import Case, readable
from processors.checker.fit import Side, misfit
from processors.checker.offers import Offers
from processors.checker.rules.invalid import unreadable
from processors.checker.statements import Statement
from processors.errors import Refused
from processors.events.report import Demand, Finding
from processors.events.subject import Requirement
from processors.events.vocabulary import Code, DemandKind, Dimension, Distance, Effect, Severity
from processors.manifests.ecosystem import WITHOUT_RUNTIME
from processors.versions import known_runtime, parse_range, scheme_of


def runtimes_fit(case: Case) -> Iterator[Finding]:
    """Each demanded runtime is there in an admitted version; if there are several, one must fit.

    A host that lists no runtimes at all has stated nothing; what the matrix says of undeclared runtimes decides
    then.
    """
    there = _there(case)
    for need, statement in case.runtimes():
        offers = there.get(known_runtime(need.id))
        if offers is not None:
            yield from _one_fits(case, need, statement, offers)
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
    """Nobody states which runtime this plugin needs. Undeclared is a state of its own, never a pass."""
    policy = case.matrix.undeclared.runtime
    if policy == "allow" or case.manifest.runtimes is not None or any(r.runtimes for r in case.releases):
        return
    if case.manifest.host in WITHOUT_RUNTIME:
        return  # the format has no field for it, so its silence is not the author's
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


def _there(case: Case) -> Mapping[str, Offers]:
    """The versions of each runtime that the host has, read in the dialect of its name."""
    there: dict[str, list[str]] = {}
    for runtime in case.subject.runtimes:
        there.setdefault(known_runtime(runtime.id), []).append(runtime.version)
    return {name: Offers(versions, partial(readable, dialect=scheme_of(name))) for name, versions in there.items()}


def _one_fits(case: Case, need: Requirement, statement: Statement, offers: Offers) -> Iterator[Finding]:
    dialect = scheme_of(need.id)
    try:
        range = parse_range(statement.text, dialect)
    except Refused as error:
        yield unreadable(case, Dimension.RUNTIME, need.id, statement, error, dialect=dialect)
        return
    if not need.range.strip():
        return
    best = offers.best(range)
    if best.version is not None and range.admits(best.version):
        return
    if best.version is None or range.is_empty():
        unread = None if best.version else best.text
        yield unreadable(case, Dimension.RUNTIME, need.id, statement, None, dialect=dialect, version=unread)
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
        required=statement.demand(scheme_of(need.id)),
        found=found,
        distance=distance,
        optional=need.optional,
    )
