"""The files of the contract: config/topics.yaml, schemas/*.avsc and schemas/released/<Event>/<n>.avsc."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from processors.contracts.avro import Schema, parse
from processors.contracts.compatibility import full_transitive
from processors.contracts.lint import Problem, lint_names, lint_schema
from processors.contracts.topics import TopicsFile, read_topics
from processors.documents import json_text
from processors.errors import ContractBroken, DocumentRefused, SettingsInvalid


@dataclass(frozen=True, slots=True)
class Contract:
    """Topics and schemas as declared. Values of `schemas` and `released` are parsed JSON, not validated yet."""

    topics: TopicsFile
    schemas: Mapping[str, object]
    """By event."""

    released: Mapping[str, tuple[object, ...]]
    """By event, oldest first: every version that some registry or topic may still hold."""


def load_topics(path: Path) -> TopicsFile:
    """Raises DocumentRefused, which names the file; SettingsInvalid if there is none."""
    try:
        return read_topics(_bytes(path))
    except DocumentRefused as error:
        raise DocumentRefused(str(path), str(error)) from None


def load_contract(topics: Path, schemas: Path) -> Contract:
    """Raises DocumentRefused or SettingsInvalid like load_topics. Validates nothing: see `problems`."""
    current = {path.stem: _json(path) for path in sorted(schemas.glob("*.avsc"))}
    released = {event: tuple(map(_json, _versions(schemas / "released" / event))) for event in current}
    return Contract(load_topics(topics), current, released)


def schema_text(raw: object) -> str:
    """A schema as it is registered: its JSON without spaces, keys in the file's order."""
    return json.dumps(raw, separators=(",", ":"), ensure_ascii=False)


def release_text(raw: object) -> str:
    """A schema as a file of schemas/released/."""
    return json.dumps(raw, indent=2, ensure_ascii=False) + "\n"


def problems(contract: Contract) -> list[Problem]:
    """Everything that is wrong with a contract by itself, without asking any server."""
    found = [problem for event, raw in contract.schemas.items() for problem in lint_schema(event, raw)]
    found += _unconnected(contract)
    readable = dict(_readable(contract.schemas))
    found += lint_names(readable)
    for event, schema in readable.items():
        found += [Problem(event, why) for why in full_transitive(schema, _labelled(contract.released[event]))]
    return found


def unreleased(contract: Contract) -> Mapping[str, int]:
    """Events whose schema differs from their newest released version, each with its next number."""
    return {
        event: len(contract.released[event]) + 1
        for event, raw in contract.schemas.items()
        if not contract.released[event] or parse(contract.released[event][-1]) != parse(raw)
    }


def _unconnected(contract: Contract) -> Iterator[Problem]:
    carried = {topic.event: topic.name for topic in contract.topics.topics if topic.event}
    for event, topic in carried.items():
        if event not in contract.schemas:
            yield Problem(topic, f"carries `{event}`, and there is no schemas/{event}.avsc")
    for event in contract.schemas.keys() - carried.keys():
        yield Problem(event, "no topic carries it")


def _readable(schemas: Mapping[str, object]) -> Iterator[tuple[str, Schema]]:
    for event, raw in schemas.items():
        try:
            yield event, parse(raw)
        except ContractBroken:
            continue  # lint_schema reports it


def _labelled(versions: tuple[object, ...]) -> Iterator[tuple[str, Schema]]:
    return ((f"version {number}", parse(raw)) for number, raw in enumerate(versions, 1))


def _versions(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.avsc"), key=_number)


def _number(path: Path) -> int:
    if not path.stem.isdecimal():
        raise DocumentRefused(str(path), "expected a version number as its name, such as `1.avsc`")
    return int(path.stem)


def _json(path: Path) -> object:
    try:
        return json_text.load(_bytes(path))
    except DocumentRefused as error:
        raise DocumentRefused(str(path), str(error)) from None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsInvalid(f"cannot read `{path}`: {(error.strerror or 'error').lower()}") from None
