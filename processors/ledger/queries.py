"""Questions an auditor asks: what matches, and the whole story of one case."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text

from processors.events import topics
from processors.ledger.records import COLUMNS, RECHECK


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an event must match; None matches all. People are the names they may have in the ledger, see masking.py.

    `since` (inclusive) and `until` (exclusive) are milliseconds since the epoch, by the broker's clock. `machinery`
    also lets pass what the guard writes for itself: changelogs and anchors.
    """

    plugin_id: str | None = None
    plugin_version: str | None = None
    host_version: str | None = None
    approval_id: str | None = None
    exception_id: str | None = None
    request_id: str | None = None
    event_id: str | None = None
    band: str | None = None
    verdict: str | None = None
    state: str | None = None
    environment: str | None = None
    tenant: str | None = None
    kind: str | None = None
    topic: str | None = None
    approver: Sequence[str] | None = None
    operator: Sequence[str] | None = None
    finding: str | None = None
    since: int | None = None
    until: int | None = None
    machinery: bool = True


class RecordPosition(NamedTuple):
    """Where an event lies, and the key by which pages are turned: newest first, then by place."""

    appended_at: int
    topic: str
    partition: int
    offset: int


_MILLIS = "(extract(epoch FROM e.appended_at) * 1000)::bigint"
SELECTED: Final = (*COLUMNS, "sequence", "row_hash")
_COLUMNS: Final = tuple(
    f"{_MILLIS} AS appended_at"
    if name == "appended_at"
    else "e.payload::text"
    if name == "payload"
    else f'e."{name}"'
    for name in SELECTED
)
_LIST: Final = ", ".join(_COLUMNS)
_SPECIAL = ("finding", "since", "until", "approver", "operator", "machinery")
MACHINERY: Final = ("ExceptionState", "LedgerAnchored")
"""Kinds of events by which the guard keeps itself; they tell nothing that another event does not."""
_INSTANT = "to_timestamp(CAST(:{} AS float8) / 1000)"


def search(
    connection: Connection, wanted: Wanted, *, limit: int = 100, after: RecordPosition | None = None
) -> list[dict[str, Any]]:
    """The newest matching events, at most `limit`; `after` is the place of the last one of the page before."""
    values = _values(wanted) | {"limit": limit}
    where = _conditions(wanted)
    by = "f" if _by_finding(wanted) else "e"
    if after is not None:
        instant = _INSTANT.format("at")
        where.append(f'({by}.appended_at, {by}.topic, {by}.partition, {by}."offset") < ({instant}, :t, :p, :o)')
        values |= {"at": after.appended_at, "t": after.topic, "p": after.partition, "o": after.offset}
    order = f'ORDER BY {by}.appended_at DESC, {by}.topic DESC, {by}.partition DESC, {by}."offset" DESC'
    query = f"SELECT {_LIST} FROM {_source(wanted)}{_where(where)} {order} LIMIT :limit"
    return [dict(row._mapping) for row in connection.execute(text(query), values)]  # pyright: ignore[reportPrivateUsage]


def every(connection: Connection, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """All matching events, oldest first, a few thousand in memory at a time."""
    query = (
        f"SELECT {_LIST} FROM {_source(wanted)}{_where(_conditions(wanted))} "
        'ORDER BY e.appended_at, e.topic, e.partition, e."offset"'
    )
    for row in connection.execution_options(yield_per=5000).execute(text(query), _values(wanted)):
        yield dict(row._mapping)  # pyright: ignore[reportPrivateUsage]


def count(connection: Connection, wanted: Wanted) -> int:
    query = f"SELECT count(*) FROM {_source(wanted)}{_where(_conditions(wanted))}"
    return connection.execute(text(query), _values(wanted)).scalar_one()


_NARROW = ("plugin_id", "approval_id", "exception_id", "request_id", "event_id", "approver", "operator")


def _by_finding(wanted: Wanted) -> bool:
    """Whether events are found by way of their findings, in whose index they are in order. What is narrower than a
    finding leads, and the finding is then looked up in the row."""
    return wanted.finding is not None and all(getattr(wanted, name) is None for name in _NARROW)


def _source(wanted: Wanted) -> str:
    """LATERAL and LIMIT keep the planner from joining all findings before it sorts them."""
    if not _by_finding(wanted):
        return "ledger.ledger_events e"
    same = 'd.topic = f.topic AND d.partition = f.partition AND d."offset" = f."offset"'
    return (
        "ledger.event_findings f CROSS JOIN LATERAL (SELECT * FROM ledger.ledger_events d "
        f"WHERE {same} AND d.appended_at = f.appended_at LIMIT 1) e"
    )


def _where(conditions: Sequence[str]) -> str:
    return " WHERE " + " AND ".join(conditions) if conditions else ""


def _conditions(wanted: Wanted) -> list[str]:
    plain = [f"e.{name} = :{name}" for name in _set(wanted) if name not in _SPECIAL]
    people = [_is_person(name, getattr(wanted, name)) for name in ("approver", "operator") if name in _set(wanted)]
    return [
        *plain,
        *people,
        *(
            ["f.code = :finding" if _by_finding(wanted) else ":finding = ANY(e.finding_codes)"]
            if wanted.finding
            else []
        ),
        *([f"e.appended_at >= {_INSTANT.format('since')}"] if wanted.since is not None else []),
        *([f"e.appended_at < {_INSTANT.format('until')}"] if wanted.until is not None else []),
        *([] if wanted.machinery else [f"e.kind NOT IN {MACHINERY}"]),
    ]


def _is_person(column: str, names: Sequence[str]) -> str:
    """One name is compared for equality, so that its index also gives the order."""
    return f"e.{column} = (CAST(:{column} AS text[]))[1]" if len(names) == 1 else f"e.{column} = ANY(:{column})"


def _set(wanted: Wanted) -> list[str]:
    return [field.name for field in fields(wanted) if getattr(wanted, field.name) is not None]


def _values(wanted: Wanted) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in _set(wanted)}


