"""What a dead letter says, and when too many of them stop the process."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.errors import BreakerOpen
from processors.stream.loop.dead_letters import CircuitBreaker, dead_letter, read_letter
from processors.stream.types import LARGEST_VALUE, Inbound, Reject

HEADERS = (("traceparent", b"00-1"), ("empty", None), ("twice", b"1"), ("twice", b"2"))


def a_record(value: bytes | None = b"\0\1", headers: tuple[tuple[str, bytes | None], ...] = HEADERS) -> Inbound:
    return Inbound("requests", 3, 14, 1_700_000_000_000, b"key", value, headers)


def a_reject(record: Inbound, reason: str = "unreadable", message: str = "cannot be read") -> Reject:
    return Reject(record, reason, message, "body")


def as_received(reject: Reject) -> Inbound:
    letter = dead_letter(reject, "checker", "dead")
    return Inbound(letter.topic, 0, 5, 0, letter.key, letter.value, letter.headers)


@given(value=st.none() | st.binary(max_size=100), message=st.text(max_size=2000))
def test_a_dead_letter_leads_back_to_its_original(value: bytes | None, message: str) -> None:
    """Bytes, key and headers come back as they were, also a tombstone's."""
    record = a_record(value)

    letter = read_letter(as_received(a_reject(record, message=message)))

    assert letter is not None
    assert (letter.topic, letter.partition, letter.offset) == ("requests", 3, 14)
    assert (letter.processor, letter.reason, letter.stage) == ("checker", "unreadable", "body")
    original = letter.original(letter.record)
    assert (original.topic, original.key, original.value) == ("requests", b"key", value)
    assert original.headers == (*HEADERS, ("guard.replayed", b"0:5"))


def test_a_secret_that_an_error_quotes_is_not_in_the_headers() -> None:
    """The record itself stays as it came."""
    letter = dead_letter(
        a_reject(a_record(), message="expected a version, found `password=hunter2`"), "checker", "dead"
    )

    assert b"hunter2" not in b"".join(content or b"" for _, content in letter.headers)


def test_a_second_failure_replaces_what_the_first_one_said() -> None:
    """A replayed record that fails again has one set of facts, not two."""
    once = dead_letter(a_reject(a_record()), "checker", "dead")
    again = dead_letter(a_reject(a_record(headers=tuple(once.headers)), reason="internal"), "ledger", "dead")

    assert len(again.headers) == len(once.headers)
    assert dict(again.headers)["guard.errors.reason"] == b"internal"


def test_a_message_is_one_short_printable_line() -> None:
    """An error must not carry a payload into a header, nor a line break into a log."""
    letter = read_letter(as_received(a_reject(a_record(), message="secret\n\0" * 1000)))

    assert letter is not None
    assert len(letter.message) == 500
    assert letter.message.isprintable()


@pytest.mark.parametrize("headers", [(), (("x", b"h" * LARGEST_VALUE),)], ids=["large value", "huge headers"])
def test_what_is_too_large_to_copy_says_so(headers: tuple[tuple[str, bytes | None], ...]) -> None:
    """A dead letter always fits its topic; where the original lies stands in it."""
    value = b"v" * (LARGEST_VALUE + 1 if not headers else 5000)
    record = as_received(a_reject(a_record(value, headers)))

    letter = read_letter(record)

    assert letter is not None
    assert letter.truncated
    assert record.value == b"v" * 1000
    assert sum(len(name) + len(content or b"") for name, content in record.headers) < 10_000


@pytest.mark.parametrize("value", [None, b"v"], ids=["a tombstone", "a value"])
@pytest.mark.parametrize(
    ("key", "headers"),
    [(b"k" * (LARGEST_VALUE + 1), ()), (b"k", (("x", b"h" * LARGEST_VALUE),))],
    ids=["large key", "huge headers"],
)
def test_whatever_of_a_record_is_large_its_dead_letter_fits(
    value: bytes | None, key: bytes, headers: tuple[tuple[str, bytes | None], ...]
) -> None:
    """A client may pack what is larger than a topic takes; the broker would refuse the copy for ever."""
    reject = a_reject(a_record(value, headers))
    reject.record.key = key
    letter = dead_letter(reject, "checker", "dead")

    assert dict(letter.headers)["guard.errors.truncated"]
    assert (letter.key or b"", letter.value) == (key[:1000], value)
    assert sum(len(name) + len(content or b"") for name, content in letter.headers) < 10_000


def test_a_record_that_is_no_dead_letter_of_ours_is_passed_over() -> None:
    assert read_letter(a_record()) is None


def run(breaker: CircuitBreaker, pattern: str, reason: str = "internal") -> CircuitBreaker:
    """One batch: `.` succeeds, `x` fails."""
    batch = [a_record() for _ in pattern]
    rejects = [a_reject(record, reason) for record, mark in zip(batch, pattern, strict=True) if mark == "x"]
    return breaker.after(batch, rejects)


def test_six_failures_in_a_row_open_the_breaker() -> None:
    """Five may be chance, also across batches."""
    breaker = run(run(CircuitBreaker(), "..xxx"), "xx")

    with pytest.raises(BreakerOpen, match="6 records in a row"):
        run(breaker, "x")
    assert run(breaker, ".").row == 0


def test_more_than_one_percent_of_a_thousand_opens_the_breaker() -> None:
    """Spread out as they may be; ten are borne."""
    breaker = run(CircuitBreaker(), ("x" + "." * 99) * 10)

    with pytest.raises(BreakerOpen, match="of the last 1000"):
        run(breaker, "." * 50 + "x" + "." + "x")


def test_old_failures_are_forgotten() -> None:
    breaker = run(CircuitBreaker(), ("x" + "." * 99) * 10)

    assert run(run(breaker, "." * 1000), ("x" + "." * 99) * 10).failures


def test_the_first_thousand_records_prove_nothing_about_a_share() -> None:
    """Eleven failures among the first hundred do not open it, as long as they are apart."""
    assert len(run(CircuitBreaker(), "x........" * 11).failures) == 11


def test_hostile_input_never_opens_the_breaker() -> None:
    """Who can write to a topic must not be able to stop the service."""
    assert run(CircuitBreaker(), "x" * 5000, reason="unreadable").row == 0
