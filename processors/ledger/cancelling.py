"""Ends the queries of a connection after a time, however many there are: `statement_timeout` bounds each alone."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, Final, cast

import psycopg
from sqlalchemy import Connection

_AGAIN: Final = 0.2
"""Seconds between two cancellations: one that comes between two statements ends neither."""


@contextmanager
def cancelled_after(connection: Connection, seconds: float) -> Generator[None]:
    """Cancel whatever the connection does after so many seconds, until the end of the block. The statement then
    raises psycopg's QueryCanceled, see `is_cancelled`."""
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    done = threading.Event()

    def watch() -> None:
        left = seconds
        while not done.wait(left):
            with suppress(psycopg.Error):  # a server that is gone ends the statement, too
                driver.cancel_safe(timeout=5)
            left = _AGAIN

    watching = threading.Thread(target=watch, name="cancelling", daemon=True)
    watching.start()
    try:
        yield
    finally:
        done.set()
        watching.join()