def place_of(row: dict[str, Any]) -> RecordPosition:
    return RecordPosition(row["appended_at"], row["topic"], row["partition"], row["offset"])


OUTCOMES: Final[Mapping[str, int]] = {
    "ApprovalDecided": 200,
    "ExceptionDecided": 200,
    "CompatibilityChecked": 1,
    "InstallFinished": 1,
}
"""Kinds of events that say what came of an exception, see summary.py, and how many of each are read of one: of
answers and outcomes only the last one counts."""

_FACTS: Final = ", ".join(
    "CASE WHEN e.kind IN ('ApprovalDecided', 'ExceptionDecided') THEN e.payload::text ELSE '{}' END AS payload"
    if column == "e.payload::text"
    else column
    for column in _COLUMNS
)
"""As `_LIST`, without the payloads that no summary reads: the reports of answers are large."""


def of_exceptions(
    connection: Connection, exceptions: Collection[str], tenants: Collection[str]
) -> list[dict[str, Any]]:
    """What came of these exceptions, in order: the newest events of each, however many another one has.

    Of these tenants and of none: what approvers sign names no tenant, and anybody can name an exception. What the
    guard asked itself is left out. Answers and outcomes come without their payloads.
    """
    query = (
        f"SELECT {_FACTS} FROM unnest(CAST(:exceptions AS text[])) AS x(id) "
        "CROSS JOIN unnest(CAST(:kinds AS text[]), CAST(:most AS int[])) AS k(kind, most) "
        "CROSS JOIN LATERAL (SELECT * FROM ledger.ledger_events d "
        "WHERE d.exception_id = x.id AND d.kind = k.kind AND d.status = 'recorded' "
        "AND (coalesce(d.tenant, '') = '' OR d.tenant = ANY(:tenants)) "
        f"AND (d.kind <> 'CompatibilityChecked' OR d.state IS DISTINCT FROM '{RECHECK}') "
        'ORDER BY d.appended_at DESC, d."offset" DESC LIMIT k.most) AS e'
    )
    kinds, most = list(OUTCOMES), list(OUTCOMES.values())
    values = {"exceptions": list(exceptions), "tenants": list(tenants), "kinds": kinds, "most": most}
    found = [dict(row._mapping) for row in connection.execute(text(query), values)]  # pyright: ignore[reportPrivateUsage]
    return sorted(found, key=_as_it_went)


LONGEST_STORY: Final = 5_000


def story(connection: Connection, case: str) -> list[dict[str, Any]]:
    """Every event of a case in order: of a request and the exception it ran under, or of an exception and all
    requests that led to it or used it. Empty if nothing bears that id."""
    requests, exceptions = _related(connection, {case}, {case})
    requests, exceptions = _related(connection, requests, exceptions)
    query = (
        f"SELECT {_LIST} FROM ledger.ledger_events e WHERE e.request_id = ANY(:requests) "
        "OR e.exception_id = ANY(:exceptions) OR e.event_id = :case ORDER BY e.appended_at LIMIT :limit"
    )
    values = {"requests": list(requests), "exceptions": list(exceptions), "case": case, "limit": LONGEST_STORY}
    found = [dict(row._mapping) for row in connection.execute(text(query), values)]  # pyright: ignore[reportPrivateUsage]
    return sorted(found, key=_as_it_went)


_IN_TURN: Final = {topic: turn for turn, topic in enumerate((
    topics.INSTALL_REQUESTS, topics.EXCEPTION_USES, topics.RESULTS, topics.BLOCKS, topics.EXCEPTION_REQUESTS,
    topics.APPROVAL_DECISIONS, topics.EXCEPTION_DECISIONS, topics.INSTALL_OUTCOMES,
))}  # fmt: skip


def _as_it_went(row: dict[str, Any]) -> tuple[int, int, int]:
    """By time; what happened in one millisecond in the order in which one thing leads to another."""
    return row["appended_at"], _IN_TURN.get(row["topic"], len(_IN_TURN)), row["offset"]


def _related(connection: Connection, requests: set[str], exceptions: set[str]) -> tuple[set[str], set[str]]:
    found = connection.execute(
        text(
            "SELECT DISTINCT request_id, exception_id FROM ledger.ledger_events "
            "WHERE request_id = ANY(:requests) OR exception_id = ANY(:exceptions)"
        ),
        {"requests": list(requests), "exceptions": list(exceptions)},
    ).all()
    return requests | {r for r, _ in found if r}, exceptions | {x for _, x in found if x}
