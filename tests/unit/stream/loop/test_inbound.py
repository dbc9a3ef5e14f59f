"""What is read of a record that the broker hands over."""

from __future__ import annotations

from typing import Any, cast

import pytest

from processors.stream.loop.inbound import UNREADABLE, Polled


class Junk:
    """A message as the client gives it when a header's name is not UTF-8."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Any:
        return {"timestamp": lambda: (1, 7)}.get(name, lambda: None)

    def headers(self) -> Any:
        raise self.error


@pytest.mark.parametrize(
    "error",
    [SystemError("returned a result with an exception set"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "")],
)
def test_headers_that_cannot_be_read_are_no_reason_to_stop(error: Exception) -> None:
    """The record is as good as any; whoever looks at it later sees that something was there."""
    record = Polled(cast(Any, Junk(error)))

    assert record.headers == UNREADABLE == record.headers
    assert record.timestamp == 7
