"""What cannot be read cannot be judged, and what cannot be judged is blocked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from processors.checker.bounds import LONGEST_NAME
from processors.checker.case import Case, readable
from processors.checker.statements import Statement
from processors.checker.workload import too_much
from processors.errors import RangeInvalid, Refused, VersionInvalid, shorten
from processors.events.report import ALTERNATIVES, Demand, Finding
from processors.events.vocabulary import Code, DemandKind, Dimension, Distance, Effect, Ground, Severity
from processors.versions import Dialect, Version, parse_version, scheme_of


def manifest_is_valid(case: Case) -> Iterator[Finding]:
    """Every defect that the reader of the manifest noted, and an invalid id or version."""
    for defect in case.manifest.defects:
        yield _manifest(case, defect.path, defect.problem)
    if not case.plugin.strip():
        yield _manifest(case, "id", "the plugin has no id")
    elif not case.plugin.isprintable():
        yield _manifest(case, "id", "it has characters that cannot be seen, such as one that turns the text around")
    elif len(case.plugin) > LONGEST_NAME:
        yield _manifest(case, "id", f"expected at most {LONGEST_NAME} characters, found {len(case.plugin)}")
    if case.version is None:
        yield _manifest(case, "version", _why(case, case.manifest.version))


def the_request_agrees_with_itself(case: Case) -> Iterator[Finding]:
    """A plugin cannot be installed twice, nor differ from the version that it is said to replace.

    An upgrade cannot be judged from a version that cannot be read.
    """
    for id, versions in case.described_twice.items():
        found = ALTERNATIVES.join(sorted(versions))
        yield _request(id, DemandKind.ONE_DESCRIPTION, "", found, Ground.DESCRIBED_TWICE)
    before, stated = case.previous_text, case.subject.previous_version
    if before is None:
        return
    dialect = case.dialect_of(case.plugin)
    version = readable(before, dialect)
    if version is None:
        yield _reported(case.plugin, Dimension.DEPENDENCY, dialect, before)
    if stated and stated != before and not _is_one(version, readable(stated, dialect)):
        yield _request(case.plugin, DemandKind.INSTALLED_VERSION, before, stated, Ground.OUTSIDE)


def the_request_can_be_judged(case: Case) -> Iterator[Finding]:
    """What has to be compared pair by pair is so little that nobody else waits for it."""
    if problem := too_much(case.subject):
        told = _request(case.plugin, DemandKind.UNKNOWN, "", problem, Ground.UNKNOWN)
        yield replace(told, dimension=Dimension.MANIFEST)  # which comes first in a report


def ranges_can_be_read(case: Case) -> Iterator[Finding]:
    """Every range in manifest and catalogue can be read, even if nothing is installed to compare it with.

    Ranges of host versions are left to `host_fits`, which always has a host to compare them with.
    """
    for dimension, dialect_of, stated in (
        (Dimension.DEPENDENCY, case.dialect_of, case.requirements),
        (Dimension.CONFLICT, case.dialect_of, case.conflicts()),
        (Dimension.RUNTIME, _of_runtime, case.runtimes()),
        (Dimension.RUNTIME, _of_runtime, case.databases()),
        (Dimension.API_SCHEMA, _of_contract, case.consumes()),
    ):
        for need, statement in stated:
            dialect = dialect_of(need.id, need.range)
            try:
                if not need.range or not statement.range(dialect).is_empty():
                    continue
                error = None
            except Refused as refused:
                error = refused
            yield unreadable(case, dimension, need.id, statement, error, dialect=dialect)


def host_version_is_valid(case: Case) -> Iterator[Finding]:
    """A host whose version cannot be read fits nothing."""
    if case.host_version is None:
        yield _reported(case.subject.host.name, Dimension.HOST, case.dialect, case.subject.host.version)


def unreadable(
    case: Case,
    dimension: Dimension,
    object: str,
    statement: Statement,
    error: Refused | None,
    subject: str = "",
    dialect: Dialect | None = None,
    version: str | None = None,
) -> Finding:
    """A range that its dialect cannot read, or that admits nothing at all (`error` and `version` None).

    With `version`, the object is installed in a version that cannot be read: that is not the fault of the range's
    author, and an exception may cover it. The dialect is the host's unless one is given.
    """
    if version is not None:
        found, ground = version, Ground.UNREADABLE_VERSION
    elif error is None:
        found, ground = None, Ground.EMPTY_RANGE
    else:
        found, ground = _illegible(error), Ground.UNREADABLE_RANGE
    return Finding(
        code=Code.CONSTRAINT_INVALID if version is None else Code.VERSION_UNREADABLE,
        dimension=dimension,
        effect=Effect.BLOCK,
        severity=Severity.UNKNOWN,
        subject=subject or case.plugin,
        object=object,
        required=statement.demand(dialect or case.dialect),
        found=found,
        ground=ground,
        distance=Distance.UNKNOWN,
    )


def _illegible(error: Refused) -> str | None:
    """The part that cannot be read; None if the text ends too early."""
    if isinstance(error, RangeInvalid):
        return shorten(error.text[error.at :]) or None
    return shorten(error.text) if isinstance(error, VersionInvalid) else str(error)


def _reported(subject: str, dimension: Dimension, dialect: Dialect, found: str) -> Finding:
    """What is installed, in a version that cannot be read."""
    return Finding(
        code=Code.VERSION_UNREADABLE,
        dimension=dimension,
        effect=Effect.BLOCK,
        severity=Severity.UNKNOWN,
        subject=subject,
        object="version",
        required=Demand(constraint=dialect, kind=DemandKind.READABLE_VERSION, stated_by="guard"),
        found=found,
        ground=Ground.UNREADABLE_VERSION,
        distance=Distance.UNKNOWN,
    )


def _is_one(version: Version | None, other: Version | None) -> bool:
    return version is not None and other is not None and version.is_same_release(other)


def _of_runtime(name: str, _range: str) -> Dialect:
    return scheme_of(name)


def _of_contract(_id: str, _range: str) -> Dialect:
    return Dialect.NPM


def _request(plugin: str, kind: DemandKind, value: str, found: str, ground: Ground) -> Finding:
    return Finding(
        code=Code.CONSTRAINT_INVALID,
        dimension=Dimension.DEPENDENCY,
        effect=Effect.BLOCK,
        severity=Severity.UNKNOWN,
        subject=plugin,
        object="request",
        required=Demand(constraint=value, kind=kind, stated_by="guard"),
        found=found,
        ground=ground,
        distance=Distance.UNKNOWN,
    )


def _manifest(case: Case, path: str, problem: str) -> Finding:
    return Finding(
        code=Code.MANIFEST_INVALID,
        dimension=Dimension.MANIFEST,
        effect=Effect.BLOCK,
        severity=Severity.MAJOR,
        subject=case.plugin,
        object=path,
        required=Demand(constraint="", kind=DemandKind.VALID_MANIFEST, stated_by="guard"),
        found=problem,
        distance=Distance.UNKNOWN,
    )


def _why(case: Case, text: str) -> str:
    try:
        parse_version(text, case.dialect_of(case.plugin))
    except VersionInvalid as error:
        return str(error)
    return ""
