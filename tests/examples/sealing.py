"""The keys that seal records on this machine, and a header for what one of our processors would have written.

They are those of the commands that tests start, so that processors in threads and in processes of their own agree.
"""

from processors.bootstrap.sealing import seals
from processors.configuration.settings import Settings
from processors.events.topics import EXCEPTION_USES
from processors.stream.types import Headers

SEALS = seals(Settings())


def as_ours(topic: str, key: str, value: bytes | None) -> Headers:
    """The headers that our own processors give a record: a seal where the topic is one of those that need it."""
    return (SEALS.seal(topic, key.encode(), value),) if topic == EXCEPTION_USES else ()
