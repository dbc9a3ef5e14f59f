"""CloudEvents headers, and the trace that is passed on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.stream.wire.headers import event_headers, header, rfc3339


def test_an_event_says_what_it_is_and_passes_the_trace_on() -> None:
    """Of the cause's headers, only the trace is anybody's business."""
    cause = (("traceparent", b"00-1"), ("ce_id", b"cause"), ("secret", b"s"))

    headers = event_headers(
        id="7", type="plugin.compat.blocked", source="/checker", time=1_700_000_000_123, cause=cause
    )

    assert dict(headers) == {
        "ce_specversion": b"1.0",
        "ce_id": b"7",
        "ce_type": b"plugin.compat.blocked",
        "ce_source": b"/checker",
        "ce_time": b"2023-11-14T22:13:20.123Z",
        "content-type": b"application/avro",
        "traceparent": b"00-1",
    }


def test_a_trace_of_a_megabyte_is_none() -> None:
    """An answer that repeated it would be larger than what was asked, and no topic would take it."""
    headers = event_headers(id="7", type="t", source="/s", time=0, cause=(("traceparent", b"0" * 1_000_000),))

    assert "traceparent" not in dict(headers)


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        ((("a", b"1"), ("a", b"2")), "2"),
        ((("b", b"1"),), None),
        ((("a", None),), None),
        ((("a", b"\xff"),), None),
        ((), None),
    ],
)
def test_a_header_is_the_last_of_its_name(headers: tuple[tuple[str, bytes | None], ...], value: str | None) -> None:
    assert header(headers, "a") == value


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_number_of_milliseconds_can_be_written(time: int) -> None:
    """Also 2^62, which a hostile producer may send."""
    assert len(rfc3339(time)) == len("2023-11-14T22:13:20.123Z")
