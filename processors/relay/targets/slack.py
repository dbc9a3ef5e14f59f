"""Slack: blocks of plain text, in which neither mentions nor links have an effect."""

from __future__ import annotations

from processors.errors import shorten
from processors.relay.envelope import canonical_json
from processors.relay.outgoing import Outgoing
from processors.relay.targets.mail import is_link

LONGEST_HEADER, LONGEST_TEXT = 150, 3000
"""Characters that Slack takes."""


def slack(event: Outgoing) -> bytes:
    notice = event.data
    lines = [notice["body"], *([notice["link"]] if is_link(notice["link"]) else [])]
    header = {"type": "header", "text": _plain(shorten(notice["subject"], LONGEST_HEADER) or "-")}
    section = {"type": "section", "text": _plain("\n\n".join(lines)[:LONGEST_TEXT] or "-")}
    return canonical_json(
        {"text": _escaped(shorten(notice["subject"], LONGEST_HEADER)), "blocks": [header, section]}
    )


def _plain(text: str) -> dict[str, object]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _escaped(text: str) -> str:
    """The text of a notification is always Slack's markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
