"""The services that the resources of the gateway share: one object, created when the process starts."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

from processors.configuration.guard import GuardConfig
from processors.configuration.settings import Settings
from processors.errors import AccessDenied, BrokerUnavailable, EventUnreadable
from processors.events.results import Result
from processors.events.topics import RESULTS
from processors.gateway.admission import Admission
from processors.gateway.auth.gate import Gate
from processors.gateway.fair_threads import FairThreads
from processors.gateway.limits import Limits
from processors.gateway.live import MOST_EACH, MOST_STREAMS, Live
from processors.gateway.mailbox import Crowded, Mailbox
from processors.gateway.positions import Position
from processors.gateway.replies import Answer
from processors.gateway.signing import SigningKeys
from processors.stream.io.outbox import Outbox
from processors.stream.io.publish import Delivered
from processors.stream.types import Inbound, Outbound
from processors.stream.wire.codec import PREFIX_SIZE, Codec, Encoder

T = TypeVar("T")

WRITTEN_WITHIN: Final = 2.5
"""Seconds that the broker has to take a record; the caller gets an error within three."""

DECODED_AT_ONCE: Final = 64 * 1024
"""The most bytes of a result that is decoded in the event loop, in a millisecond at most."""

READERS: Final = 4
MOST_READING: Final = 32
"""The most calls that read topics or the matrix at once, including those that wait."""

MOST_LARGE: Final = 64
MOST_LARGE_EACH: Final = 16
"""The most large questions that are parsed or wait for it, in all and for one caller."""


MOST_AUDITING: Final = 16
MOST_AUDITING_EACH: Final = 4
"""The most calls that read the ledger or wait for it, in all and for one auditor."""

WOKEN_IN_A_ROUND: Final = 16
"""Requests whose answers arrived together that continue in one round of the event loop."""

SHOWN_KEPT: Final = 500
"""The most results whose text is cached: every stream sends the same one."""


class Shown(NamedTuple):
    """A result as streams send it: JSON of the broker's milliseconds and the record."""

    tenant: str
    text: str


