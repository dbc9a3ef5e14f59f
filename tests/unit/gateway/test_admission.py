"""Of a crowd that comes at once a few pass in each round of the event loop, in the order in which they came."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from processors.gateway.admission import Admission


def test_a_few_pass_in_each_round_and_everybody_in_order() -> None:
    rounds = 0
    passed: list[tuple[int, int]] = []

    async def scene() -> None:
        nonlocal rounds
        admission = Admission(3)

        async def caller(n: int) -> None:
            await admission.take()
            passed.append((rounds, n))

        callers = [asyncio.create_task(caller(n)) for n in range(20)]
        while len(passed) < 20:
            await asyncio.sleep(0)
            rounds += 1
        await asyncio.gather(*callers)

    asyncio.run(scene())
    assert [n for _, n in passed] == list(range(20))
    assert max(sum(at == one for at, _ in passed) for one in range(rounds)) == 3


@pytest.mark.parametrize(("step", "at_once"), [(0.001, 4), (0.05, 1)])
def test_steps_that_take_long_make_fewer_in_a_round(step: float, at_once: int) -> None:
    """Down to one, so that streams and timers wait for a single step at most; and back when steps are short."""
    now, rounds = 0.0, 0
    passed: list[int] = []

    async def scene() -> None:
        nonlocal rounds
        admission = Admission(4, lambda: now)

        async def caller() -> None:
            nonlocal now
            await admission.take()
            now += step
            passed.append(rounds)

        callers = [asyncio.create_task(caller()) for _ in range(40)]
        while len(passed) < 40:
            await asyncio.sleep(0)
            rounds += 1
        await asyncio.gather(*callers)

    asyncio.run(scene())
    assert max(Counter(passed[-20:]).values()) == at_once


def test_whoever_comes_alone_does_not_wait() -> None:
    async def scene() -> None:
        admission = Admission(1)
        for _ in range(3):
            taking = admission.take()
            try:
                taking.send(None)
            except StopIteration:
                pass
            else:
                raise AssertionError("it was made to wait")
            await asyncio.sleep(0)

    asyncio.run(scene())


def test_whoever_goes_away_in_the_queue_costs_nobody_a_turn() -> None:
    async def scene() -> None:
        admission = Admission(1)
        callers = [asyncio.create_task(admission.take()) for _ in range(10)]
        await asyncio.sleep(0)
        for leaving in callers[1:9]:
            leaving.cancel()
        async with asyncio.timeout(10):
            await asyncio.gather(*callers, return_exceptions=True)
            await admission.take()
        assert callers[9].exception() is None

    asyncio.run(scene())
