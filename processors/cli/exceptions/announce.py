"""What becomes of an exception, told at the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from processors.cli import talk
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.rules.timers import REVIEWING, current_step
from processors.exception_workflow.state.case import ExceptionCase

EXTENSION_WAITS = "until the extension is approved, the exception covers nothing; a denial ends it"


def announce(decided: Mapping[str, str], case: ExceptionCase, policy: ExceptionPolicy) -> None:
    """Tell the person at the terminal what became of the exception, and whose turn it is."""
    said = f"{decided['event'].replace('_', ' ')}: the exception is {decided['to_state']}"
    talk().print(said, highlight=False)
    if decided["event"] == "extension_requested":
        talk().print(EXTENSION_WAITS, highlight=False, soft_wrap=True)
    step = current_step(case, policy) if case.status in REVIEWING else None
    if step is not None:
        roles = " or ".join(policy.thresholds[step.threshold].roles)
        talk().print(f"step `{step.name}` waits for {roles}:", highlight=False)
        talk().print(f"  compat-guard approve {case.exception_id} --as PERSON", highlight=False, soft_wrap=True)
