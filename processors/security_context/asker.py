"""Asks the platform, page by page, in its own thread and event loop.

Replies are passed to the processor's loop one at a time, and the next page is requested only once that one is
committed: nothing piles up, however fast the platform answers.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import structlog

from processors.errors import DocumentRefused, Fatal
from processors.outbound.client import FAILURES, Answer
from processors.outbound.retry_after import milliseconds
from processors.security_context import measures
from processors.security_context.inquiry import LARGEST, Page, Reply, body, pages, read
from processors.security_context.measures import Came

PATIENCE: Final = 10.0
"""Seconds for one request, from resolving the address to the end of the response."""

FIRST_RETRY: Final = 30.0
"""Seconds before the first retry after a failure."""

LONGEST_WAIT: Final = 600.0
"""The most seconds that a Retry-After may ask for."""

_SLEEP: Final = 0.2

_log = structlog.get_logger(__name__)


class Heard(NamedTuple):
    """A reply about a page, with its entity tag."""

    page: Page
    reply: Reply
    etag: str


class Post(Protocol):
    """One exchange: `outbound.client.PinnedClient`."""

    async def post(self, body: bytes, headers: Mapping[str, str], longest: int) -> Answer: ...
    async def close(self) -> None: ...


class _Failed(Exception):
    """The platform does not answer now. `wait` is how many seconds it asks to wait."""

    def __init__(self, why: str, wait: float = 0.0) -> None:
        super().__init__(why)
        self.wait = wait


class Asker:
    """Use as a context manager. `client` creates the HTTP client, in the thread that uses it."""

    def __init__(
        self, client: Callable[[], Post], token: str, every: float, first_retry: float = FIRST_RETRY
    ) -> None:
        """`every` is seconds between two rounds, plus or minus a tenth."""
        self._client, self._every, self._first_retry = client, every, min(first_retry, every)
        self._headers = {
            "content-type": "application/json",
            "accept": "application/json",
            **({"authorization": f"Bearer {token}"} if token else {}),
        }
        self._asked: Sequence[str] | None = None
        self._heard: Heard | None = None
        self._taken: dict[Page, Heard] = {}
        self._held: set[Page] = set()
        self._stopped = False
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="security-context", daemon=True)

    def __enter__(self) -> Asker:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._thread.join(PATIENCE + 1)

    def wants(self, components: Sequence[str] | None) -> None:
        """What to ask about from the next page on; None while another replica asks."""
        self._asked = components
        if components is None:
            self._heard = None
            self._taken, self._held = {}, set()

    def heard(self) -> Heard | None:
        """The reply to decide on, the same one until it is settled."""
        return self._heard

    def settle(self, heard: Heard, came: Came) -> None:
        """Its result is committed."""
        measures.asked(came)
        (self._held.add if came is Came.HELD else self._held.discard)(heard.page)
        if came is Came.TAKEN:
            self._taken[heard.page] = heard
        else:
            self._taken.pop(heard.page, None)
        if self._heard is heard:
            self._heard = None

    @property
    def held(self) -> int:
        """The number of pages whose last reply is held."""
        return len(self._held)

    def raise_failure(self) -> None:
        """Raises Fatal if it has stopped: policies would expire, and nobody would know why."""
        if self._failure is not None:
            raise Fatal(f"nobody asks for security policies any more: {self._failure!r}") from self._failure

    def _run(self) -> None:
        try:
            asyncio.run(self._work())
        except Exception as error:  # noqa: BLE001 - raise_failure hands it to the loop, which stops the process
            _log.exception("the asker stopped")
            self._failure = error

    async def _work(self) -> None:
        client, failures, due = self._client(), 0, 0.0
        try:
            while not self._stopped:
                await asyncio.sleep(_SLEEP)
                if self._asked is None:
                    failures, due = 0, 0.0
                elif time.monotonic() >= due:
                    try:
                        await self._round(client, self._asked)
                    except _Failed as failed:
                        measures.asked(Came.FAILED)
                        _log.warning("the platform gives no security policies", why=str(failed))
                        wait = min(self._first_retry * 2**failures, self._every)
                        failures = min(failures + 1, 16)
                        due = time.monotonic() + max(_jittered(wait), failed.wait)
                    else:
                        failures, due = 0, time.monotonic() + _jittered(self._every)
        finally:
            await client.close()

    async def _round(self, client: Post, asked: Sequence[str]) -> None:
        """Ask about everything once. Raises _Failed if the platform does not answer."""
        all = tuple(pages(asked))
        self._taken = {page: heard for page, heard in self._taken.items() if page in all}
        self._held &= {*all}
        for page in all:
            if (heard := await self._ask(client, page)) is None:
                continue
            self._heard = heard
            if not await self._settled():
                return
        if all and self._taken.keys() >= {*all}:
            measures.rounded(time.time())

    async def _settled(self) -> bool:
        """Wait until the reply is decided on.

        False if it is no longer useful: another replica asks, or it became old while nothing could be written.
        """
        until = time.monotonic() + self._every
        while self._heard is not None:
            if self._stopped or self._asked is None or time.monotonic() > until:
                self._heard = None
                return False
            await asyncio.sleep(_SLEEP / 4)
        return self._asked is not None and not self._stopped

    async def _ask(self, client: Post, page: Page) -> Heard | None:
        """The reply about a page; None for a refused one. Raises _Failed."""
        known = self._taken.get(page)
        headers = {**self._headers, **({"if-none-match": known.etag} if known and known.etag else {})}
        answer = await _within(client.post(body(page), headers, LARGEST))
        if answer.status == 304 and known is not None and known.etag:
            return known
        if answer.status != 200:
            asks = milliseconds(answer.headers.get("retry-after"), time.time_ns() // 1_000_000) or 0
            raise _Failed(f"it answered {answer.status}", min(asks / 1000, LONGEST_WAIT))
        try:
            reply = read(_content(answer), page, time.time_ns() // 1_000_000)
        except DocumentRefused as error:
            measures.asked(Came.REFUSED)
            self._taken.pop(page, None)
            _log.error("a reply about security policies is refused", why=str(error), components=len(page))
            return None
        return Heard(page, reply, _tag(answer))


async def _within(exchange: Awaitable[Answer]) -> Answer:
    limit = asyncio.timeout(PATIENCE)
    try:
        async with limit:
            return await exchange
    except FAILURES as error:  # its text may contain the URL
        why = f"no answer within {PATIENCE:g} s" if limit.expired() else type(error).__name__
        raise _Failed(why) from None


def _content(answer: Answer) -> bytes:
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise DocumentRefused("", "the reply is packed, which nobody asked for")
    if answer.body is None:
        raise DocumentRefused("", f"the reply has more than {LARGEST} bytes")
    return answer.body


def _tag(answer: Answer) -> str:
    """A tag that can be sent back unchanged; None for anything else."""
    tag = answer.headers.get("etag", "")
    return tag if len(tag) <= 256 and tag.isprintable() and tag.isascii() else ""


def _jittered(seconds: float) -> float:
    """Spreads the requests of many installations over time."""
    return seconds * random.uniform(0.9, 1.1)  # noqa: S311 - no secret
