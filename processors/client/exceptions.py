"""Exceptions as they stand on the topics, and commands to the workflow: what the commands for people share."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from processors.bootstrap.clients import stream_settings
from processors.bootstrap.trusted_keys import TrustedKeys
from processors.cli import talk
from processors.configuration.guard import Watched
from processors.configuration.settings import Settings
from processors.errors import Refused, SettingsInvalid, Unavailable, shorten
from processors.events.exceptions import Status
from processors.events.topics import (
    DEAD_LETTERS,
    EXCEPTION_DECISIONS,
    EXCEPTION_REQUESTS,
    EXCEPTION_STATE,
    INSTALL_REQUESTS,
)
from processors.exception_workflow.config import ExceptionPolicy, load
from processors.exception_workflow.processor import ExceptionWorkflow
from processors.exception_workflow.rules.reasons import SENTENCES, in_words
from processors.exception_workflow.rules.timers import REVIEWING, current_step
from processors.exception_workflow.state.case import DIGESTS, ExceptionCase, decode
from processors.stream.io.clients import partition_count, plain_producer
from processors.stream.io.follow import Follower
from processors.stream.io.send import send
from processors.stream.types import Outbound
from processors.stream.wire.codec import Codec
from processors.stream.wire.headers import event_headers, header
from processors.stream.wire.partitioner import partition_of

SOURCE = "/compat-guard/cli"
PATIENCE = 30.0
EXTENSION_WAITS = "until the extension is approved, the exception covers nothing; a denial ends it"


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


def read_policy(of: Settings) -> ExceptionPolicy:
    return load(of.config / "exception_workflow.yaml")


def workflow(of: Settings, events: Codec) -> ExceptionWorkflow:
    """The processor with the keys of its issuers. Raises SettingsInvalid for a laptop's key beyond loopback."""
    policy = read_policy(of)
    if any(issuer.development for issuer in policy.proof.issuers):
        _only_on_loopback(of.kafka.bootstrap)
    keys = TrustedKeys(policy, of.config)
    keys.keep_fresh()
    config = Watched(of.config)
    return ExceptionWorkflow(events, policy, keys, lambda: config().features.exceptions)


def _only_on_loopback(bootstrap: str) -> None:
    for address in bootstrap.split(","):
        host = address.strip().rpartition(":")[0].strip("[]")
        try:
            near = ipaddress.ip_address(host).is_loopback
        except ValueError:
            near = host == "localhost"
        if not near:
            raise SettingsInvalid(
                f"exception_workflow.yaml trusts a development key, and the broker `{host}` is not on loopback; "
                "name the issuer that vouches for your approvers instead"
            )


def case_of(of: Settings, codec: Codec, exception_id: str) -> ExceptionCase:
    """An exception as the workflow last wrote it down. Raises SettingsInvalid if there is none."""
    key = exception_id.encode()
    stream = stream_settings(of)
    home = partition_of(key, partition_count(plain_producer(stream), EXCEPTION_STATE))
    found = {case.exception_id: case for case in _cases(of, codec, [home])}.get(exception_id)
    if found is None or not found.exists:
        raise SettingsInvalid(
            f"there is no exception `{shorten(exception_id)}`; `compat-guard exception list --all` shows all"
        )
    return found


def all_cases(of: Settings, codec: Codec) -> list[ExceptionCase]:
    """Every exception, the newest change last."""
    cases = {case.exception_id: case for case in _cases(of, codec, None)}
    return sorted((case for case in cases.values() if case.exists), key=lambda case: case.changed_at)


def _cases(of: Settings, codec: Codec, partitions: list[int] | None) -> Iterator[ExceptionCase]:
    read = codec.decoder(EXCEPTION_STATE, "ExceptionState")
    with closing(Follower(stream_settings(of), "exceptions")) as follower:
        follower.from_beginning([EXCEPTION_STATE], partitions)
        for record in follower.read():
            if record.value is None or (record.key or b"").startswith(DIGESTS.encode()):
                continue
            fields = read(record.value)
            held = decode(fields["document"], fields["subject"])
            if isinstance(held, ExceptionCase):
                yield held


def history(of: Settings, codec: Codec, exception_id: str) -> list[dict[str, Any]]:
    """Everything that was decided about an exception, oldest first."""
    key, stream = exception_id.encode(), stream_settings(of)
    read = codec.decoder(EXCEPTION_DECISIONS, "ExceptionDecided")
    home = partition_of(key, partition_count(plain_producer(stream), EXCEPTION_DECISIONS))
    with closing(Follower(stream, "exceptions")) as follower:
        follower.from_beginning([EXCEPTION_DECISIONS], [home])
        return [read(record.value) for record in follower.read() if record.key == key]


def question_of(of: Settings, codec: Codec, request_id: str, plugin_id: str) -> dict[str, Any] | None:
    """The install request of that id, whole; None if the topic does not hold it."""
    stream, key = stream_settings(of), plugin_id.encode()
    read = codec.decoder(INSTALL_REQUESTS, "InstallRequested")
    home = partition_of(key, partition_count(plain_producer(stream), INSTALL_REQUESTS))
    found: dict[str, Any] | None = None
    with closing(Follower(stream, "exceptions")) as follower:
        follower.from_beginning([INSTALL_REQUESTS], [home])
        for record in follower.read():
            if record.key == key and (asked := read(record.value))["request_id"] == request_id:
                found = asked
    return found


def announce(decided: Mapping[str, str], case: ExceptionCase, policy: ExceptionPolicy) -> None:
    """Tell the person at the terminal what became of the exception, and whose turn it is."""
    said = f"{decided['event'].replace('_', ' ')}: the exception is {decided['to_state']}"
    talk().print(said, highlight=False)
    if decided["event"] == "extension_requested":
        talk().print(EXTENSION_WAITS, highlight=False, soft_wrap=True)
    step = current_step(case, policy) if case.status in REVIEWING else None
    if step is not None:
        roles = " or ".join(policy.thresholds[step.threshold].roles)
        talk().print(f"step `{step.name}` waits for {roles}:", highlight=False)
        talk().print(f"  compat-guard approve {case.exception_id} --as PERSON", highlight=False, soft_wrap=True)


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
    """Write one record and wait for the decision that it causes."""
    stream, key = stream_settings(of), exception_id.encode()
    read = codec.decoder(EXCEPTION_DECISIONS, "ExceptionDecided")
    kind = "plugin.compat.exception_command"
    headers = event_headers(id=id, type=kind, source=SOURCE, time=time.time_ns() // 1_000_000)
    with closing(Follower(stream, "exceptions")) as follower:
        follower.from_end([EXCEPTION_DECISIONS, DEAD_LETTERS])
        place = "{}/{}/{}".format(*send(stream, Outbound(topic, key, value, headers)))
        for record in follower.follow(time.monotonic() + patience):
            if record.topic == DEAD_LETTERS:
                _raise_if_ours(record, place)
            elif record.key == key and (decided := read(record.value))["caused_by"] == place:
                if decided["reason_code"]:
                    raise CommandRefused(why(decided))
                return decided
    raise NoAnswer(
        f"nothing was decided within {patience:g} s, and the command may still take effect; "
        "is the workflow running? `compat-guard run exception-workflow`"
    )


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
