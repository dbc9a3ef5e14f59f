"""The contract of this repository: sound by itself, and told truly by the documents made from it."""

from __future__ import annotations

import json
from pathlib import Path

import fastavro
import pytest
import yaml

import processors
from processors.configuration.settings import shipped
from processors.contracts.asyncapi import document
from processors.contracts.files import load_contract, problems, release_text, unreleased
from processors.contracts.page import page
from processors.errors import DocumentRefused, SettingsInvalid

SCHEMAS = shipped("schemas")
CONTRACT = load_contract(shipped("config") / "topics.yaml", SCHEMAS)


def test_topics_and_schemas_are_sound() -> None:
    """No schema breaks a released one or the rules of lint, and each event has its topic."""
    assert problems(CONTRACT) == []


@pytest.mark.parametrize("event", CONTRACT.schemas)
def test_the_codec_takes_each_schema(event: str) -> None:
    """What we find sound is a schema to the library that reads and writes with it too."""
    assert fastavro.parse_schema(CONTRACT.schemas[event])["name"] == f"compat.{event}"  # type: ignore[arg-type]


def test_the_asyncapi_document_is_the_one_made_from_them() -> None:
    """Regenerate with `compat-guard topics asyncapi > schemas/asyncapi.yaml`."""
    assert yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text()) == document(CONTRACT, processors.__version__)


def test_the_page_is_the_one_made_from_them() -> None:
    """Regenerate with `compat-guard topics page > schemas/README.md`."""
    assert (SCHEMAS / "README.md").read_text() == page(CONTRACT)


def test_the_page_has_every_topic_event_and_field() -> None:
    """Whoever writes a client finds each name there."""
    text = page(CONTRACT)

    for topic in CONTRACT.topics.topics:
        assert f"| {topic.name} |" in text
    for event, raw in CONTRACT.schemas.items():
        section = text.partition(f"\n## {event}\n")[2].partition("\n## ")[0]
        assert all(f"\n| {field['name']} |" in section for field in raw["fields"])  # type: ignore[index]


def a_copy(folder: Path, event: str, **changed: object) -> Path:
    """The repository's schemas, one of them released as version 1 and then changed."""
    folder.mkdir(exist_ok=True)
    for path in SCHEMAS.glob("*.avsc"):
        (folder / path.name).write_bytes(path.read_bytes())
    released = folder / "released" / event / "1.avsc"
    released.parent.mkdir(parents=True)
    released.write_text(release_text(CONTRACT.schemas[event]))
    (folder / f"{event}.avsc").write_text(json.dumps({**CONTRACT.schemas[event], **changed}))  # type: ignore[dict-item]
    return folder


def test_a_change_that_breaks_a_released_schema_is_a_problem(tmp_path: Path) -> None:
    """A pull request learns of it without any registry."""
    folder = a_copy(tmp_path, "ExceptionState", fields=[{"name": "more", "type": "int", "doc": "d"}])

    found = problems(load_contract(shipped("config") / "topics.yaml", folder))

    assert {problem.where for problem in found} == {"ExceptionState"}
    assert any("cannot read version 1: more: is not written" in problem.message for problem in found)


def test_only_what_says_something_else_is_to_be_released(tmp_path: Path) -> None:
    """A schema whose doc was reworded is the one that was released; all others never were."""
    folder = a_copy(tmp_path, "ExceptionState", doc="in other words")

    waiting = unreleased(load_contract(shipped("config") / "topics.yaml", folder))

    assert waiting == {event: 1 for event in CONTRACT.schemas if event != "ExceptionState"}


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """Whoever has many files must hear which."""
    (tmp_path / "A.avsc").write_text("{")
    stray = a_copy(tmp_path / "copy", "ExceptionState") / "released" / "ExceptionState" / "newest.avsc"
    stray.write_text("{}")

    with pytest.raises(DocumentRefused, match=r"A\.avsc"):
        load_contract(shipped("config") / "topics.yaml", tmp_path)
    with pytest.raises(DocumentRefused, match=r"newest\.avsc: expected a version number"):
        load_contract(shipped("config") / "topics.yaml", tmp_path / "copy")
    with pytest.raises(SettingsInvalid, match=r"none\.yaml.*no such file"):
        load_contract(tmp_path / "none.yaml", SCHEMAS)
