"""Prints what happened to an exception."""

from __future__ import annotations

from processors.cli import talk
from processors.client.exception_facts import Waiting
from processors.events.exceptions import ExceptionDecided

EXTENSION_WAITS = "until the extension is approved, the exception covers nothing; a denial ends it"


def announce(decided: ExceptionDecided, waiting: Waiting) -> None:
    """Print what happened to the exception, and whose decision it waits for."""
    said = f"{decided.event.replace('_', ' ')}: the exception is {decided.to_state}"
    talk().print(said, highlight=False)
    if decided.event == "extension_requested":
        talk().print(EXTENSION_WAITS, highlight=False, soft_wrap=True)
    if waiting.step is not None:
        exception, roles = decided.exception_id, " or ".join(waiting.roles)
        talk().print(f"step `{waiting.step}` waits for {roles}:", highlight=False)
        talk().print(f"  compat-guard approve {exception} --as PERSON", highlight=False, soft_wrap=True)
