"""Reads exceptions from the topics, and sends commands to the workflow."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

from processors.bootstrap.clients import stream_settings
from processors.bootstrap.sealing import seals
from processors.client.exception_facts import why
from processors.client.transport import SOURCE, CommandRefused, NoAnswer, NoSuchException, StateTooNew, not_there
from processors.configuration.settings import Settings
from processors.errors import EventUnreadable
from processors.events.exceptions import ExceptionDecided, Status
from processors.events.kinds import EventKind
from processors.events.topics import (
    DEAD_LETTERS,
    EXCEPTION_DECISIONS,
    EXCEPTION_STATE,
)
from processors.exception_workflow.state.case import DIGESTS, ExceptionCase
from processors.exception_workflow.state.changelog import Changelog
from processors.stream.io.follow import Follower
from processors.stream.io.publish import send
from processors.stream.loop.restore import Restored, text_of
from processors.stream.types import Inbound, StateSpec
from processors.stream.wire.codec import Codec
from processors.stream.wire.headers import header
from processors.stream.wire.reader import decision_reader, lenient
from processors.stream.wire.writer import Event, EventWriter


def case_of(of: Settings, codec: Codec, exception_id: str, *, unverified: bool = False) -> ExceptionCase:
    """The last state of an exception that the workflow has stored. `unverified` is as for `all_cases`.

    Raises NoSuchException if there is none, SettingsInvalid as `all_cases`, and StateTooNew for one that a newer
    workflow has written.
    """
    held = _held(of, codec, exception_id.encode(), unverified=unverified).get(exception_id)
    if isinstance(held, EventUnreadable):
        raise StateTooNew(
            f"the state of exception `{exception_id}` cannot be read here: {held}; is the workflow newer than this?"
        )
    if held is None or not held.exists:
        raise NoSuchException(not_there(exception_id))
    return held


def all_cases(of: Settings, codec: Codec, *, unverified: bool = False) -> list[ExceptionCase]:
    """Every exception, the newest change last.

    Only states that the workflow has sealed count, and SettingsInvalid is raised without the keys of the seals.
    `unverified` takes whatever is last on the topic: for those who have no keys, to show and never to decide.
    """
    states = _held(of, codec, None, unverified=unverified).values()
    cases = [held for held in states if isinstance(held, ExceptionCase) and held.exists]
    return sorted(cases, key=lambda case: case.changed_at)


_Held = ExceptionCase | EventUnreadable


def _held(of: Settings, codec: Codec, key: bytes | None, *, unverified: bool) -> Mapping[str, _Held]:
    """The states of all partitions, or that of `key`, by exception. One that cannot be read hides no other."""
    by = None if unverified else seals(of)
    spec = _leniently(Changelog(codec, lambda subject: subject, lambda _: None).spec)
    partitions: defaultdict[int, Restored] = defaultdict(Restored)
    with closing(Follower(stream_settings(of), "exceptions", brief=True)) as follower:
        if key is None:
            follower.from_beginning([EXCEPTION_STATE])
        else:
            follower.from_beginning_of(EXCEPTION_STATE, key)
        for record in follower.read():
            if (record.key or b"").startswith(DIGESTS.encode()) or key not in (None, record.key):
                continue
            if by is None:
                _believe(partitions[record.partition], record, spec)
            else:
                partitions[record.partition].take(record, spec, by)
    states = [state for restored in partitions.values() for state in restored.values.items()]
    return dict(sorted(states, key=lambda state: _progress(state[1])))  # of two partitions' the furthest counts


def _leniently(spec: StateSpec) -> StateSpec:
    def decode(value: bytes) -> object:
        try:
            return spec.decode(value)
        except EventUnreadable as error:
            return error

    return replace(spec, decode=decode)


def _progress(held: _Held) -> tuple[int, int]:
    return (held.round, held.sequence) if isinstance(held, ExceptionCase) else (0, 0)


def _believe(restored: Restored, record: Inbound, spec: StateSpec) -> None:
    """Take a state whoever has written it. What is none hides no earlier one."""
    state = None if record.value is None else spec.decode(record.value)
    if isinstance(state, ExceptionCase):
        restored.values[text_of(record.key or b"")] = state


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
