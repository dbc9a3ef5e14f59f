"""The state of exceptions as its changelog holds it: how it is written, and how it is read back."""

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
"""Bytes. A state must fit its changelog, and the question that it holds must fit a re-check."""


class Changelog:
    """`renew` writes a question anew that an earlier build kept. `note` is called with each state that is read
    back, so that its timers are known."""

    def __init__(self, codec: Codec, renew: Callable[[bytes], bytes], note: Callable[[Held], None]) -> None:
        self._renew, self._note = renew, note
        self._written = codec.encoder(EXCEPTION_STATE, "ExceptionState")
        self._read = codec.decoder(EXCEPTION_STATE, "ExceptionState")
        self.spec = StateSpec(EXCEPTION_STATE, self._encode, self._restore)

    def require_room(self, writes: Sequence[Write]) -> None:
        """Raises OutputTooLarge for a state that its changelog would not take, so that the record is to blame."""
        for write in writes:
            size = 0 if write.value is None else len(self._encode(write.value))
            if size > LARGEST_STATE:
                raise OutputTooLarge(f"the state of `{write.key}` would have {size} bytes, at most {LARGEST_STATE}")

    def _encode(self, held: Held) -> bytes:
        subject = held.subject if isinstance(held, ExceptionCase) else b""
        document = encode(held)
        return self._written({"exception_id": held.key, "schema": LAYOUT, "document": document, "subject": subject})

    def _restore(self, value: bytes) -> Held:
        """Whatever is restored goes through here."""
        record = self._read(value)
        held = decode(record["document"], self._renewed(record["subject"]))
        if isinstance(held, ExceptionCase):
            held = without_idle(held)
        self._note(held)
        return held

    def _renewed(self, subject: bytes) -> bytes:
        """A question that an earlier build kept, as it is asked now. One that is no question is left as it is."""
        try:
            return self._renew(subject) if subject else subject
        except EventUnreadable:
            return subject
