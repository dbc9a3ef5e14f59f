"""Streams of results: bounded for everybody and for each, and nobody waits for a slow one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from starlette.types import Message

from processors.gateway import streaming
from processors.gateway.live import Live, TooManyStreams
from processors.stream.types import Inbound


def result(offset: int) -> Inbound:
    return Inbound("compat.results", 0, offset, 0, b"r", b"")


def test_a_caller_who_has_enough_streams_takes_no_place_of_others() -> None:
    async def crowded() -> None:
        live = Live(most=4, most_each=2)
        async with AsyncExitStack() as opened:
            for caller in ("ann", "ann", "bob"):
                await opened.enter_async_context(live.stream(caller))
            with pytest.raises(TooManyStreams):
                await opened.enter_async_context(live.stream("ann"))
            await opened.enter_async_context(live.stream("bob"))
            with pytest.raises(TooManyStreams):
                await opened.enter_async_context(live.stream("cid"))
        assert live.streams == 0
        async with live.stream("ann"):
            assert live.streams == 1

    asyncio.run(crowded())


def test_whoever_would_get_no_stream_is_told_before_anything_is_read_for_them() -> None:
    async def crowded() -> None:
        live = Live(most=2, most_each=1)
        live.refuse_crowd("ann")
        async with live.stream("ann"):
            with pytest.raises(TooManyStreams):
                live.refuse_crowd("ann")
            live.refuse_crowd("bob")

    asyncio.run(crowded())


def test_results_of_a_topic_that_was_made_anew_are_streamed() -> None:
    async def anew() -> None:
        live = Live()
        live.begin({0: 1_000})
        live.remember([result(999)])
        async with live.stream("ann") as stream:
            live.begin({0: 0})
            assert stream.get_nowait() is None
        async with live.stream("ann") as stream:
            live.publish([result(0)])
            assert stream.get_nowait() == result(0)
        assert live.recent() == [result(0)]
        assert live.place == {0: 1}

    asyncio.run(anew())


def test_a_reader_that_has_found_its_brokers_again_changes_nothing() -> None:
    async def found() -> None:
        live = Live()
        live.begin({0: 10})
        async with live.stream("ann") as stream:
            live.begin({0: 15})
            live.publish([result(9), result(12)])
            assert [stream.get_nowait() for _ in range(stream.qsize())] == [result(12)]

    asyncio.run(found())


def test_a_stream_outlives_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends by itself, as a stream does, and whoever comes again has to be known."""
    monkeypatch.setattr(streaming, "LONGEST", 0.05)
    sent: list[Message] = []

    async def texts(_: streaming.Results) -> AsyncIterator[str]:
        while True:
            yield ": still here\n\n"
            await asyncio.sleep(0.02)

    async def never() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    async def streamed() -> None:
        live = Live()
        await streaming.EventStream(live, "ann", texts)({"type": "http"}, never, send)
        assert live.streams == 0

    asyncio.run(asyncio.wait_for(streamed(), 10))
    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


def test_a_stream_that_falls_behind_is_ended_and_the_others_go_on() -> None:
    async def stalled() -> None:
        live = Live(behind=3)
        async with live.stream("slow") as slow, live.stream("quick") as quick:
            for offset in range(5):
                live.publish([result(offset)])
                assert (await quick.get()) == result(offset)
            assert [slow.get_nowait() for _ in range(slow.qsize())] == [None]

    asyncio.run(stalled())
