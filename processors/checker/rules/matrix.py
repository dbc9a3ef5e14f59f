"""What the matrix itself says: is there one, is it fresh, and do its rows allow this plugin on this host?"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from processors.checker.bounds import LONGEST_NAME
from processors.checker.case import Case
from processors.events.report import Demand, Finding
from processors.events.vocabulary import Code, DemandKind, Dimension, Distance, Effect, Ground, Severity
from processors.matrix.document import Rule

_ROW = {
    "block": (Code.MATRIX_BLOCK, Effect.BLOCK, Severity.MAJOR),
    "warn": (Code.MATRIX_WARN, Effect.WARN, Severity.MINOR),
}


def matrix_is_loaded(case: Case) -> Iterator[Finding]:
    """Without a matrix, or without a required source, nothing can be judged.

    Never loaded, expired and unlisted are three different things.
    """
    if not case.matrix.sources:
        yield _about_matrix(
            case, Code.MATRIX_MISSING, Effect.BLOCK, Severity.MISSING, "matrix", DemandKind.MATRIX_LOADED, None
        )
        return
    for name in case.matrix.missing:  # what it would have forbidden is unknown
        yield _about_matrix(
            case, Code.MATRIX_MISSING, Effect.BLOCK, Severity.MISSING, name, DemandKind.MATRIX_LOADED, None
        )


def matrix_is_fresh(case: Case) -> Iterator[Finding]:
    """A source that has expired no longer states what is true."""
    for source in case.matrix.expired(case.now):
        yield _about_matrix(
            case,
            Code.MATRIX_EXPIRED,
            Effect.BLOCK,
            Severity.STALE,
            source.name,
            DemandKind.MATRIX_FRESH,
            source.revision,
        )


def plugin_is_listed(case: Case) -> Iterator[Finding]:
    """Some source has a row about this plugin and version."""
    policy = case.matrix.undeclared.matrix
    if policy == "allow" or not case.matrix.sources or case.weighing.listed:
        return
    effect, wanted = Effect(policy.upper()), DemandKind.RELEASE_LISTED
    yield _about_matrix(case, Code.MATRIX_UNLISTED, effect, Severity.UNKNOWN, "matrix", wanted, None)


def host_is_known(case: Case) -> Iterator[Finding]:
    """If sources name hosts, this one is among them: otherwise no row about the intended host would apply."""
    host = case.subject.host.name
    if case.matrix.names_host(host):
        return
    near = get_close_matches(host[:LONGEST_NAME], sorted(case.matrix.hosts_named), n=1)
    found = near[0] if near else None
    wanted = DemandKind.HOST_KNOWN
    yield _about_matrix(case, Code.MATRIX_UNLISTED, Effect.BLOCK, Severity.UNKNOWN, host, wanted, found)


def rows_allow(case: Case) -> Iterator[Finding]:
    """Each source's deciding row binds; the strictest wins because every one of them becomes a finding."""
    for rule in case.weighing.decisive:
        if rule.action != "allow":
            code, effect, severity = _ROW.get(rule.action, _ROW["block"])  # an unknown action permits nothing
            yield _about_row(case, rule, code, effect, severity, rule.notes or None)
    for rule, error in case.weighing.broken:
        yield _about_row(case, rule, Code.CONSTRAINT_INVALID, Effect.BLOCK, Severity.UNKNOWN, str(error))


def _about(rule: Rule) -> str:
    """What a row is about, as `PLUGIN VERSIONS @ HOST RANGE`, without the parts that it leaves open."""
    lowest = f">={rule.min_version}" if rule.min_version else ""
    highest = f"<={rule.max_version}" if rule.max_version else ""
    plugin = " ".join(filter(None, (rule.plugin, lowest, highest)))
    return f"{plugin} @ {rule.host} {rule.host_range}".rstrip()


def _about_row(
    case: Case, rule: Rule, code: Code, effect: Effect, severity: Severity, found: str | None
) -> Finding:
    return Finding(
        code=code,
        dimension=Dimension.MATRIX,
        effect=effect,
        severity=severity,
        subject=case.plugin,
        object=case.subject.host.name,
        required=Demand(
            constraint=_about(rule),
            kind=DemandKind.MATRIX_ROW,
            stated_by="matrix",
            source=rule.source,
            revision=rule.revision,
            row=rule.row,
        ),
        found=found,
        distance=Distance.NONE,
        help=rule.docs,
    )


def _about_matrix(
    case: Case,
    code: Code,
    effect: Effect,
    severity: Severity,
    object: str,
    wanted: DemandKind,
    found: str | None,
) -> Finding:
    return Finding(
        code=code,
        dimension=Dimension.MATRIX,
        effect=effect,
        severity=severity,
        subject=case.plugin,
        object=object,
        required=Demand(constraint="", kind=wanted, stated_by="guard"),
        found=found,
        ground=Ground.SIMILAR_NAME if wanted is DemandKind.HOST_KNOWN and found else Ground.UNKNOWN,
        distance=Distance.MISSING,
    )
