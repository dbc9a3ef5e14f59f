"""Which series there are before anything has happened."""

from __future__ import annotations

from typing import cast

from confluent_kafka import Consumer, TopicPartition
from prometheus_client import REGISTRY

from processors.errors import MatrixRefused, OutputTooLarge
from processors.stream.loop.gaps import Gaps
from processors.stream.loop.measures import KEY_MISMATCH, Measures, reasons
from processors.stream.types import INTERNAL


def test_every_reason_counts_from_nought() -> None:
    """An alert compares with what was before, so that the first reject of its kind would be none."""
    Measures("t-measures")

    assert {INTERNAL, KEY_MISMATCH, MatrixRefused.reason, OutputTooLarge.reason} <= reasons()
    for reason in reasons():
        labels = {"processor": "t-measures", "reason": reason}
        assert REGISTRY.get_sample_value("compat_stream_rejects_total", labels) == 0


class Ends:
    """A consumer that has heard how far each log goes."""

    def __init__(self, ends: dict[tuple[str, int], int]) -> None:
        self._ends = ends

    def get_watermark_offsets(self, at: TopicPartition, *, cached: bool) -> tuple[int, int]:
        assert cached
        return 0, self._ends[at.topic, at.partition]


def test_marks_of_transactions_do_not_wait() -> None:
    """A log that ends with the mark of a commit goes on behind the last record that anybody gets."""
    measures, gaps, at = Measures("t-lag", ["t"]), Gaps(), ("t", 0)

    def waiting(position: int, end: int) -> float | None:
        measures.lag(cast(Consumer, Ends({at: end})), gaps.passed({at: position}, {}))
        return REGISTRY.get_sample_value("compat_stream_lag_records", {"processor": "t-lag", "topic": "t"})

    assert waiting(7, 9) == 2  # nobody knows yet what these are
    gaps.note(at, 7, 9)
    assert waiting(7, 9) == 0
    assert waiting(7, 12) == 3
    assert waiting(5, 12) == 7  # gone back: records wait before the gap
    assert waiting(12, 12) == 0
