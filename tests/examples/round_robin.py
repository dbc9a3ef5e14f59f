"""A proxy that hands each connection to the next of some servers, as a balancer does that keeps nobody at one."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from itertools import cycle


class RoundRobin:
    """Use as a context manager. A server that is away is its caller's to notice: their connection is closed."""

    def __init__(self, *ports: int) -> None:
        self._ports, self._turns = ports, cycle(ports)
        self.connections = dict.fromkeys(ports, 0)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="round-robin", daemon=True)

    def __enter__(self) -> RoundRobin:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024), self._loop
        ).result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = next(self._turns)
        self.connections[port] += 1
        try:
            there, back = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.transport.abort()
            return
        try:
            await asyncio.gather(_pour(reader, back), _pour(there, writer))
        finally:
            for side in (writer, back):
                side.transport.abort()

    async def _end(self) -> None:
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # connections that were aborted are told to be lost


async def _pour(source: asyncio.StreamReader, into: asyncio.StreamWriter) -> None:
    """Until the source ends, or either side is gone; then the other side ends too."""
    with suppress(OSError):
        while piece := await source.read(65536):
            into.write(piece)
            await into.drain()
    with suppress(OSError):
        into.close()