@dataclass
class Desk:
    """Belongs to the event loop, except if a method says otherwise."""

    settings: Settings
    config: Callable[[], GuardConfig]
    events: Codec
    outbox: Outbox
    gate: Gate
    keys: SigningKeys
    mailbox: Mailbox = field(default_factory=Mailbox)
    limits: Limits = field(default_factory=Limits)
    live: Live = field(default_factory=Live)
    admission: Admission = field(default_factory=Admission)
    large: FairThreads = field(
        default_factory=lambda: FairThreads("large", 2, most=MOST_LARGE, most_each=MOST_LARGE_EACH)
    )
    """Parses large questions."""
    catching_up: FairThreads = field(
        default_factory=lambda: FairThreads("catching-up", 2, most=MOST_STREAMS, most_each=MOST_EACH)
    )
    """Reads missed results again for readers of streams."""
    auditing: FairThreads = field(
        default_factory=lambda: FairThreads("auditing", 3, most=MOST_AUDITING, most_each=MOST_AUDITING_EACH)
    )
    """Reads the ledger, whose queries may take seconds: nobody else waits for them."""
    _readers: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(READERS, thread_name_prefix="reading")
    )
    _reading: int = 0
    _learning: dict[object, asyncio.Task[object]] = field(default_factory=dict[object, asyncio.Task[object]])
    _arrived: deque[Answer] = field(default_factory=deque[Answer])
    _shown: OrderedDict[tuple[int, int], Shown | None] = field(
        default_factory=OrderedDict[tuple[int, int], Shown | None]
    )

    async def publish(self, record: Outbound) -> Delivered:
        """Write one record; returns when the broker has it. Raises BrokerUnavailable."""
        loop = asyncio.get_running_loop()
        reported: asyncio.Future[Delivered] = loop.create_future()

        def settle(outcome: Delivered | BrokerUnavailable) -> None:
            if reported.done():
                return
            if isinstance(outcome, BrokerUnavailable):
                reported.set_exception(outcome)
            else:
                reported.set_result(outcome)

        def hand_over(outcome: Delivered | BrokerUnavailable) -> None:
            loop.call_soon_threadsafe(settle, outcome)

        self.outbox.send(record, hand_over)
        try:
            async with asyncio.timeout(WRITTEN_WITHIN):  # the client checks its own deadline only now and then
                return await reported
        except TimeoutError:
            raise BrokerUnavailable(f"`{record.topic}` was not written to within {WRITTEN_WITHIN:g} s") from None

    async def result(self, value: bytes) -> Result:
        """A result in the form of its topic. Raises EventUnreadable, RegistryUnavailable."""
        decode = self.events.decoder(RESULTS, "CompatibilityChecked")
        if len(value) > DECODED_AT_ONCE:
            return Result(await asyncio.to_thread(decode, value))
        if not decode.knows_writer(value):
            await self._learn(value[:PREFIX_SIZE], decode.learn_writer, value)
        return Result(decode(value))

    async def ready(self, encoder: Encoder) -> None:
        """Returns when this encoder can write. Raises RegistryUnavailable."""
        if not encoder.is_ready:
            await self._learn(encoder, encoder.look_up)

    async def _learn(self, what: object, ask: Callable[..., object], *arguments: Any) -> None:
        """Ask the registry in a thread: once for everybody who needs to know this at the same time."""
        learning = self._learning.get(what)
        if learning is None:
            learning = self._learning[what] = asyncio.create_task(asyncio.to_thread(ask, *arguments))
            learning.add_done_callback(lambda _: self._learning.pop(what))
        await asyncio.shield(learning)  # a caller who leaves takes it from nobody else
        await self.admission.take()

    async def shown(self, record: Inbound) -> Shown | None:
        """A record of the topic of results as streams send it; None if it is unreadable."""
        at = (record.partition, record.offset)
        if at in self._shown:
            return self._shown[at]
        try:
            result = await self.result(record.value or b"")
        except EventUnreadable:
            shown = None
        else:
            text = json.dumps({"at": record.timestamp, "result": result.record}, ensure_ascii=True)
            shown = Shown(result.tenant, text)
        self._shown[at] = shown
        while len(self._shown) > SHOWN_KEPT:
            self._shown.popitem(last=False)
        return shown

    async def read(self, call: Callable[..., T], *arguments: Any) -> T:
        """Make a blocking call to Kafka, in a thread.

        Raises Crowded, and what the call raises. What the broker denies the gateway is no mistake of whoever asks:
        that is BrokerUnavailable.
        """
        if self._reading >= MOST_READING:
            raise Crowded
        self._reading += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, call, *arguments)
        except AccessDenied as error:
            raise BrokerUnavailable(str(error)) from error
        finally:
            self._reading -= 1

    def begin(self, place: Position) -> None:
        """The position of the reader of results, when it has caught up and whenever it restarts."""
        self._shown.clear()  # offsets of a topic that was created again are those of other results
        self.live.begin(place)

    def deliver(self, answers: Sequence[Answer], results: Sequence[Inbound]) -> None:
        """What the reader has read, in the order of each log."""
        self.live.publish(results)
        is_busy = bool(self._arrived)
        self._arrived.extend(answers)
        if not is_busy:
            self._hand_out()

    def _hand_out(self) -> None:
        """Wake a few requests in each round of the event loop: whoever else is ready waits until all have run."""
        woken = 0
        while self._arrived and woken < WOKEN_IN_A_ROUND:
            woken += self.mailbox.put(*self._arrived.popleft())
        if self._arrived:
            asyncio.get_running_loop().call_soon(self._hand_out)

    def close(self) -> None:
        """Release all waiting requests, and end streams."""
        self.mailbox.close()
        self.live.close()
        self.large.close()
        self.catching_up.close()
        self.auditing.close()
        self._readers.shutdown(wait=False, cancel_futures=True)
