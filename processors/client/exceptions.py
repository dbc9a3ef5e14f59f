"""Exceptions as they stand on the topics, and commands to the workflow."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from processors.bootstrap.clients import stream_settings
from processors.configuration.settings import Settings
from processors.errors import EventUnreadable, Refused, SettingsInvalid, Unavailable, shorten
from processors.events.exceptions import Status
from processors.events.topics import (
    DEAD_LETTERS,
    EXCEPTION_DECISIONS,
    EXCEPTION_REQUESTS,
    EXCEPTION_STATE,
)
from processors.exception_workflow.rules.reasons import SENTENCES, in_words
from processors.exception_workflow.rules.timers import REVIEWING
from processors.exception_workflow.state.case import DIGESTS, ExceptionCase, decode
from processors.stream.io.follow import Follower
from processors.stream.io.publish import send
from processors.stream.types import Outbound
from processors.stream.wire.codec import Codec
from processors.stream.wire.headers import event_headers, header

SOURCE = "/compat-guard/cli"
PATIENCE = 30.0


class NoAnswer(Unavailable):
    """The workflow did not answer in time. The command may still take effect."""


class CommandRefused(Refused):
    """The workflow refuses the command; the exception stays as it was."""


class AlreadyOpen(Refused):
    """An exception of the same scope is open, and stands as it did. `status` is where it stands."""

    def __init__(self, exception_id: str, status: Status) -> None:
        way_out = (
            f"`compat-guard exception amend {exception_id}` changes it"
            if status in REVIEWING
            else f"`compat-guard exception show {exception_id}` tells what it covers"
        )
        super().__init__(f"an exception is open already and is {status}; nothing was changed; {way_out}")


def case_of(of: Settings, codec: Codec, exception_id: str) -> ExceptionCase:
    """An exception as the workflow last wrote it down. Raises SettingsInvalid if there is none."""
    found = {case.exception_id: case for case in _cases(of, codec, exception_id.encode())}.get(exception_id)
    if found is None or not found.exists:
        raise SettingsInvalid(
            f"there is no exception `{shorten(exception_id)}`; `compat-guard exception list --all` shows all"
        )
    return found


def all_cases(of: Settings, codec: Codec) -> list[ExceptionCase]:
    """Every exception, the newest change last."""
    cases = {case.exception_id: case for case in _cases(of, codec, None)}
    return sorted((case for case in cases.values() if case.exists), key=lambda case: case.changed_at)


def _cases(of: Settings, codec: Codec, key: bytes | None) -> Iterator[ExceptionCase]:
    """Of all partitions, or of the one that `key` belongs to. The workflow quarantines what cannot be read."""
    read = codec.decoder(EXCEPTION_STATE, "ExceptionState")
    with closing(Follower(stream_settings(of), "exceptions")) as follower:
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
                continue  # whoever may write the topic must not blind its readers
            if isinstance(held, ExceptionCase):
                yield held


def history(of: Settings, codec: Codec, exception_id: str) -> list[dict[str, Any]]:
    """Everything that was decided about an exception, oldest first."""
    key = exception_id.encode()
    read = codec.decoder(EXCEPTION_DECISIONS, "ExceptionDecided")
    with closing(Follower(stream_settings(of), "exceptions")) as follower:
        follower.from_beginning_of(EXCEPTION_DECISIONS, key)
        return [read(record.value) for record in follower.read() if record.key == key]


def command(case: ExceptionCase, kind: str, **more: Any) -> dict[str, Any]:
    """A command about an exception that exists; `more` are fields that differ from what it says of itself."""
    return {
        "exception_id": case.exception_id,
        "kind": kind,
        "at": time.time_ns() // 1_000_000,
        "requester": case.requester.subject,
        "requester_issuer": case.requester.issuer,
        **case.scope._asdict(),
        "request_id": case.request_id,
        "report_digest": "",
        "finding_ids": [],
        "risk_statement": "",
        "category": "WAIVER",
        "compensating_controls": [],
        "valid_until": None,
        "single_use": case.single_use,
        "reason": "",
        "proof_kind": "SERVICE_JWS",
        "proof": None,
        "subject": None,
        "report": None,
        **more,
    }


def say(of: Settings, codec: Codec, record: Mapping[str, Any], patience: float = PATIENCE) -> dict[str, Any]:
    """Give a command to the workflow and wait for what it decides. Raises CommandRefused or NoAnswer."""
    value = codec.encoder(EXCEPTION_REQUESTS, "ExceptionRequested")(record)
    return publish(of, codec, EXCEPTION_REQUESTS, record["exception_id"], value, record["command_id"], patience)


def publish(
    of: Settings, codec: Codec, topic: str, exception_id: str, value: bytes, id: str, patience: float
) -> dict[str, Any]:
    """Write one record and wait for the decision that it causes, and for the guard's answer where that is due."""
    stream, key = stream_settings(of), exception_id.encode()
    read = codec.decoder(EXCEPTION_DECISIONS, "ExceptionDecided")
    kind = "plugin.compat.exception_command"
    headers = event_headers(id=id, type=kind, source=SOURCE, time=time.time_ns() // 1_000_000)
    asked = False
    with closing(Follower(stream, "exceptions")) as follower:
        follower.from_end([EXCEPTION_DECISIONS, DEAD_LETTERS])
        place = "{}/{}/{}".format(*send(stream, Outbound(topic, key, value, headers)))
        for record in follower.follow(time.monotonic() + patience):
            if record.topic == DEAD_LETTERS:
                _raise_if_ours(record, place)
            elif record.key == key and _is_about(decided := read(record.value), place, asked):
                asked = decided["to_state"] == Status.CHECKING and decided["event"] in _ASKED
                if decided["reason_code"]:
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
"""Events after which the guard is asked, where they lead to CHECKING."""


def _is_about(decided: Mapping[str, Any], place: str, asked: bool) -> bool:
    """Whether a decision is what a command caused, or what the guard's answer to it led to."""
    answered = decided["from_state"] == Status.CHECKING != decided["to_state"]
    return decided["caused_by"] == place or (asked and answered)


def why(decided: Mapping[str, str]) -> str:
    """Why something was decided, in words: what a refusal rests on, then what was said in the case at hand."""
    code, said = decided["reason_code"], decided["reason"]
    if not code:
        return said
    others, colon, rest = said.partition(": ")
    if not colon or not SENTENCES.keys() >= set(others.split(", ")):  # a colon of the text itself, or none
        others, rest = "", said
    codes = filter(None, [code, *others.split(", ")])
    return "; ".join(map(in_words, codes)) + (f" ({rest})" if rest else "")


def _raise_if_ours(record: Any, place: str) -> None:
    came = "/".join(
        str(header(record.headers, f"__streams.errors.{part}")) for part in ("topic", "partition", "offset")
    )
    if came == place:
        raise CommandRefused(f"the workflow cannot read this: {header(record.headers, '__streams.errors.message')}")
