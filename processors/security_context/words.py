"""The notification about a held reply."""

from __future__ import annotations

from typing import Final

from processors.errors import shorten
from processors.security_context.decision import Decision
from processors.security_context.inquiry import Reply

KIND: Final = "policies_held"
RUNBOOK: Final = "deploy/prometheus/RUNBOOKS.md#securitycontextheld"
SUBJECT: Final = "a reply about security policies is held"

_NAMED: Final = 10


def told(decision: Decision, reply: Reply) -> str:
    """In plain words: what is missing, what is in force meanwhile, and what to do."""
    named = ", ".join(shorten(each) for each in decision.dropped[:_NAMED])
    more = len(decision.dropped) - _NAMED
    return (
        f"It leaves out {len(decision.dropped)} of {decision.standing} advisories and baselines that stand: {named}"
        f"{f' and {more} more' if more > 0 else ''}. Nothing of it takes effect, and what is in force stays so "
        "until it expires, which blocks. If the platform is wrong, fix it; an ended advisory is listed with "
        f"`withdrawn_at`. If it is right, put {reply.digest} under `accept` in config/security_context.yaml, and "
        "start the processor again."
    )
