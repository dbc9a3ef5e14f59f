"""The breaker, the hold and the end of a target."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.relay.delivery import Reception, Reply
from processors.relay.target_status import Mode, Pauses, TargetStatus, admits, is_broken, judged, resumed

NOW = 1_800_000_000_000
PAUSES = Pauses()


def said(reception: Reception, retry_after: int | None = None) -> Reply:
    return Reply(reception, reception.value, retry_after)


OK, FAILED, REFUSED, UNAUTHORIZED, GONE = map(
    said,
    (Reception.ACCEPTED, Reception.FAILED, Reception.REFUSED, Reception.UNAUTHORIZED, Reception.GONE),
)
BROKEN = TargetStatus(mode=Mode.BROKEN, not_before=NOW, pause=30_000, changed_at=1)
HELD = TargetStatus(mode=Mode.HELD, not_before=NOW, pause=30_000, changed_at=1)


def run(standing: TargetStatus, *replies: Reply) -> TargetStatus:
    for reply in replies:
        standing = judged(standing, reply, PAUSES, NOW, probe=standing.mode is not Mode.ACTIVE)
    return standing


@pytest.mark.parametrize(
    ("recent", "broken"),
    [
        ([True] * 5, True),
        ([True] * 4, False),
        ([False] * 15 + [True] * 5, True),
        ([True, True, True, True, False] * 4, True),
        ([True, False] * 10, True),
        ([True, False, False] * 6 + [True, False], False),
        ([True, True, True, False] * 4, False),
    ],
    ids=["five in a row", "four", "five after many good ones", "four fifths", "half", "a third", "16 are too few"],
)
def test_the_breaker_opens_at_five_in_a_row_or_half_of_twenty(recent: list[bool], broken: bool) -> None:
    assert is_broken(tuple(recent)) is broken


def test_a_message_that_is_refused_does_not_open_the_breaker() -> None:
    """The target answers; the message is at fault."""
    assert run(TargetStatus(), *[REFUSED] * 30).mode is Mode.ACTIVE


def test_the_first_probe_comes_after_half_a_minute_and_the_pauses_double_up_to_ten_minutes() -> None:
    standing = run(TargetStatus(), *[FAILED] * 5)
    waits = [standing.not_before - NOW]
    for _ in range(6):
        standing = run(standing, FAILED)
        waits.append(standing.not_before - NOW)

    assert waits == [30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000]


@pytest.mark.parametrize("standing", [BROKEN, HELD], ids=["broken", "held"])
@pytest.mark.parametrize("reply", [OK, REFUSED], ids=["accepted", "refused"])
def test_a_probe_that_is_answered_closes_the_breaker_and_ends_the_hold(
    standing: TargetStatus, reply: Reply
) -> None:
    assert run(standing, reply).mode is Mode.ACTIVE


@pytest.mark.parametrize("standing", [BROKEN, HELD], ids=["broken", "held"])
def test_a_target_is_probed_with_one_delivery_at_a_time(standing: TargetStatus) -> None:
    assert not admits(standing, NOW - 1, in_flight=False)
    assert admits(standing, NOW, in_flight=False)
    assert not admits(standing, NOW, in_flight=True)


def test_late_answers_neither_close_nor_widen_an_open_breaker() -> None:
    """Up to 15 others were in flight when it opened."""
    for reply in (OK, REFUSED, FAILED):
        assert judged(BROKEN, reply, PAUSES, NOW, probe=False) == BROKEN


def test_a_target_that_does_not_know_us_is_held_at_once() -> None:
    """Every message would be refused for the same reason."""
    assert run(TargetStatus(), UNAUTHORIZED).mode is Mode.HELD


def test_a_target_that_is_gone_is_sent_nothing_until_it_is_resumed() -> None:
    standing = run(TargetStatus(), GONE)

    assert standing.mode is Mode.DISABLED
    assert not admits(standing, NOW + 10**12, in_flight=False)
    assert admits(resumed(standing, NOW), NOW, in_flight=False)


def test_retry_after_makes_the_whole_target_wait() -> None:
    """It is most likely the target that is overrun, not the message."""
    standing = run(TargetStatus(), said(Reception.FAILED, 60_000))

    assert standing.mode is Mode.ACTIVE
    assert not admits(standing, NOW + 59_999, in_flight=False)
    assert admits(standing, NOW + 60_000, in_flight=False)


modes = st.sampled_from(list(Mode))
replies = st.sampled_from([OK, FAILED, REFUSED, UNAUTHORIZED, GONE])


@given(st.lists(st.tuples(replies, st.booleans()), max_size=60))
def test_a_target_that_is_not_gone_is_always_tried_again(heard: list[tuple[Reply, bool]]) -> None:
    """After any answers in any order, some instant within the longest pause admits a try."""
    standing = TargetStatus()
    for reply, probe in heard:
        standing = judged(standing, reply, PAUSES, NOW, probe=probe)
    tried_again = admits(standing, NOW + PAUSES.longest, in_flight=False)

    assert tried_again is (standing.mode is not Mode.DISABLED)
    assert len(standing.recent) <= 20


@given(modes, replies, st.booleans())
def test_judging_keeps_what_the_target_is(mode: Mode, reply: Reply, probe: bool) -> None:
    """Since when it is known, and at which address, are no matter of its answers."""
    standing = TargetStatus(mode=mode, known_since=7, endpoint="abc", pause=30_000)
    after = judged(standing, reply, PAUSES, NOW, probe=probe)

    assert replace(after, known_since=7, endpoint="abc") == after
