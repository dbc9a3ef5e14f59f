"""The difference between the declared contract and a cluster with its registry, as steps and refusals.

A refusal is a change that would lose records, move keys or break a reader. A plan with a refusal is not applied at
all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from processors.contracts.avro import Schema, parse
from processors.contracts.compatibility import full_transitive
from processors.contracts.files import Contract, schema_text
from processors.contracts.topics import Topic, TopicsFile
from processors.errors import ContractBroken


@dataclass(frozen=True, slots=True)
class Create:
    """Make a topic. Its replication factor is the broker's default."""

    topic: str
    partitions: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SetConfig:
    topic: str
    key: str
    found: str
    wanted: str


@dataclass(frozen=True, slots=True)
class RegisterSchema:
    subject: str
    version: int
    """The number that the registry is expected to give it."""

    text: str


@dataclass(frozen=True, slots=True)
class SetCompatibility:
    subject: str
    found: str | None
    """None if the subject has no level of its own."""

    wanted: str


Step = Create | SetConfig | RegisterSchema | SetCompatibility


@dataclass(frozen=True, slots=True)
class Refusal:
    about: str
    why: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.about}: {self.why}; {self.way_out}"


@dataclass(frozen=True, slots=True)
class ActualTopic:
    partitions: int
    config: Mapping[str, str]
    """Effective settings, defaults of the broker included."""

    replicas: int = 1
    """Of the partition that has the fewest."""

    @property
    def outlives_a_broker(self) -> bool:
        """Whether the loss of one broker neither loses what was written nor stops who writes."""
        return self.replicas > int(self.config.get("min.insync.replicas", 1)) > 1


@dataclass(frozen=True, slots=True)
class ActualSubject:
    versions: tuple[str, ...]
    """Schema texts, oldest first."""

    compatibility: str | None
    holds: bool
    """Whether the registry finds the declared schema here. To some registries, other docs are another version."""


@dataclass(frozen=True, slots=True)
class Actual:
    """The present state. A topic or subject that is absent does not exist."""

    topics: Mapping[str, ActualTopic]
    subjects: Mapping[str, ActualSubject]


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in the order in which they are to be done."""

    steps: tuple[Step, ...]
    refusals: tuple[Refusal, ...]
    unknown: tuple[str, ...]
    """Undeclared topics with our prefix. They are reported, never changed."""

    @property
    def is_empty(self) -> bool:
        return not self.steps and not self.refusals


def diff(declared: Contract, actual: Actual, *, allow_shorter_retention: bool = False) -> Plan:
    """The steps from the actual to the declared state.

    Assumes a contract without problems: see `files.problems`.
    """
    file = declared.topics
    found = list(chain.from_iterable(_topic(file, topic, actual, allow_shorter_retention) for topic in file.topics))
    for topic in file.topics:
        if topic.event:
            subject = actual.subjects.get(topic.subject, ActualSubject((), None, False))
            found += _subject(topic.subject, declared.schemas[topic.event], subject, file.defaults.compatibility)
    steps = tuple(item for item in found if not isinstance(item, Refusal))
    return Plan(steps, tuple(item for item in found if isinstance(item, Refusal)), _unknown(file, actual))


def _unknown(file: TopicsFile, actual: Actual) -> tuple[str, ...]:
    names = {topic.name for topic in file.topics}
    prefixes = {name.partition(".")[0] for name in names}
    return tuple(sorted(n for n in actual.topics if n not in names and n.partition(".")[0] in prefixes))


def _topic(file: TopicsFile, topic: Topic, actual: Actual, shorter: bool) -> Iterator[Step | Refusal]:
    partitions, config = file.partitions(topic), file.config(topic)
    found = actual.topics.get(topic.name)
    if found is None:
        yield Create(topic.name, partitions, config)
        return
    if found.partitions != partitions:
        yield Refusal(
            topic.name,
            f"has {found.partitions} partitions, and {partitions} are declared; another count moves keys",
            f"declare `partitions: {found.partitions}`, or declare a topic of another name and move over",
        )
    yield from _config(topic.name, found.config, config, shorter)


def _config(
    topic: str, found: Mapping[str, str], wanted: Mapping[str, str], shorter: bool
) -> Iterator[Step | Refusal]:
    for key, value in wanted.items():
        there = found.get(key, "")
        if there == value:
            continue
        loss = _loss(key, there, value, wanted)
        if loss is None or (shorter and key == "retention.ms"):
            yield SetConfig(topic, key, there, value)
        else:
            yield Refusal(topic, *loss)


def _loss(key: str, found: str, value: str, wanted: Mapping[str, str]) -> tuple[str, str] | None:
    """Why a setting would delete stored records, and the way out. None if it would not."""
    if key == "cleanup.policy" and set(value.split(",")) - set(found.split(",")):
        return (
            f"cleanup.policy is `{found}`, and `{value}` would delete records that it keeps",
            "declare a topic of another name and move over",
        )
    if key == "retention.ms" and "delete" in wanted["cleanup.policy"] and _shortens(found, value):
        return (
            f"retention.ms is {found}, and {value} would delete records that are kept today",
            "declare the longer retention, or pass --allow-shorter-retention",
        )
    return None


def _shortens(found: str, value: str) -> bool:
    """A retention of -1 is unlimited."""
    return int(found or 0) < 0 <= int(value) or 0 <= int(value) < int(found or 0)


def _subject(subject: str, raw: object, found: ActualSubject, level: str) -> Iterator[Step | Refusal]:
    """The level is set before a further version, but after the first: some registries create a subject only
    then."""
    text = schema_text(raw)
    levels = [] if found.compatibility == level else [SetCompatibility(subject, found.compatibility, level)]
    if not found.versions:
        yield RegisterSchema(subject, 1, text)
    yield from levels
    if found.versions and not found.holds:
        yield from _next_version(subject, text, found.versions)


def _next_version(subject: str, text: str, versions: tuple[str, ...]) -> Iterator[Step | Refusal]:
    way_out = "give added fields a default, keep names and types; or declare a topic of another name"
    try:
        known = [(f"version {number}", _parsed(version)) for number, version in enumerate(versions, 1)]
    except ContractBroken as error:
        yield Refusal(subject, f"the registry holds a schema that is none of ours: {error}", "use another registry")
        return
    objections = list(full_transitive(_parsed(text), known))
    if objections:
        yield Refusal(subject, "; ".join(objections), way_out)
    else:
        yield RegisterSchema(subject, len(versions) + 1, text)


def _parsed(text: str) -> Schema:
    try:
        return parse(json.loads(text))
    except json.JSONDecodeError as error:
        raise ContractBroken(f"not JSON: {error.msg.lower()}") from None
