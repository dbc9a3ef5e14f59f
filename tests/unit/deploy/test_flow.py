"""The picture of the flow: drawn of its plan, whole, and true to the table of rights."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from deploy.flow.__main__ import FILE
from deploy.flow.drawing import drawing
from deploy.flow.plan import ANSWERS_THE_GATEWAY, ARROWS, ASKED_BY_THE_GATEWAY, BOXES, Arrow
from processors.bootstrap.processors import PROCESSORS
from processors.configuration.settings import shipped
from processors.contracts.access import ROLES

PREFIX = "compat."
ROLES_BY_NAME = {role.name: role for role in ROLES}
BOXES_BY_NAME = {box.name: box for box in BOXES}
TOPICS = [
    topic["name"].removeprefix(PREFIX)
    for topic in yaml.safe_load((shipped("config") / "topics.yaml").read_text())["topics"]
]
SVG = "{http://www.w3.org/2000/svg}"


def picture() -> ElementTree.Element:
    return ElementTree.fromstring(FILE.read_text("utf-8"))  # noqa: S314 - our own file


def texts() -> str:
    return " ".join(text.text or "" for text in picture().iter(f"{SVG}text"))


def test_the_file_is_drawn_of_the_plan() -> None:
    """Written by `python -m deploy.flow`; nobody edits it by hand."""
    assert FILE.read_text("utf-8") == drawing()


@pytest.mark.parametrize("name", [*PROCESSORS, "gateway", *TOPICS])
def test_every_processor_and_topic_is_in_it(name: str) -> None:
    assert name in texts()


@pytest.mark.parametrize(
    "arrow",
    [
        *ARROWS,
        *(Arrow("gateway", topic) for topic in ASKED_BY_THE_GATEWAY),
        *(Arrow(topic, "gateway") for topic in ANSWERS_THE_GATEWAY),
    ],
    ids=lambda arrow: f"{arrow.source} to {arrow.target}",
)
def test_an_arrow_is_a_right_that_somebody_has(arrow: Arrow) -> None:
    source, target = BOXES_BY_NAME[arrow.source], BOXES_BY_NAME[arrow.target]
    if target.kind == "topic":
        assert PREFIX + target.name in ROLES_BY_NAME[source.name].writes
    elif source.kind == "topic":
        reads = ROLES_BY_NAME[target.name].reads
        assert PREFIX + source.name in reads or target.name == "ledger"
    else:
        assert {source.kind, target.kind} & {"outside", "store"}, "processors meet on topics alone"


def test_boxes_stand_apart() -> None:
    for number, one in enumerate(BOXES):
        for other in BOXES[number + 1 :]:
            beside = one.x + one.width < other.x or other.x + other.width < one.x
            below = one.y + one.height < other.y or other.y + other.height < one.y
            assert beside or below, (one.name, other.name)


def test_it_says_what_it_shows_to_whoever_does_not_see_it() -> None:
    root = picture()
    assert root.get("role") == "img"
    assert (root.findtext(f"{SVG}title") or "").startswith("How requests")
    described = root.findtext(f"{SVG}desc") or ""
    assert all(name in described for name in (*ASKED_BY_THE_GATEWAY, "checker to results"))


def test_the_readme_shows_it() -> None:
    assert "(deploy/flow/flow.svg)" in (Path(__file__).parents[3] / "README.md").read_text("utf-8")
