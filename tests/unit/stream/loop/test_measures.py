"""Which series there are before anything has happened."""

from __future__ import annotations

from prometheus_client import REGISTRY

from processors.errors import MatrixRefused, OutputTooLarge
from processors.stream.loop.measures import KEY_MISMATCH, Measures, reasons
from processors.stream.types import INTERNAL


def test_every_reason_counts_from_nought() -> None:
    """An alert compares with what was before, so that the first reject of its kind would be none."""
    Measures("t-measures")

    assert {INTERNAL, KEY_MISMATCH, MatrixRefused.reason, OutputTooLarge.reason} <= reasons()
    for reason in reasons():
        labels = {"processor": "t-measures", "reason": reason}
        assert REGISTRY.get_sample_value("compat_stream_rejects_total", labels) == 0
