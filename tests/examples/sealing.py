"""The keys that seal records in tests, and a header for what one of our processors would have written."""

from processors.events.topics import EXCEPTION_USES
from processors.stream.seals import Seals
from processors.stream.types import Headers

SEALS = Seals("k1", {"k1": b"a key for tests, of 32 bytes ..."})


def as_ours(topic: str, key: str, value: bytes | None) -> Headers:
    """The headers that our own processors give a record: a seal where the topic is one of those that need it."""
    return (SEALS.seal(topic, key.encode(), value),) if topic == EXCEPTION_USES else ()
