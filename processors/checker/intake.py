"""Reads only as much of a request as its answer needs: who asks, and the bytes of the question.

The fields about the requester are one run of bytes in the request and in each answer. They are decoded once; after
that, equal bytes are recognised and copied. Anything unusual is decoded in full.

Copied bytes must be exactly what an Avro writer produces: our decoder reads a negative index of an enum or a union
as counting from the end, and other readers of the answer would fail on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from processors.errors import EventUnreadable
from processors.stream.wire.codec import Decoder

LONGEST_ID = 200
"""The most characters of a request id or exception id."""

LONGEST_ENVELOPE = 32_768
"""The most bytes of the envelope that an answer repeats, so that its size is bounded."""

KNOWN = 8 * 1024 * 1024
"""The most bytes of requesters that are recognised: some 50,000 of them."""

_NOTHING_MORE = b"\x00\x00"
"""No acknowledgement and no monitoring plan, as Avro encodes them."""


class IncomingRequest(NamedTuple):
    """One request.

    `who` is the run of fields from `tenant` to `recheck_of` as bytes, `by` the same fields decoded.
    """

    request_id: str
    who: bytes
    by: Mapping[str, Any]
    more: Mapping[str, Any]
    """`requested_at`, `acknowledgement` and `monitoring`; empty for a request that names no exception."""
    subject: bytes


class Intake:
    """Raises EventUnreadable for invalid requests, RegistryUnavailable if the registry cannot be asked for the
    schema."""

    def __init__(self, decoder: Decoder) -> None:
        self._split, self._is_ours = decoder.split, decoder.is_ours
        self._cut = decoder.cutter("request_id", "requested_at", "recheck_of", "monitoring")
        self._cut_question = decoder.cutter("request_id", "requested_at")
        self._who = decoder.run("tenant", "recheck_of")
        self._repeated = decoder.run("requested_at", "monitoring")
        self._known: dict[bytes, Mapping[str, Any]] = {}
        self._held = 0

    def __call__(self, value: bytes | None) -> IncomingRequest:
        pieces = self._cut(value)
        if pieces is not None and pieces[3] == _NOTHING_MORE and len(pieces[2]) <= LONGEST_ENVELOPE:
            id, _, who, _, subject = pieces
            try:
                request_id = id[1:].decode()
            except UnicodeDecodeError:
                return self._decoded(value)
            return IncomingRequest(_id("request_id", request_id), who, self._recognised(who), {}, subject)
        return self._decoded(value)

    def question(self, value: bytes | None) -> tuple[str, bytes] | None:
        """The request id, and the bytes of requester and question: everything that an answer depends on.

        None if the value has to be decoded. What follows the id has not been checked yet.
        """
        pieces = self._cut_question(value)
        if pieces is None or len(pieces[0]) < 2:
            return None
        try:
            return pieces[0][1:].decode(), pieces[2]
        except UnicodeDecodeError:
            return None

    def _recognised(self, who: bytes) -> Mapping[str, Any]:
        by = self._known.get(who)
        if by is None:
            by = self._who.decode(who)
            if self._who.encode(by) != who:
                raise _not_canonical()
            self._held += len(who)
            if self._held > KNOWN:
                self._known, self._held = {}, len(who)
            self._known[who] = by
        return by

    def _decoded(self, value: bytes | None) -> IncomingRequest:
        envelope, subject = self._split(value)
        request_id, who = _id("request_id", envelope["request_id"]), self._who.encode(envelope)
        if envelope["exception_id"] is not None:
            _id("exception_id", envelope["exception_id"])
        size = len(self._repeated.encode(envelope))
        if size > LONGEST_ENVELOPE:
            raise EventUnreadable("envelope", f"the envelope has {size} bytes, at most {LONGEST_ENVELOPE} are read")
        if value is not None and self._is_ours(value) and who not in value:
            raise _not_canonical()
        return IncomingRequest(request_id, who, envelope, envelope, subject)


def _not_canonical() -> EventUnreadable:
    return EventUnreadable("body", "the bytes of the envelope are not what an Avro writer makes of it")


def _id(name: str, text: str) -> str:
    if 0 < len(text) <= LONGEST_ID:
        return text
    raise EventUnreadable("envelope", f"`{name}` has {len(text)} characters, 1 to {LONGEST_ID} are expected")
