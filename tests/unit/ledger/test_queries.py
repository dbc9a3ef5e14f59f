"""What is asked of the ledger and what is not: Postgres keeps no text with a NUL, and takes none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from sqlalchemy import Connection

from processors.ledger.queries import Wanted, search


class Asked:
    """A connection that finds nothing, and counts what it is asked."""

    def __init__(self) -> None:
        self.count = 0

    def execute(self, query: Any, values: Any) -> Sequence[Any]:
        self.count += 1
        return ()


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        pytest.param(Wanted(plugin_id="a\0b"), 0, id="a NUL"),
        pytest.param(Wanted(approver=("carol", "a\0b")), 0, id="a NUL in a list"),
        pytest.param(Wanted(plugin_id=r"a\u0000b"), 1, id="six characters that only look like one"),
        pytest.param(Wanted(since=0, machinery=False), 1, id="no text"),
    ],
)
def test_only_a_text_with_a_nul_is_not_asked_for(wanted: Wanted, asked: int) -> None:
    connection = Asked()
    assert search(cast("Connection", connection), wanted) == []
    assert connection.count == asked
