"""Results on the topics: waiting for one, following them, finding one again.

A result counts as the answer to a question only if it names that question: its input, tenant, operator and the
other fields of `Question`. A request id alone proves nothing, because its sender chose it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from typing import Any, TypeVar

from processors.bootstrap.clients import stream_settings
from processors.client.transport import SOURCE, NoVerdict, QuestionUnclear, Record, RequestRefused, no_result
from processors.configuration.settings import Settings
from processors.errors import EventUnreadable, SettingsInvalid, shorten
from processors.events.install_requests import InstallRequested, KeptRequest
from processors.events.kinds import INSTALL_REQUESTED
from processors.events.questions import Question, asked_by
from processors.events.results import Result
from processors.events.topics import DEAD_LETTERS, INSTALL_REQUESTS, RESULTS
from processors.stream.io.follow import Follower
from processors.stream.io.publish import Delivered, send
from processors.stream.types import Inbound
from processors.stream.wire.codec import Codec, Decoder
from processors.stream.wire.headers import header, new_trace
from processors.stream.wire.writer import EventWriter

T = TypeVar("T")


def ask(
    of: Settings,
    codec: Codec,
    asked: InstallRequested,
    subject: Mapping[str, Any],
    patience: float,
    tell: Callable[[str], None] = lambda _: None,
) -> Result:
    """Publish a request and wait for its result, at most `patience` seconds from when the broker has it.

    It begins a trace. Results of other questions under the same id are skipped. `tell` is called with what is being
    waited for. Raises NoVerdict, RequestRefused or BrokerUnavailable.
    """
    stream = stream_settings(of)
    write = EventWriter(codec, INSTALL_REQUESTED, SOURCE)
    decode = _lenient(codec.decoder(RESULTS, "CompatibilityChecked"))
    tail, others = write.tail(subject), False
    question = asked_by(asked.record(), tail)
    tell(f"a broker at {of.kafka.bootstrap}")
    with closing(Follower(stream, "request")) as follower:
        follower.from_end([RESULTS, DEAD_LETTERS])
        place = send(stream, write.joined(asked, tail, asked.requested_at, (new_trace(),)))
        tell(f"a checker to answer on {RESULTS}")
        for record in follower.follow(time.monotonic() + patience):
            if record.topic == DEAD_LETTERS:
                _raise_if_ours(record, place)
            elif record.key == question.request_id.encode() and (result := decode(record.value)):
                if result.question == question:
                    return result
                others = True
    why = "only another question under this id was answered; " if others else ""
    raise NoVerdict(
        f"no verdict on request {question.request_id} within {patience:g} s, which counts as a block; "
        f"{why}is a checker running? `compat-guard run checker`"
    )


def follow(of: Settings, codec: Codec, *, from_beginning: bool) -> Iterator[tuple[int, Result]]:
    """Every result from now on, or from the first one that still exists, each with the broker's milliseconds.

    Stored results come in the order of the broker's time. Unreadable ones are skipped. The caller ends the
    iteration.
    """
    decode = _lenient(codec.decoder(RESULTS, "CompatibilityChecked"))
    with closing(Follower(stream_settings(of), "watch")) as follower:
        if from_beginning:
            follower.from_beginning([RESULTS])
            for record in follower.read_in_time_order():
                if result := decode(record.value):
                    yield record.timestamp, result
        else:
            follower.from_end([RESULTS])
        for record in follower.follow(float("inf")):
            if result := decode(record.value):
                yield record.timestamp, result


def results_of(of: Settings, codec: Codec, request_id: str) -> dict[Question, Result]:
    """The newest result of each question that was answered under an id, from the one partition of its key."""
    decode = _lenient(codec.decoder(RESULTS, "CompatibilityChecked"))
    key = request_id.encode()
    with closing(Follower(stream_settings(of), "report", brief=True)) as follower:
        follower.from_beginning_of(RESULTS, key)
        read = (decode(record.value) for record in follower.read() if record.key == key)
        return {result.question: result for result in read if result and result.request_id == request_id}


def result_of(of: Settings, codec: Codec, request_id: str, question: str | None = None) -> Result:
    """The newest result of a request.

    Raises SettingsInvalid if there is none, QuestionUnclear if there are results of several questions and none is
    named.
    """
    found = results_of(of, codec, request_id)
    if not found:
        raise SettingsInvalid(no_result(request_id))
    return only(request_id, {asked: (result, about(result)) for asked, result in found.items()}, question)


def only(request_id: str, found: Mapping[Question, tuple[T, str]], question: str | None) -> T:
    """The selected record, of those of each question with its description.

    Raises SettingsInvalid for a name that none of them has, QuestionUnclear for several without a name.
    """
    meant = {asked: one for asked, one in found.items() if question in (None, asked.name)}
    if len(meant) == 1:
        return next(iter(meant.values()))[0]
    if question is not None:
        raise SettingsInvalid(f"no question of that id is called `{shorten(question)}`; leave --question out")
    raise QuestionUnclear(request_id, ((asked, what) for asked, (_, what) in found.items()))


def about(result: Result) -> str:
    who = f"tenant {result.tenant}, by {result.operator}"
    return f"{result.plugin} on {result.where}, {who}: {result.record['verdict']}"


def request_of(of: Settings, codec: Codec, result: Result) -> KeptRequest | None:
    """The whole install request that a result answers; None if the topic does not hold it."""
    wanted, key = result.question, result.plugin_id.encode()
    requests = codec.decoder(INSTALL_REQUESTS, "InstallRequested")
    found: KeptRequest | None = None
    with closing(Follower(stream_settings(of), "exceptions", brief=True)) as follower:
        follower.from_beginning_of(INSTALL_REQUESTS, key)
        for record in follower.read():
            if record.key == key and (asked := read_request(requests, record.value)) and asked[0] == wanted:
                found = asked[1]
    return found


def read_request(requests: Decoder, value: bytes | None) -> tuple[Question, KeptRequest] | None:
    """A request and its question; None if it is unreadable."""
    with suppress(EventUnreadable):
        envelope, subject = requests.split(value)
        return asked_by(envelope, subject), KeptRequest({**envelope, "subject": requests.tail(subject)})
    return None


def _lenient(decode: Callable[[bytes | None], Record]) -> Callable[[bytes | None], Result | None]:
    """Anybody who may write a topic may write invalid records; a reader skips them."""

    def read(value: bytes | None) -> Result | None:
        with suppress(EventUnreadable):
            return Result(decode(value))
        return None

    return read


def _raise_if_ours(record: Inbound, place: Delivered) -> None:
    came_from = tuple(
        header(record.headers, f"__streams.errors.{part}") for part in ("topic", "partition", "offset")
    )
    if came_from == (place.topic, str(place.partition), str(place.offset)):
        raise RequestRefused(
            f"the guard cannot read this request: {header(record.headers, '__streams.errors.message')}"
        )
