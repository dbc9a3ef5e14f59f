"""Does the plugin work with the host's database?"""

from __future__ import annotations

from collections.abc import Iterator

from processors.checker.case import Case, readable
from processors.checker.rules.invalid import unreadable
from processors.checker.statements import Statement
from processors.errors import Refused
from processors.events.report import ALTERNATIVES, Demand, Finding
from processors.events.subject import Provision, Requirement
from processors.events.vocabulary import Code, DemandKind, Dimension, Distance, Effect, Severity
from processors.versions import known_runtime, parse_range, scheme_of

_DATABASES = frozenset(
    {"postgresql", "mysql", "mariadb", "sqlite", "mongodb", "redis", "mssql", "oracle", "cockroachdb", "clickhouse"}
)


def database_is_supported(case: Case) -> Iterator[Finding]:
    """Any one of the databases that a manifest or a catalogue row names is enough.

    An unknown database is a warning.
    """
    yield from _supported(case, case.manifest.databases, "manifest", None)
    for release in case.listed:
        yield from _supported(case, release.databases, "catalogue", Statement.of_release("", release))


def migrations_speak_the_database(case: Case) -> Iterator[Finding]:
    """A migration is written for the database that its driver names, if that is a database and not a tool."""
    database = case.subject.database
    for migration in case.migrations():
        driver = known_runtime(migration.driver)
        if database and driver in _DATABASES and driver != known_runtime(database.id):
            demand = Statement(migration.driver, "manifest", case.plugin).demand("", DemandKind.DRIVER)
            found = f"{database.id} {database.version}".strip()
            yield _finding(case, demand, found, Effect.BLOCK, Severity.MAJOR)


def _supported(
    case: Case, databases: tuple[Requirement, ...], stated_by: str, row: Statement | None
) -> Iterator[Finding]:
    if not databases:
        return
    wanted = ALTERNATIVES.join(f"{d.id} {d.range}".strip() for d in databases)
    statement = row._replace(text=wanted) if row else Statement(wanted, stated_by, case.plugin)
    demand = statement.demand("", DemandKind.ONE_OF)
    database = case.subject.database
    if database is None:
        yield _finding(case, demand, None, Effect.WARN, Severity.UNKNOWN)
        return
    try:
        judged = [_admits(need, database) for need in databases]  # all, so that an unreadable one is noticed
    except Refused:
        return  # reported by `ranges_can_be_read`
    if any(judged):
        return
    unread = next((need for need in databases if _is_unread(need, database)), None)
    if unread is not None:
        wanted, scheme = statement._replace(text=unread.range), scheme_of(unread.id)
        yield unreadable(
            case, Dimension.RUNTIME, database.id, wanted, None, dialect=scheme, version=database.version
        )
    else:
        found = f"{database.id} {database.version}".strip()
        yield _finding(case, demand, found, Effect.BLOCK, Severity.MAJOR)


def _admits(need: Requirement, database: Provision) -> bool:
    range, version = parse_range(need.range, scheme_of(need.id)), readable(database.version, scheme_of(need.id))
    if known_runtime(need.id) != known_runtime(database.id):
        return False
    return not need.range.strip() or (version is not None and range.admits(version))


def _is_unread(need: Requirement, database: Provision) -> bool:
    """Whether it is this database, in a version that cannot be read."""
    is_meant = known_runtime(need.id) == known_runtime(database.id)
    return is_meant and readable(database.version, scheme_of(need.id)) is None


def _finding(case: Case, demand: Demand, found: str | None, effect: Effect, severity: Severity) -> Finding:
    return Finding(
        code=Code.DATABASE_UNSUPPORTED,
        dimension=Dimension.RUNTIME,
        effect=effect,
        severity=severity,
        subject=case.plugin,
        object="database",
        required=demand,
        found=found,
        distance=Distance.MISSING if found is None else Distance.NONE,
    )
