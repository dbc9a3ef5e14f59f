"""Results a line each: the columns that somebody asks for, and nothing that a terminal obeys."""

from __future__ import annotations

from typing import Any

import pytest

from processors.cli.requests.lines import COLUMNS, heading, line, require_known, row
from processors.errors import SettingsInvalid
from processors.events.results import Result

AT = 1_700_000_000_000
RESULT: dict[str, Any] = {
    **{"request_id": "r-1", "result_id": "s-1", "tenant": "acme", "operator": "alice", "environment": "production"},
    **{"target": "", "exception_id": None, "plugin_id": "com.acme.crm", "plugin_version": "1.0.0"},
    **{"plugin_name": "CRM \x1b[2J", "host": "corex", "host_version": "1.9.0", "verdict": "ALLOW_BY_EXCEPTION"},
    **{"band": "HIGH", "score": 75, "approval_id": "a-1", "decided_at": AT, "matrix_expires_at": None},
    **{"exception_possible": True, "report_url": "https://guard.example/requests/r-1"},
    "report": {"summary": "It does not fit.", "findings": [{"code": "HOST_TOO_OLD"}, {"code": "HOST_TOO_OLD"}]},
}


def test_a_line_has_the_columns_asked_for() -> None:
    shown = row(AT, Result(RESULT), ["verdict", "plugin", "possible", "codes", "decided"]).plain.split()

    assert shown == [*["allow", "by", "exception"], "com.acme.crm", "yes", "HOST_TOO_OLD", "2023-11-14", "22:13:20"]
    assert heading(["verdict", "host_version"]).plain.split() == ["verdict", "host", "version"]


def test_columns_stand_one_below_the_other() -> None:
    columns = ["time", "plugin", "possible", "score"]

    assert heading(columns).plain.index("score") == row(AT, Result(RESULT), columns).plain.index("75")


def test_a_heading_is_no_wider_than_its_column() -> None:
    assert [name for name, width in COLUMNS.items() if 0 < width < len(name)] == []


def test_every_column_can_be_shown_and_none_reaches_the_terminal() -> None:
    require_known(tuple(COLUMNS))
    text = row(AT, Result({**RESULT, "operator": "a\nb\x07"}), tuple(COLUMNS)).plain

    assert "\x1b" not in text
    assert "\x07" not in text
    assert "a b" in text
    assert "\x1b" not in line(Result({**RESULT, "request_id": "\x1b[2J"})).plain


def test_a_column_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(SettingsInvalid, match="did you mean `plugin`"):
        require_known(["plugn"])
