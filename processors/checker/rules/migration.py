"""Would the data survive, and is there a way back? About upgrades: a fresh installation has no data to lose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from processors.checker.case import Case, readable
from processors.checker.rules.lifecycle import is_withdrawn
from processors.events.report import Demand, Finding
from processors.events.subject import Migration
from processors.events.vocabulary import Code, DemandKind, Dimension, Distance, Effect, Ground, Severity
from processors.matrix.document import Release
from processors.matrix.identity import is_same_release
from processors.versions import Distance as Step
from processors.versions import Range, Version, parse_range


class _Wanted(NamedTuple):
    """The kind of a demand about migrations, and its value if it has one."""

    kind: DemandKind
    value: str = ""


def no_downgrade(case: Case) -> Iterator[Finding]:
    """An older version replaces a newer one. It warns by itself; it blocks if data was changed irreversibly.

    The migrations that have run are those that the deployer states, else those of every release in between.
    """
    before, after = _versions(case)
    if before is None or after is None or not after < before:
        return
    downgrade = _finding(
        case,
        Code.DOWNGRADE,
        Effect.WARN,
        Severity.MINOR,
        "version",
        _Wanted(DemandKind.NOT_OLDER, str(before)),
        str(after),
        "guard",
    )
    yield downgrade
    stays = {_named(migration) for migration in case.migrations()} - {""}
    told = case.previous is not None and case.previous.migrations
    passed = () if told else tuple(m for row in _between(case, after, before) for m in row.migrations)
    for migration in (*_already_run(case), *passed):
        name = _named(migration)
        if migration.reversible is False and name not in stays:
            yield _finding(
                case,
                Code.MIGRATION_IRREVERSIBLE,
                Effect.BLOCK,
                Severity.IRREVERSIBLE,
                name or "migration",
                _Wanted(DemandKind.WAY_BACK),
                None,
                "installed",
                derived_from=downgrade.id,
                ground=Ground.IRREVERSIBLE,
            )


def migrations_can_be_undone(case: Case) -> Iterator[Finding]:
    """An upgrade runs a migration that cannot be undone, or whose vendor does not state whether it can."""
    before, after = _versions(case)
    if before is None or (after is not None and not _is_upgrade(before, after)):
        return
    done = {m.id for m in _already_run(case)}
    for index, migration in enumerate(case.migrations()):
        if migration.reversible is True or (migration.id and migration.id in done):
            continue
        told = migration.reversible is False
        yield _finding(
            case,
            Code.MIGRATION_IRREVERSIBLE,
            Effect.BLOCK if told else Effect.WARN,
            Severity.IRREVERSIBLE if told else Severity.UNKNOWN,
            _name(migration, index),
            _Wanted(DemandKind.REVERSIBLE),
            None,
            row=_origin(case),
            ground=Ground.IRREVERSIBLE if told else Ground.UNSTATED,
        )


def migrations_keep_their_content(case: Case) -> Iterator[Finding]:
    """A migration that has run must not change afterwards: the earlier content produced the data."""
    done = {m.id: m.checksum for m in _already_run(case) if m.id and m.checksum}
    for migration in case.migrations():
        earlier = done.get(migration.id)
        if earlier and migration.checksum and migration.checksum.lower() != earlier.lower():
            yield _finding(
                case,
                Code.MIGRATION_CHECKSUM_CHANGED,
                Effect.BLOCK,
                Severity.MAJOR,
                migration.id,
                _Wanted(DemandKind.CHECKSUM, earlier),
                migration.checksum,
                row=_origin(case),
            )


def migrations_have_no_gap(case: Case) -> Iterator[Finding]:
    """The upgrade skips a release whose migrations have not run and do not come with the new version.

    If migrations state which data version they convert to which, they must form a chain; if the chain leads from
    the present data to the format that the new version reads, nothing in between is needed. A withdrawn release is
    not counted: it cannot be installed.
    """
    before, after = _versions(case)
    if before is None or after is None or not _is_upgrade(before, after):
        return
    known = {_named(migration) for migration in (*_already_run(case), *case.migrations())}
    for release in () if _leads_all_the_way(case) else _between(case, before, after):
        for index, migration in enumerate(release.migrations):
            if _named(migration) not in known:
                known.add(_named(migration))
                yield _skipped(case, release, _name(migration, index))
    yield from _broken_chain(case)


def data_format_can_be_read(case: Case) -> Iterator[Finding]:
    """The data was written in a format that the new version does not read."""
    written, reads = _written(case), case.data_format()
    if not written or not reads or written == reads:
        return
    old, new = readable(_padded(written), case.dialect), readable(_padded(reads), case.dialect)
    if old is not None and new is not None and new >= old:
        if _step(old, new) is not Step.MAJOR or case.migrations():
            return
        ground = Ground.NO_MIGRATION
    else:
        ground = Ground.OUTSIDE
    row = None if case.manifest.data_format else next((r for r in case.releases if r.data_format), None)
    yield _finding(
        case,
        Code.DATA_FORMAT_BREAK,
        Effect.BLOCK,
        Severity.MAJOR,
        "data format",
        _Wanted(DemandKind.DATA_FORMAT, reads),
        written,
        row=row,
        ground=ground,
    )


def _versions(case: Case) -> tuple[Version | None, Version | None]:
    before = readable(case.previous_text, case.dialect_of(case.plugin)) if case.previous_text else None
    return before, case.version


def _already_run(case: Case) -> tuple[Migration, ...]:
    """Migrations that have run: as the deployer states, else those of the installed release in the catalogue."""
    if case.previous and case.previous.migrations:
        return case.previous.migrations
    return tuple(m for row in _installed(case) for m in row.migrations)


def _written(case: Case) -> str:
    """The format of the present data: as the deployer states, else as the catalogue knows it."""
    told = case.previous.data_format if case.previous else ""
    return told or next((row.data_format for row in _installed(case) if row.data_format), "")


def _installed(case: Case) -> Sequence[Release]:
    """The catalogue rows of the release that is replaced, however its version is spelled."""
    if not case.previous_text:
        return ()
    return case.trusted(case.matrix.release(case.plugin, case.previous_text, case.dialect_of(case.plugin)))


def _is_upgrade(before: Version, after: Version) -> bool:
    """Another build of equal order is a change as well: its migrations run."""
    return before < after or (before == after and not is_same_release(before, after))


def _leads_all_the_way(case: Case) -> bool:
    """Whether the migrations that will run lead from the present data to the format that the new version reads."""
    at, reads = _written(case), case.data_format()
    if not at or not reads or at == reads:
        return False
    done = {migration.id for migration in _already_run(case) if migration.id}
    for migration in case.migrations():
        if migration.id not in done:
            if migration.from_version != at or not migration.to_version:
                return False
            at = migration.to_version
    return at == reads


def _between(case: Case, older: Version, newer: Version) -> Iterator[Release]:
    """The catalogue rows of every release between two versions, both excluded."""
    for release in case.trusted(case.matrix.releases(case.plugin)):
        version = readable(release.version, older.dialect)
        if version is not None and older < version < newer and not is_withdrawn(release.lifecycle, case.now):
            yield release


def _origin(case: Case) -> Release | None:
    """The catalogue row that states the plugin's migrations; None if its manifest does."""
    return None if case.manifest.migrations else next((row for row in case.releases if row.migrations), None)


