"""Which months may leave the ledger, and how: verified, exported, detached, and dropped a week later.

Nothing younger than 365 days is removed. This module checks it, and so does the database, by its own clock; neither
relies on the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import psycopg
from sqlalchemy import Connection, Engine, exc, text

from processors.errors import SettingsInvalid
from processors.ledger.database import reading, writing
from processors.ledger.export import Format, export
from processors.ledger.queries import Wanted

LEAST_DAYS: Final = 365
REST: Final = timedelta(days=7)
"""Between detaching and dropping, in case somebody misses something."""


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the ledger. `youngest` is its youngest row, None if empty; `detached` when it was detached."""

    name: str
    rows: int
    youngest: datetime | None
    detached: datetime | None = None

    @property
    def end(self) -> datetime:
        year, month = map(int, self.name.split("_"))
        return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done with a month, and why."""

    month: Month
    action: Literal["keep", "detach", "drop"]
    why: str


def plan(months: Sequence[Month], now: datetime, keep_days: int) -> list[Step]:
    """What retention does at `now`. Nothing is removed before 365 days, whatever `keep_days` says.

    Months are removed in order: as long as an older month stays, a month stays.
    """
    limit = now - timedelta(days=max(keep_days, LEAST_DAYS))
    steps: list[Step] = []
    elder_stays = False
    for month in sorted(months, key=lambda month: month.name):
        if month.detached is not None:
            rested = month.detached + REST
            done = rested <= now and _age(month) <= limit
            steps.append(
                Step(month, "drop" if done else "keep", f"detached, may be dropped from {rested:%Y-%m-%d}")
            )
        elif _age(month) > limit or month.end > limit:
            elder_stays = True
            steps.append(Step(month, "keep", _why_too_young(month, limit)))
        elif elder_stays:
            steps.append(Step(month, "keep", "an older month stays"))
        else:
            what = "all rows are older than" if month.youngest else "is empty, and ended before"
            steps.append(Step(month, "detach", f"{what} {limit:%Y-%m-%d}"))
    return steps


def _why_too_young(month: Month, limit: datetime) -> str:
    if month.youngest is not None and month.youngest > limit:
        return f"holds rows younger than {limit:%Y-%m-%d}"
    return f"{'' if month.youngest else 'is empty, and '}too young: it ends after {limit:%Y-%m-%d}"


def _age(month: Month) -> datetime:
    return month.youngest or month.end


def months(connection: Connection) -> list[Month]:
    """The months that are attached, and those that are detached but not dropped yet."""
    attached = connection.execute(
        text(
            "SELECT substr(c.relname, length('ledger_events_') + 1) FROM pg_inherits i "
            "JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'ledger.ledger_events'::regclass ORDER BY 1"
        )
    ).scalars()
    found = [_month(connection, name) for name in attached]
    retired = connection.execute(
        text("SELECT month, rows, youngest, detached_at FROM ledger.retired_months WHERE dropped_at IS NULL")
    )
    return found + [Month(name, rows, _instant(youngest), detached) for name, rows, youngest, detached in retired]


def _month(connection: Connection, name: str) -> Month:
    rows, youngest = connection.execute(
        text(f"SELECT count(*), max(appended_at) FROM ledger.ledger_events_{name}")
    ).one()
    return Month(name, rows, youngest)


def _instant(youngest: datetime | str) -> datetime | None:
    return youngest if isinstance(youngest, datetime) else None


def carry_out(
    engine: Engine, step: Step, folder: Path, format_: Format, verified: Callable[[Month], bool]
) -> Path | None:
    """Do one step as the maintenance role; returns the manifest of an export. `verified` must be true for a month
    that is to be removed.

    Raises SettingsInvalid if the month is incomplete, or if the database refuses.
    """
    if step.action == "detach":
        return _detach(engine, step.month, folder, format_, verified)
    if step.action == "drop":
        _call(engine, "SELECT ledger.drop_month(:month)", step.month)
        _call(engine, "SELECT ledger.forget_seen(:end)", step.month)
    return None


def _detach(engine: Engine, month: Month, folder: Path, format_: Format, verified: Callable[[Month], bool]) -> Path:
    if not verified(month):
        raise SettingsInvalid(f"month {month.name} is not complete; see `compat-guard ledger verify`")
    with reading(engine) as connection:
        wanted = Wanted(since=_millis(month.end - timedelta(days=1), first=True), until=_millis(month.end))
        path = folder / f"ledger_{month.name}.{format_}"
        manifest = export(connection, wanted, path, format_, lambda _: None)
    digest = f"sha256:{hashlib.sha256(manifest.read_bytes()).hexdigest()}"
    _call(engine, "SELECT ledger.detach_month(:month, :digest)", month, digest)
    return manifest


def _millis(instant: datetime, *, first: bool = False) -> int:
    start = instant.replace(day=1) if first else instant
    return int(start.timestamp() * 1000)


def _call(engine: Engine, query: str, month: Month, digest: str = "") -> None:
    try:
        with writing(engine) as connection:
            values = {"month": month.name, "digest": digest, "end": month.end}
            connection.execute(text(query), {name: value for name, value in values.items() if f":{name}" in query})
    except exc.DBAPIError as error:
        if isinstance(error.orig, psycopg.Error):
            raise SettingsInvalid(f"the database refuses: {str(error.orig).partition(chr(10))[0]}") from None
        raise
