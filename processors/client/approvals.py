"""The first answer of the workflow to a decision that was submitted before."""

from __future__ import annotations

from contextlib import closing

from processors.bootstrap.clients import stream_settings
from processors.configuration.settings import Settings
from processors.events.exceptions import ExceptionDecided, decision_from_record
from processors.events.kinds import APPROVAL_DECIDED
from processors.events.topics import APPROVAL_DECISIONS, EXCEPTION_DECISIONS
from processors.stream.io.follow import Follower
from processors.stream.wire.codec import Codec
from processors.stream.wire.reader import decision_reader, event_reader, lenient


def first_answer(
    of: Settings, codec: Codec, exception_id: str, decision_id: str, proof: str
) -> ExceptionDecided | None:
    """The decision on the first record with this id and this proof; None if there is none.

    Reads the partitions of the exception's key.
    """
    place = _first_place(of, codec, exception_id, decision_id, proof)
    if place is None:
        return None
    key, read = exception_id.encode(), lenient(decision_reader(codec))
    with closing(Follower(stream_settings(of), "exceptions", brief=True)) as follower:
        follower.from_beginning_of(EXCEPTION_DECISIONS, key)
        decided = (read(record.value) for record in follower.read() if record.key == key)
        return next((one for one in decided if one is not None and one.caused_by == place), None)


def _first_place(of: Settings, codec: Codec, exception_id: str, decision_id: str, proof: str) -> str | None:
    """As `topic/partition/offset`."""
    key, read = exception_id.encode(), lenient(event_reader(codec, APPROVAL_DECIDED, decision_from_record))
    with closing(Follower(stream_settings(of), "exceptions", brief=True)) as follower:
        follower.from_beginning_of(APPROVAL_DECISIONS, key)
        for record in follower.read():
            said = read(record.value) if record.key == key else None
            if said is not None and (said.decision_id, said.proof) == (decision_id, proof):
                return f"{record.topic}/{record.partition}/{record.offset}"
    return None
