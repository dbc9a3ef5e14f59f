"""The report of a period: counted from the ledger, and safe to open."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from examples.ledgers import NOW, commit, rows_of, started
from sqlalchemy import Engine

from processors.ledger.database import connect, reading
from processors.ledger.period import Period, Section, period
from processors.ledger.period_views import VIEWS, csv_text, html, markdown
from processors.ledger.records import Row
from processors.ledger.samples import story

pytestmark = pytest.mark.stack


@pytest.fixture
def rows(sink: Engine) -> list[Row]:
    filed = rows_of([sample for number in range(3) for sample in story(number)])
    commit(started(sink, filed), filed)
    return filed


@pytest.fixture
def month(database: str, rows: list[Row]) -> Period:
    now = datetime.fromtimestamp(NOW / 1000, UTC)
    engine = connect(database, "guard_auditor")
    try:
        with reading(engine) as connection:
            return period(connection, now - timedelta(days=1), now + timedelta(days=1))
    finally:
        engine.dispose()


def section(report: Period, title: str) -> list[dict[str, object]]:
    (found,) = (one for one in report.sections if one.title == title)
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def test_every_block_and_exception_of_the_period_is_counted(month: Period, rows: list[Row]) -> None:
    """From the same rows that a search finds."""
    blocks = [row for row in rows if row.topic == "compat.blocks"]
    deciding = {row.approver for row in rows if row.topic == "compat.exception-decisions" and row.approver}

    assert sum(int(str(row["blocks"])) for row in section(month, "Blocks by risk")) == len(blocks)
    assert {row["finding"] for row in section(month, "Top causes")} == {
        c for row in blocks for c in row.finding_codes
    }
    assert len(section(month, "Exceptions")) == len({row.exception_id for row in rows if row.exception_id})
    assert {row["approver"] for row in section(month, "Approver load")} == deciding


def test_a_period_before_has_nothing(database: str, rows: list[Row]) -> None:
    """And every view of nothing says so."""
    then = datetime(2025, 1, 1, tzinfo=UTC)
    engine = connect(database, "guard_auditor")
    with reading(engine) as connection:
        empty = period(connection, then, then + timedelta(days=31))
    engine.dispose()

    assert not any(one.rows for one in empty.sections if one.title != "Overdue")
    assert all(render(empty) for render in VIEWS.values())


def test_every_view_has_every_figure(month: Period) -> None:
    cells = list(csv.DictReader(io.StringIO(csv_text(month))))

    assert {cell["section"] for cell in cells} == {one.title for one in month.sections if one.rows}
    for one in month.sections:
        assert f"## {one.title}" in markdown(month)
        assert f"<h2>{one.title}</h2>" in html(month)


def test_what_comes_from_outside_is_neither_markup_nor_a_formula() -> None:
    """An id is its sender's choice, and the report is opened in a browser or a spreadsheet."""
    now = datetime.now(UTC)
    hostile = Period(now, now, (Section("S", "m", ("plugin",), [("=1+1|<script>",)]),))

    assert "'=1+1" in csv_text(hostile)
    assert "<script>" not in html(hostile)
    assert "\\|\\<script\\>" in markdown(hostile)
