"""Makes the delivery attempts of one target, several at a time, in its own thread and event loop.

Targets share nothing, so that one that hangs delays no other.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Protocol

import structlog

from processors.errors import Fatal
from processors.relay.delivery import Delivery, Reception, Reply
from processors.relay.dispatch import Attempt, Dispatch
from processors.relay.measures import DeliveryMeasures

_log = structlog.get_logger(__name__)

PATIENCE = 10.0
"""Seconds for one attempt, from resolving the address to the end of the answer."""

_LONGEST_SLEEP = 1.0
_SHORTEST_SLEEP = 0.01


class Sender(Protocol):
    """Sends to one kind of target. One for each target, used in one event loop only."""

    async def send(self, delivery: Delivery) -> Reply:
        """One attempt, which may be cancelled at any time.

        Raises nothing that a target could cause: its answer, or its silence, is a Reply.
        """
        ...

    async def close(self) -> None: ...


class Courier:
    """Use as a context manager. Attempts in flight at the end are cancelled, and will be repeated."""

    def __init__(
        self, target: str, dispatch: Dispatch, sender: Sender, most: int, measures: DeliveryMeasures
    ) -> None:
        self._target, self._dispatch, self._sender, self._most = target, dispatch, sender, most
        self._measures = measures
        self._loop = asyncio.new_event_loop()
        self._news = asyncio.Event()
        self._taking = True
        self._stopped = False
        self._failure: Exception | None = None
        self._clock = time.time_ns() // 1_000_000, time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"relay-{target}", daemon=True)

    def __enter__(self) -> Courier:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._stir()
        self._thread.join()

    def wake(self, now: int) -> None:
        """Something may have become due. `now` is the broker's time, by which deliveries are due."""
        self._clock = now, time.monotonic()
        self._stir()

    def _stir(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)

    def begin_no_more(self) -> None:
        """Let attempts in flight finish, and begin no new ones."""
        self._taking = False

    def raise_failure(self) -> None:
        """Raises Fatal if the courier has stopped: nothing would be delivered any more, and nobody would notice."""
        if self._failure is not None:
            raise Fatal(f"nothing is sent to {self._target} any more: {self._failure!r}") from self._failure

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._work())
        except Exception as error:  # noqa: BLE001 - raise_failure hands it to the loop, which stops the process
            _log.exception("the courier stopped", target=self._target)
            self._failure = error

    async def _work(self) -> None:
        tasks: set[asyncio.Task[None]] = set()
        try:
            while not self._stopped:
                self._news.clear()
                while self._taking and len(tasks) < self._most and (attempt := self._dispatch.take(self._now())):
                    tasks.add(asyncio.create_task(self._try(attempt)))
                for task in await self._wait(tasks):
                    tasks.discard(task)
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._sender.close()

    async def _wait(self, tasks: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
        """Wait until an attempt has ended, something changed or the next delivery is due.

        Returns the ended attempts.
        """
        due = self._dispatch.next_at()
        sleep = _LONGEST_SLEEP if due is None else (due - self._now()) / 1000
        if len(tasks) >= self._most:
            sleep = _LONGEST_SLEEP
        news = asyncio.create_task(self._news.wait())
        timeout = min(max(sleep, _SHORTEST_SLEEP), _LONGEST_SLEEP)
        done, _ = await asyncio.wait({news, *tasks}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        news.cancel()
        return {task for task in tasks if task in done}

    async def _try(self, attempt: Attempt) -> None:
        began = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                reply = await self._sender.send(attempt.delivery)
        except TimeoutError:
            reply = Reply(Reception.FAILED, f"no answer within {PATIENCE:g} s")
        except asyncio.CancelledError:
            self._dispatch.abandon(attempt)
            raise
        self._measures.tried(time.monotonic() - began, reply)
        self._dispatch.finish(attempt, reply, self._now())
        if reply.reception is not Reception.ACCEPTED:
            _log.warning(
                "a delivery failed",
                target=self._target,
                delivery=attempt.delivery.id,
                attempt=attempt.delivery.attempts + 1,
                reception=reply.reception.value,
                message=reply.message,
            )

    def _now(self) -> int:
        """The broker's time, extrapolated from its last known value."""
        told, at = self._clock
        return told + int((time.monotonic() - at) * 1000)
