"""How long we wait for Postgres.

A host that is gone says nothing: without bounds of our own, a connection attempt takes over two minutes to fail,
and a statement takes as long as the kernel repeats its packets.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy.engine import URL

CONNECTING: Final = 5
"""Seconds until a connection attempt fails, for each address of the server."""

ANSWERING: Final = 15.0
"""Seconds that the sink waits for an answer: with a connection attempt, less than `stream.loop.health.CALLING`."""

SLACK: Final = 1.0
"""Seconds beyond the server's own limit of a statement, in which its answer about that arrives."""

DEFAULTS: Final[Mapping[str, int]] = {
    "connect_timeout": CONNECTING,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""Parameters of libpq: a host that is gone is noticed after eleven seconds, whether we read or write."""

_LEAST: Final = 2
"""Seconds, as psycopg takes no shorter `connect_timeout`."""

_within: ContextVar[float | None] = ContextVar("within", default=None)

T = TypeVar("T")


class Silent(psycopg.OperationalError):
    """The server is connected, and has said nothing for too long. The connection is closed."""


@contextmanager
def patient(within: float | None) -> Generator[None]:
    """Bounds each wait for the server in this block, in this thread: connection attempts to `within` seconds unless
    the URL has a limit of its own, answers to a second more. None changes nothing."""
    before = _within.get()
    _within.set(before if within is None else within)
    try:
        yield
    finally:
        _within.set(before)


def unset(url: URL) -> dict[str, int]:
    """The parameters that a URL leaves to us."""
    return {name: value for name, value in DEFAULTS.items() if name not in url.query}


def opened(url: URL, arguments: Mapping[str, Any], answering: float | None) -> psycopg.Connection[Any]:
    """A connection whose answers are waited for `answering` seconds, or as long as its host is there if None."""
    within = _within.get()
    bounded = {**arguments}
    if within is not None and "connect_timeout" not in url.query:
        bounded["connect_timeout"] = max(_LEAST, min(CONNECTING, math.ceil(within)))
    connection = _PatientConnection.connect(**bounded)
    connection.answering = answering
    return connection


class _PatientConnection(psycopg.Connection[Any]):
    """TCP notices a host that is gone, but not one that accepts what we send and never answers: a process that is
    stopped, or a pooler before a database that is gone."""

    answering: float | None = None

    def wait(self, gen: PQGen[T], *more: Any, **named: Any) -> T:
        within = _within.get()
        limit = self.answering if within is None else within + SLACK
        if limit is None:
            return super().wait(gen, *more, **named)
        try:
            return super().wait(_bounded(gen, limit), *more, **named)
        except Silent:
            self.close()
            raise


def _bounded(gen: PQGen[T], limit: float) -> PQGen[T]:
    """As `gen`, until the server has been silent for `limit` seconds. psycopg resumes it ten times a second."""
    until = time.monotonic() + limit
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if ready:
                until = time.monotonic() + limit
            elif time.monotonic() >= until:
                raise Silent(f"no answer for {limit:g} s")
            wanted = gen.send(ready)
    except StopIteration as end:
        return end.value
