"""Work that takes seconds: a caller who asks for much of it has one turn at a time, and others have theirs."""

from __future__ import annotations

import asyncio
import threading

import pytest

from processors.gateway.fair_threads import FairThreads
from processors.gateway.mailbox import Crowded


def test_a_caller_who_asks_for_much_keeps_one_thread_and_others_are_served() -> None:
    go_on = threading.Event()

    async def scene() -> None:
        share = FairThreads("test", 2, most=10, most_each=3)
        ann = [asyncio.ensure_future(share.run("ann", go_on.wait, 10)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Crowded):
            await share.run("ann", print)
        assert await share.run("bob", lambda: "served") == "served"
        go_on.set()
        assert await asyncio.gather(*ann) == [True] * 3
        assert await share.run("ann", lambda: "again") == "again"
        share.close()

    asyncio.run(asyncio.wait_for(scene(), 10))


def test_no_more_wait_than_may_wait() -> None:
    go_on = threading.Event()

    async def scene() -> None:
        share = FairThreads("test", 1, most=2, most_each=2)
        waiting = [asyncio.ensure_future(share.run(caller, go_on.wait, 10)) for caller in ("ann", "bob")]
        await asyncio.sleep(0)
        with pytest.raises(Crowded):
            await share.run("cid", print)
        go_on.set()
        await asyncio.gather(*waiting)
        share.close()

    asyncio.run(asyncio.wait_for(scene(), 10))


def test_who_gives_up_has_used_their_turn_until_the_call_returns() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def long() -> None:
        begun.set()
        go_on.wait(10)
        raise ValueError("nobody is there to hear it")

    async def scene() -> None:
        share = FairThreads("test", 2, most=10, most_each=1)
        asked = asyncio.ensure_future(share.run("ann", long))
        await asyncio.to_thread(begun.wait, 10)
        asked.cancel()
        await asyncio.wait([asked])
        with pytest.raises(Crowded):
            await share.run("ann", print)
        go_on.set()
        share.close()

    asyncio.run(asyncio.wait_for(scene(), 10))


def test_what_the_call_raises_is_raised() -> None:
    async def scene() -> None:
        share = FairThreads("test", 1, most=1, most_each=1)
        with pytest.raises(ZeroDivisionError):
            await share.run("ann", lambda: 1 // 0)
        assert await share.run("ann", lambda: 1) == 1
        share.close()

    asyncio.run(asyncio.wait_for(scene(), 10))
