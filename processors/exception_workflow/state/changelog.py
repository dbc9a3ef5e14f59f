"""The changelog form of the exceptions' state: how it is written and read back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from processors.errors import EventUnreadable, OutputTooLarge
from processors.events.topics import EXCEPTION_STATE
from processors.exception_workflow.rules.transitions import without_idle
from processors.exception_workflow.state.case import LAYOUT, ExceptionCase, Held, decode, encode
from processors.stream.types import StateSpec, Write
from processors.stream.wire.codec import Codec

LARGEST_STATE: Final = 900_000
"""The most bytes of a state. It must fit its changelog, and its question must fit a re-check."""


class Changelog:
    """`renew` rewrites a question that an earlier build stored.

    `note` is called with each restored state, so that its timers are known.
    """

    def __init__(self, codec: Codec, renew: Callable[[bytes], bytes], note: Callable[[Held], None]) -> None:
        self._renew, self._note = renew, note
        self._written = codec.encoder(EXCEPTION_STATE, "ExceptionState")
        self._read = codec.decoder(EXCEPTION_STATE, "ExceptionState")
        self.spec = StateSpec(EXCEPTION_STATE, self._encode, self._restore)

    def require_room(self, writes: Sequence[Write]) -> None:
        """Raises OutputTooLarge for a state that does not fit its changelog, so that the record is rejected."""
        for write in writes:
            size = 0 if write.value is None else len(self._encode(write.value))
            if size > LARGEST_STATE:
                raise OutputTooLarge(f"the state of `{write.key}` would have {size} bytes, at most {LARGEST_STATE}")

    def _encode(self, held: Held) -> bytes:
        subject = held.subject if isinstance(held, ExceptionCase) else b""
        document = encode(held)
        return self._written({"exception_id": held.key, "schema": LAYOUT, "document": document, "subject": subject})

    def _restore(self, value: bytes) -> Held:
        """Every restored state passes through here."""
        record = self._read(value)
        held = decode(record["document"], self._renewed(record["subject"]))
        if isinstance(held, ExceptionCase):
            held = without_idle(held)
        self._note(held)
        return held

    def _renewed(self, subject: bytes) -> bytes:
        """A question that an earlier build stored, as it is asked now. An invalid question is left unchanged."""
        try:
            return self._renew(subject) if subject else subject
        except EventUnreadable:
            return subject
