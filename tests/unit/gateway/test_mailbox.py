"""Answers find whoever waits, in whatever order they and the waiting come; the first answer is the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from processors.gateway.mailbox import Crowded, Mailbox

ONE, OTHER = ("result", "1"), ("result", "2")


def play(scene: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await scene()

    asyncio.run(run())


def test_an_answer_wakes_whoever_waits() -> None:
    async def scene() -> None:
        mailbox = Mailbox()
        with mailbox.waiter() as waiter:
            waiter.on(ONE)
            asyncio.get_running_loop().call_soon(mailbox.put, ONE, b"yes")
            assert await waiter.first(10) == (ONE, b"yes")

    play(scene)


def test_an_answer_that_came_before_is_found() -> None:
    """A result may be read before the broker's report that the question was written."""

    async def scene() -> None:
        mailbox = Mailbox()
        mailbox.put(ONE, b"yes")
        with mailbox.waiter() as waiter:
            waiter.on(ONE)
            assert await waiter.first(0) == (ONE, b"yes")

    play(scene)


def test_a_second_answer_under_the_same_key_is_only_noted() -> None:
    async def scene() -> None:
        mailbox = Mailbox()
        mailbox.put(ONE, b"first")
        mailbox.put(ONE, b"first")
        assert not mailbox.is_disputed(ONE)
        mailbox.put(ONE, b"second")
        assert (mailbox.get(ONE), mailbox.is_disputed(ONE)) == (b"first", True)

    play(scene)


def test_two_who_wait_for_one_answer_both_get_it() -> None:
    async def scene() -> None:
        mailbox = Mailbox()

        async def wait() -> bytes:
            with mailbox.waiter() as waiter:
                waiter.on(ONE)
                found = await waiter.first(10)
                assert found is not None
                return found[1]

        both = asyncio.gather(wait(), wait())
        await asyncio.sleep(0)
        mailbox.put(ONE, b"yes")
        assert await both == [b"yes", b"yes"]
        assert mailbox.waiting == 0

    play(scene)


def test_whoever_is_not_answered_in_time_goes_without() -> None:
    async def scene() -> None:
        mailbox = Mailbox()
        with mailbox.waiter() as waiter:
            waiter.on(ONE)
            waiter.on(OTHER)
            assert await waiter.first(0) is None

    play(scene)


def test_more_than_may_wait_are_sent_away() -> None:
    async def scene() -> None:
        mailbox = Mailbox(most_waiting=1)
        with mailbox.waiter(), pytest.raises(Crowded), mailbox.waiter():
            pass
        with mailbox.waiter():
            pass

    play(scene)


def test_closing_sends_everybody_away() -> None:
    async def scene() -> None:
        mailbox = Mailbox()
        with mailbox.waiter() as waiter:
            waiter.on(ONE)
            asyncio.get_running_loop().call_soon(mailbox.close)
            assert await waiter.first(10) is None

    play(scene)


def test_what_is_kept_is_bounded_in_number_and_bytes() -> None:
    async def scene() -> None:
        few = Mailbox(most=2)
        small = Mailbox(largest=10)
        for number in range(3):
            few.put(("result", str(number)), b"x")
            small.put(("result", str(number)), b"12345")
        assert few.get(("result", "0")) is None
        assert few.get(("result", "2")) == b"x"
        assert small.get(("result", "0")) is None
        assert small.get(("result", "2")) == b"12345"

    play(scene)
