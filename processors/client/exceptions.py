"""Reads exceptions from the topics, and sends commands to the workflow."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from processors.bootstrap.clients import stream_settings
from processors.client.exception_facts import why
from processors.client.transport import SOURCE, CommandRefused, NoAnswer, not_there
from processors.configuration.settings import Settings
from processors.errors import EventUnreadable, SettingsInvalid
from processors.events.exceptions import ExceptionDecided, Status
from processors.events.kinds import EventKind
from processors.events.topics import (
    DEAD_LETTERS,
    EXCEPTION_DECISIONS,
    EXCEPTION_STATE,
)
from processors.exception_workflow.state.case import DIGESTS, ExceptionCase, decode
from processors.stream.io.follow import Follower
from processors.stream.io.publish import send
from processors.stream.wire.codec import Codec
from processors.stream.wire.headers import header
from processors.stream.wire.reader import decision_reader, lenient
from processors.stream.wire.writer import Event, EventWriter


def case_of(of: Settings, codec: Codec, exception_id: str) -> ExceptionCase:
    """The last stored state of an exception. Raises SettingsInvalid if there is none."""
    found = {case.exception_id: case for case in _cases(of, codec, exception_id.encode())}.get(exception_id)
    if found is None or not found.exists:
        raise SettingsInvalid(not_there(exception_id))
    return found


def all_cases(of: Settings, codec: Codec) -> list[ExceptionCase]:
    """Every exception, the newest change last."""
    cases = {case.exception_id: case for case in _cases(of, codec, None)}
    return sorted((case for case in cases.values() if case.exists), key=lambda case: case.changed_at)


def _cases(of: Settings, codec: Codec, key: bytes | None) -> Iterator[ExceptionCase]:
    """Of all partitions, or of the one of `key`. The workflow quarantines unreadable records."""
    read = codec.decoder(EXCEPTION_STATE, "ExceptionState")
    with closing(Follower(stream_settings(of), "exceptions", brief=True)) as follower:
        if key is None:
            follower.from_beginning([EXCEPTION_STATE])
        else:
            follower.from_beginning_of(EXCEPTION_STATE, key)
        for record in follower.read():
            if record.value is None or (record.key or b"").startswith(DIGESTS.encode()):
                continue
            try:
                fields = read(record.value)
                held = decode(fields["document"], fields["subject"])
            except (EventUnreadable, ValueError):
                continue  # one invalid record must not stop the readers
            if isinstance(held, ExceptionCase):
                yield held


def history(of: Settings, codec: Codec, exception_id: str) -> list[ExceptionDecided]:
    """All readable decisions about an exception, oldest first."""
    key, read = exception_id.encode(), lenient(decision_reader(codec))
    with closing(Follower(stream_settings(of), "exceptions", brief=True)) as follower:
        follower.from_beginning_of(EXCEPTION_DECISIONS, key)
        decided = (read(record.value) for record in follower.read() if record.key == key)
        return [one for one in decided if one is not None]


def publish(of: Settings, codec: Codec, kind: EventKind, event: Event, patience: float) -> ExceptionDecided:
    """Send a command or a decision to the workflow.

    Waits for its decision, and for the guard's answer if there will be one. Raises CommandRefused or NoAnswer.
    """
    stream, key, read = stream_settings(of), event.key.encode(), lenient(decision_reader(codec))
    record = EventWriter(codec, kind, SOURCE)(event, time.time_ns() // 1_000_000)
    asked = False
    with closing(Follower(stream, "exceptions")) as follower:
        follower.from_end([EXCEPTION_DECISIONS, DEAD_LETTERS])
        place = "{}/{}/{}".format(*send(stream, record))
        for answer in follower.follow(time.monotonic() + patience):
            if answer.topic == DEAD_LETTERS:
                _raise_if_ours(answer, place)
            elif answer.key == key and (decided := read(answer.value)) and _is_about(decided, place, asked):
                asked = decided.to_state is Status.CHECKING and decided.event in _ASKED
                if decided.reason_code:
                    raise CommandRefused(why(decided))
                if not asked:
                    return decided
    if asked:
        raise NoAnswer(
            f"the guard was asked to confirm the report, and has not answered within {patience:g} s; "
            "the review opens when it does; is a checker running? `compat-guard run checker`"
        )
    raise NoAnswer(
        f"nothing was decided within {patience:g} s, and the command may still take effect; "
        "is the workflow running? `compat-guard run exception-workflow`"
    )


_ASKED = ("requested", "amended")
"""Events that can be followed by an answer of the guard, if they lead to CHECKING."""


def _is_about(decided: ExceptionDecided, place: str, asked: bool) -> bool:
    """Whether a decision was caused by a command, or by the guard's answer to it."""
    answered = decided.from_state is Status.CHECKING is not decided.to_state
    return decided.caused_by == place or (asked and answered)


def _raise_if_ours(record: Any, place: str) -> None:
    came = "/".join(
        str(header(record.headers, f"__streams.errors.{part}")) for part in ("topic", "partition", "offset")
    )
    if came == place:
        raise CommandRefused(f"the workflow cannot read this: {header(record.headers, '__streams.errors.message')}")
