"""Microsoft Teams: an Adaptive Card of text runs, which do not interpret Markdown."""

from __future__ import annotations

from processors.errors import shorten
from processors.relay.envelope import canonical_json
from processors.relay.outgoing import Outgoing
from processors.relay.targets.mail import is_link

LONGEST_TEXT = 10_000
"""Characters; a card has 28 KB at most."""


def teams(event: Outgoing) -> bytes:
    notice = event.data
    actions = (
        [{"type": "Action.OpenUrl", "title": "Open", "url": notice["link"]}] if is_link(notice["link"]) else []
    )
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "body": [
            _text(shorten(notice["subject"], 200), weight="bolder"),
            *(_text(line) for line in notice["body"][:LONGEST_TEXT].split("\n") if line.strip()),
        ],
        "actions": actions,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return canonical_json({"type": "message", "attachments": [attachment]})


def _text(text: str, **more: str) -> dict[str, object]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **more}]}
