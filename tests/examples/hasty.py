"""A policy for people in a hurry: what takes hours elsewhere takes seconds in the light flow."""

from __future__ import annotations

from functools import cache

from examples.exceptions import policy

from processors.exception_workflow.config import ExceptionPolicy

STEP, TOTAL, LIFE = 16_000, 20_000, 75_000
"""Milliseconds: SLA of a step, total SLA, life of a request. The life leaves time for the guard to confirm one."""


@cache
def hasty() -> ExceptionPolicy:
    plain = policy()
    flows = {name: tuple(s.model_copy(update={"sla": STEP}) for s in steps) for name, steps in plain.flows.items()}
    clocks = plain.clocks.model_copy(update={"total": TOTAL, "request_life": LIFE})
    return plain.model_copy(update={"flows": flows, "clocks": clocks})
