"""The socket on which the gateway listens."""

from __future__ import annotations

import asyncio
import socket

import pytest

from processors.errors import SettingsInvalid
from processors.gateway.start import listening


def test_what_is_written_to_a_caller_is_sent_at_once() -> None:
    """Else the body of an answer waits until the caller's system has acknowledged the head of it."""

    async def scene() -> int:
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            own = writer.get_extra_info("socket")
            found.set_result(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with listening("127.0.0.1", 0) as bound:
            async with await asyncio.start_server(connected, sock=bound):
                _, writer = await asyncio.open_connection(*bound.getsockname())
                writer.close()
                return await found

    assert asyncio.run(scene()) != 0


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsInvalid, match=f"cannot listen on 127.0.0.1:{port}"):
            listening("127.0.0.1", port)
