"""What is sent to each kind of target."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from examples.deliveries import notice
from hypothesis import given
from hypothesis import strategies as st

from processors.errors import OutputTooLarge
from processors.relay.envelope import LARGEST_BODY, cloud_event
from processors.relay.outgoing import URGENT_KINDS, Outgoing, outgoing
from processors.relay.targets.audit import audit_record
from processors.relay.targets.mattermost import mattermost
from processors.relay.targets.slack import slack
from processors.relay.targets.teams import teams
from processors.stream.types import Inbound

HOSTILE = [
    "<script>alert(1)</script>",
    "<!channel> <@U123> @channel @all",
    "[click](javascript:alert(1))",
    "```\n@all out of the fence\n```",
    "\u202ertl\u202c \u200b",
    "\ud800 half a character",
    "x" * 300_000,
    "\r\nX-Header: 1",
    "",
]
ROOMS: list[Callable[[Outgoing], bytes]] = [slack, teams, mattermost]


def result(**more: Any) -> Outgoing:
    data = {"result_id": "r-1", "request_id": "q-1", "verdict": "BLOCK", "operator": "petra", "refusals": []}
    record = Inbound(
        "compat.results", 2, 9, 1_795_860_000_000, b"q-1", b"", (("ce_source", b"/compat-guard/checker"),)
    )
    return outgoing("results", record, data | {"report": {"plans": []}} | more)


def test_an_event_is_a_cloud_event_with_its_own_id_and_time() -> None:
    event = json.loads(cloud_event(result()))

    assert {name: event[name] for name in event if name != "data"} == {
        "specversion": "1.0",
        "id": "r-1",
        "type": "plugin.compat.checked",
        "source": "/compat-guard/checker",
        "time": "2026-11-28T10:00:00.000Z",
        "subject": "q-1",
        "datacontenttype": "application/json",
    }
    assert event["data"]["verdict"] == "BLOCK"


def test_an_event_too_large_to_send_goes_without_its_report_and_with_a_link() -> None:
    large = result(report={"words": "x" * LARGEST_BODY})
    event = json.loads(cloud_event(large, links="https://guard.internal/internal"))

    assert "report" not in event["data"]
    assert event["dataref"] == "https://guard.internal/internal/version/compat/check/q-1"
    assert event["data"]["verdict"] == "BLOCK"


def test_an_event_too_large_without_its_report_is_refused() -> None:
    with pytest.raises(OutputTooLarge):
        cloud_event(result(operator="x" * LARGEST_BODY))


@given(st.text(max_size=300))
def test_an_id_fits_a_header_whatever_its_writer_made_it(id: str) -> None:
    """And is the same every time, so that a repetition is known."""
    one, other = result(result_id=id), result(result_id=id)

    assert one.id == other.id
    assert one.id.isascii()
    assert one.id.isprintable()
    assert 1 <= len(one.id) <= 128
    assert " " not in one.id


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_text_makes_a_cloud_event_or_is_refused_whole(text: str) -> None:
    try:
        body = cloud_event(notice(subject=text, body=text))
    except OutputTooLarge:
        assert len(text) > LARGEST_BODY // 4
        return
    assert json.loads(body)["data"]["recipient"] == "user:petra"


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_room_shows_any_text_as_text(room: Callable[[Outgoing], bytes], text: str) -> None:
    """Within the length that it takes, and without a mention, a link or a card of a stranger's."""
    body = room(notice(subject=text, body=text, link=text))
    posted = json.loads(body)

    assert len(body) <= 60_000
    if room is slack:
        assert {block["text"]["type"] for block in posted["blocks"]} == {"plain_text"}
        assert "<" not in posted["text"]
    elif room is teams:
        card = posted["attachments"][0]["content"]
        assert card["actions"] == []
        assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    else:
        assert posted["text"].startswith("```text\n")
        assert posted["text"].endswith("\n```")
        assert posted["text"].count("```") == 2


@pytest.mark.parametrize("kind", ["approval_needed", "blocked", "monitoring_lost", "exception_used"])
def test_notices_that_somebody_must_act_on_are_urgent(kind: str) -> None:
    assert notice(kind=kind).urgent is (kind in URGENT_KINDS)


def test_an_audit_record_says_who_did_what_when_and_why() -> None:
    """With where the whole event lies, for whoever must prove it."""
    record = audit_record(result(plugin_id="crm", plugin_version="1.5.0", report_digest="sha256:ab"))

    assert (record["actor"], record["action"], record["outcome"]) == ("petra", "install_checked", "BLOCK")
    assert (record["plugin_id"], record["plugin_version"], record["tenant"]) == ("crm", "1.5.0", "")
    assert record["evidence"] == {
        "topic": "compat.results",
        "partition": 2,
        "offset": 9,
        "report_digest": "sha256:ab",
    }
