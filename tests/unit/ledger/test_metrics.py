"""What the ledger counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from examples.ledgers import rows_of
from prometheus_client import REGISTRY

from processors.configuration.settings import shipped
from processors.contracts.files import load_topics
from processors.errors import DatabaseUnavailable
from processors.events.topics import INSTALL_REQUESTS, LEDGER_ANCHORS
from processors.ledger.filing import Filed
from processors.ledger.metrics import count
from processors.ledger.records import ID_CONFLICT, UNREADABLE
from processors.ledger.samples import story
from processors.ledger.transaction import PostgresTransaction


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


@pytest.mark.parametrize("status", [ID_CONFLICT, UNREADABLE])
def test_what_lies_in_quarantine_counts_from_nought_on_every_topic(status: str) -> None:
    """An alert compares with what was before, so that the first forged id would be none."""
    for topic in load_topics(shipped("config") / "topics.yaml").topics:
        assert value("compat_ledger_quarantined_total", topic=topic.name, status=status) is not None


def test_rows_of_anchors_do_not_make_an_anchor_due() -> None:
    """Nobody anchors them: a replica that files nothing else would look as if it had forgotten."""
    name = "compat_ledger_last_commit_timestamp_seconds"
    row, before = rows_of(list(story(1)))[0], value(name)

    count(Filed(rows=[replace(row, topic=LEDGER_ANCHORS)]))
    assert value(name) == before

    count(Filed(rows=[replace(row, topic=INSTALL_REQUESTS)]))
    assert value(name) != before


class Away(PostgresTransaction):
    """Its database does not answer as often as `times` says. `shown` is what Prometheus would have seen then."""

    def __init__(self, times: int, patience: float) -> None:
        super().__init__(engine=None, patience=patience)  # type: ignore[arg-type] - nobody asks it
        self.times, self.shown = times, list[float | None]()

    def _read_places(self, partitions: Sequence[Any]) -> Mapping[Any, int]:  # type: ignore[override]
        self.shown.append(value("compat_stream_waiting", **DATABASE))
        self.times -= 1
        if self.times >= 0:
            raise DatabaseUnavailable("no answer")
        return {}


DATABASE = {"processor": "ledger", "on": "DatabaseUnavailable"}


def test_waiting_for_the_database_in_a_takeover_is_shown_while_it_lasts() -> None:
    """The loop does not come round then, and could not say so."""
    transaction, before = Away(2, patience=60), value("compat_stream_unavailable_total", **DATABASE) or 0

    transaction.committed([(INSTALL_REQUESTS, 0)])

    assert transaction.shown[1:] == [1, 1]
    assert value("compat_stream_waiting", **DATABASE) == 0
    assert value("compat_stream_unavailable_total", **DATABASE) == before + 2


def test_a_takeover_that_is_given_up_was_shown() -> None:
    """The process ends with it, and starts afresh."""
    with pytest.raises(DatabaseUnavailable):
        Away(9, patience=0).committed([(INSTALL_REQUESTS, 0)])

    assert value("compat_stream_waiting", **DATABASE) == 1
