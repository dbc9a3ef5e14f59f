"""What the ledger counts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from examples.ledgers import rows_of
from prometheus_client import REGISTRY

from processors.contracts.files import load_topics
from processors.events.topics import INSTALL_REQUESTS, LEDGER_ANCHORS
from processors.ledger.filing import Filed
from processors.ledger.metrics import count
from processors.ledger.records import ID_CONFLICT, UNREADABLE
from processors.ledger.samples import story
from processors.settings import shipped


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
