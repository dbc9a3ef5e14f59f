"""A database that falls silent: its connections stand, more are accepted, and nothing comes.

It stands for a host that is gone, a process that is stopped, or a pooler before a database that is gone.
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy import make_url


@dataclass
class Silence:
    """The way to a server: `port` accepts connections, and passes on what comes until `fallen` is set."""

    port: int
    fallen: threading.Event = field(default_factory=threading.Event)

    def to(self, url: str) -> str:
        """The same database, by this way."""
        return make_url(url).set(host="127.0.0.1", port=self.port).render_as_string(hide_password=False)


@contextmanager
def silence(url: str) -> Iterator[Silence]:
    """The way to a database, which speaks at first."""
    there = make_url(url)
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as closing:
        way = Silence(server.getsockname()[1])

        def passes_on() -> None:
            pairs: dict[socket.socket, socket.socket] = {}
            while not ended.is_set():
                watched = [server, *(() if way.fallen.is_set() else pairs)]
                for ready in select.select(watched, (), (), 0.05)[0]:
                    if ready is server:
                        near = closing.enter_context(server.accept()[0])
                        far = closing.enter_context(socket.create_connection((there.host, there.port or 5432)))
                        pairs |= {near: far, far: near}
                    elif ready in pairs and not way.fallen.is_set():  # it may have ended in this round
                        _pass(ready, pairs)

        thread = threading.Thread(target=passes_on)
        thread.start()
        try:
            yield way
        finally:
            ended.set()
            thread.join()


def _pass(near: socket.socket, pairs: dict[socket.socket, socket.socket]) -> None:
    """Once, or the end of the connection."""
    far = pairs[near]
    with suppress(OSError):
        if said := near.recv(65536):
            far.sendall(said)
            return
    for end in (near, far):
        pairs.pop(end)
        end.close()
