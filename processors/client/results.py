"""Results as they stand on the topics: waiting for one, following them, finding one again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from processors.bootstrap.clients import stream_settings
from processors.configuration.settings import Settings
from processors.errors import Refused, SettingsInvalid, Unavailable, shorten
from processors.events.topics import DEAD_LETTERS, INSTALL_REQUESTS, RESULTS
from processors.stream.io.follow import Follower
from processors.stream.io.publish import Delivered, send
from processors.stream.types import Inbound, Outbound
from processors.stream.wire.codec import Codec
from processors.stream.wire.headers import header

LISTED = "`compat-guard watch --from-beginning` lists those that are kept"
"""The way out for whoever gave the id of a request that is not there."""


class NoVerdict(Unavailable):
    """Nobody answered in time. Treat it as a block."""


class RequestRefused(Refused):
    """The guard could not read the request; it lies among the dead letters."""


def ask(of: Settings, codec: Codec, request: Mapping[str, Any], headers: Any, patience: float) -> dict[str, Any]:
    """Publish a request and wait for its result, at most `patience` seconds.

    Raises NoVerdict, RequestRefused or BrokerUnavailable.
    """
    stream = stream_settings(of)
    decode = codec.decoder(RESULTS, "CompatibilityChecked")
    value = codec.encoder(INSTALL_REQUESTS, "InstallRequested")(request)
    key = request["subject"]["manifest"]["id"].encode()
    with closing(Follower(stream, "request")) as follower:
        follower.from_end([RESULTS, DEAD_LETTERS])
        place = send(stream, Outbound(INSTALL_REQUESTS, key, value, headers))
        for record in follower.follow(time.monotonic() + patience):
            if record.topic == DEAD_LETTERS:
                _raise_if_ours(record, place)
            elif record.key == request["request_id"].encode():
                return decode(record.value)
    raise NoVerdict(
        f"no verdict on request {request['request_id']} within {patience:g} s, which counts as a block; "
        "is a checker running? `compat-guard run checker`"
    )


def follow(of: Settings, codec: Codec, *, from_beginning: bool) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every result from now on, or from the first one that is kept, and the broker's milliseconds of each.

    What is kept comes partition by partition. Ends with the caller.
    """
    decode = codec.decoder(RESULTS, "CompatibilityChecked")
    with closing(Follower(stream_settings(of), "watch")) as follower:
        if from_beginning:
            follower.from_beginning([RESULTS])
        else:
            follower.from_end([RESULTS])
        for record in follower.follow(float("inf")):
            yield record.timestamp, decode(record.value)


def find(of: Settings, codec: Codec, request_id: str) -> dict[str, Any] | None:
    """The newest result of a request, by reading the one partition that its key belongs to."""
    decode = codec.decoder(RESULTS, "CompatibilityChecked")
    key = request_id.encode()
    found: bytes | None = None
    with closing(Follower(stream_settings(of), "report")) as follower:
        follower.from_beginning_of(RESULTS, key)
        for record in follower.read():
            if record.key == key:
                found = record.value
    return decode(found) if found is not None else None


def result_of(of: Settings, codec: Codec, request_id: str) -> dict[str, Any]:
    """The newest result of a request. Raises SettingsInvalid if there is none."""
    result = find(of, codec, request_id)
    if result is None:
        raise SettingsInvalid(f"there is no result for request `{shorten(request_id)}`; {LISTED}")
    return result


def _raise_if_ours(record: Inbound, place: Delivered) -> None:
    came_from = tuple(
        header(record.headers, f"__streams.errors.{part}") for part in ("topic", "partition", "offset")
    )
    if came_from == (place.topic, str(place.partition), str(place.offset)):
        raise RequestRefused(
            f"the guard cannot read this request: {header(record.headers, '__streams.errors.message')}"
        )
