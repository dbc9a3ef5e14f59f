"""Mattermost: everything in a code block, in which neither mentions nor Markdown have an effect."""

from __future__ import annotations

from processors.errors import shorten
from processors.relay.envelope import canonical_json
from processors.relay.outgoing import Outgoing
from processors.relay.targets.mail import is_link

LONGEST_TEXT = 12_000
"""Characters; a post has 16,383 at most."""


def mattermost(event: Outgoing) -> bytes:
    notice = event.data
    lines = [shorten(notice["subject"], 200), "", notice["body"][:LONGEST_TEXT]]
    if is_link(notice["link"]):
        lines += ["", notice["link"]]
    # A fence ends with a line of backticks, so the text has none.
    text = "\n".join(lines).replace("```", "'''")
    return canonical_json({"text": f"```text\n{text}\n```"})
