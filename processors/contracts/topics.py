"""The topics file: the topics, their content and retention."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from processors.documents import yaml_text
from processors.documents.complaints import refusal
from processors.documents.scalars import WrittenFloat, WrittenInt
from processors.errors import DocumentRefused

MOST_PARTITIONS = 1000

_DAY_MS = 86_400_000
_COMPACTED = {
    "cleanup.policy": "compact",
    "min.cleanable.dirty.ratio": "0.1",  # tables are small and are read whole at each start
    "max.compaction.lag.ms": str(_DAY_MS),  # also rolls a segment that a slow topic would never fill
    "delete.retention.ms": str(7 * _DAY_MS),  # a tombstone outlives a long weekend without readers
}
_KEPT = {
    "cleanup.policy": "delete",
    "retention.bytes": "-1",  # the promise is in days; no size limit may shorten it
}


def _duration(text: object) -> object:
    if text == "compacted":
        return text
    found = re.fullmatch(r"([1-9][0-9]{0,4})([dhm])", text) if isinstance(text, str) else None
    if not found:
        raise ValueError("expected `compacted` or a duration such as `400d`, `12h` or `30m`")
    return timedelta(**{{"d": "days", "h": "hours", "m": "minutes"}[found[2]]: int(found[1])})


def _count(value: object) -> object:
    return int(value) if isinstance(value, WrittenInt) else value


def _setting(value: object) -> object:
    """As the broker writes it: YAML's `true` is `true` there, not `True`."""
    if isinstance(value, bool):
        return str(value).lower()
    return value.text if isinstance(value, WrittenInt | WrittenFloat) else value


Retention = Annotated[timedelta | Literal["compacted"], BeforeValidator(_duration)]
Config = dict[str, Annotated[str, BeforeValidator(_setting)]]
Partitions = Annotated[int, Field(ge=1, le=MOST_PARTITIONS, strict=True), BeforeValidator(_count)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Defaults(_Strict):
    partitions: Partitions
    compatibility: Literal["FULL_TRANSITIVE"]
    """The only level under which readers and writers can be upgraded in any order, whatever is still on a topic."""

    config: Config = {}


class Topic(_Strict):
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._-]{0,200}$")]
    event: str | None = None
    """Stem of its schema's file; None if it carries foreign bytes, or none."""

    empty: bool = False
    """Its records have no value: only their existence and time matter."""

    key: str
    group: str | None = None
    partitions: Partitions | None = None
    written_by: tuple[str, ...]
    owner: str
    retention: Retention
    config: Config = {}

    @property
    def subject(self) -> str:
        """The name of its schema in the registry, by the topic name strategy."""
        return f"{self.name}-value"


@dataclass(frozen=True, slots=True)
class TopicsFile:
    defaults: Defaults
    topics: tuple[Topic, ...]

    @property
    def telling(self) -> tuple[Topic, ...]:
        """The topics with meaningful records, which the ledger stores."""
        return tuple(topic for topic in self.topics if not topic.empty)

    def partitions(self, topic: Topic) -> int:
        return topic.partitions or self.defaults.partitions

    def config(self, topic: Topic) -> Mapping[str, str]:
        """Every broker setting that the file states for a topic, as the broker writes it."""
        return {**self.defaults.config, **_retention(topic.retention), **topic.config}


def read_topics(text: str | bytes) -> TopicsFile:
    """The topics that a YAML text declares.

    Raises:
        DocumentRefused: it is no such file: too large, an alias or a repeated key in it, a key that there is not,
            a value that cannot be, a topic named twice, or a group whose topics differ in partitions.
    """
    raw = yaml_text.load(text).value
    try:
        document = _Document.model_validate(raw)
    except ValidationError as error:
        raise refusal(error, _Document) from None
    file = TopicsFile(document.defaults, document.topics)
    for where, why in _contradictions(file):
        raise DocumentRefused(where, why)
    return file


class _Document(_Strict):
    defaults: Defaults
    topics: tuple[Topic, ...]


def _retention(kept: Literal["compacted"] | timedelta) -> Mapping[str, str]:
    if kept == "compacted":
        return _COMPACTED
    return {**_KEPT, "retention.ms": str(kept // timedelta(milliseconds=1))}


def _contradictions(file: TopicsFile) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    groups: dict[str, Topic] = {}
    for topic in file.topics:
        if topic.name in seen:
            yield topic.name, "is declared twice"
        seen.add(topic.name)
        for key in sorted({*topic.config, *file.defaults.config} & {*_COMPACTED, *_KEPT, "retention.ms"}):
            yield topic.name, f"`{key}` follows from `retention`; say it there"
        first = groups.setdefault(topic.group, topic) if topic.group else topic
        if file.partitions(first) != file.partitions(topic):
            counts = f"has {file.partitions(topic)} partitions, and {first.name} has {file.partitions(first)}"
            yield topic.name, f"{counts}; in a group (`{topic.group}`) equal keys must meet in one process"