def _named(migration: Migration) -> str:
    """How several releases refer to the same migration; empty if it has no name."""
    return migration.id or migration.entry


def _name(migration: Migration, index: int) -> str:
    return _named(migration) or f"migrations[{index}]"


def _skipped(case: Case, release: Release, name: str) -> Finding:
    return _finding(
        case,
        Code.MIGRATION_GAP,
        Effect.BLOCK,
        Severity.MISSING,
        name,
        _Wanted(DemandKind.MIGRATION_RUN, release.version),
        case.previous_text,
        row=release,
        ground=Ground.SKIPPED,
    )


def _broken_chain(case: Case) -> Iterator[Finding]:
    done = {m.id for m in _already_run(case)}
    at = _written(case)
    for index, migration in enumerate(case.migrations()):
        if migration.id in done and migration.id:
            continue
        if at and migration.from_version and migration.from_version != at:
            yield _finding(
                case,
                Code.MIGRATION_GAP,
                Effect.BLOCK,
                Severity.MISSING,
                _name(migration, index),
                _Wanted(DemandKind.MIGRATION_FROM, migration.from_version),
                at,
                row=_origin(case),
                ground=Ground.OUTSIDE,
            )
        at = migration.to_version or at


def _padded(text: str) -> str:
    """Formats are often counted 1, 2, 3 instead of 1.0.0; both are compared as versions."""
    return text + ".0" * (2 - text.count(".")) if text.replace(".", "").isdigit() else text


def _step(old: Version, new: Version) -> Step:
    exactly: Range = parse_range(new.text, new.dialect)
    return exactly.distance(old)


def _finding(
    case: Case,
    code: Code,
    effect: Effect,
    severity: Severity,
    object: str,
    wanted: _Wanted,
    found: str | None,
    stated_by: str = "manifest",
    *,
    derived_from: str | None = None,
    row: Release | None = None,
    ground: Ground = Ground.UNKNOWN,
) -> Finding:
    demand = Demand(
        constraint=wanted.value,
        kind=wanted.kind,
        stated_by="catalogue" if row else stated_by,
        source=row.source if row else "" if stated_by == "guard" else case.plugin,
        revision=row.revision if row else "",
        row=row.row if row else None,
    )
    return Finding(
        code=code,
        dimension=Dimension.MIGRATION,
        effect=effect,
        severity=severity,
        subject=case.plugin,
        object=object,
        required=demand,
        found=found,
        ground=ground,
        distance=Distance.NONE,
        derived_from=derived_from,
    )
