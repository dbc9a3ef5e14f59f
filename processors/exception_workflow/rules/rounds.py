"""What a request changed since the previous round: what an approver looks for first. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from processors.exception_workflow.state.case import Asked, ExceptionCase


class Difference(NamedTuple):
    """One thing that differs from the previous round. Empty means that it was not there."""

    what: str
    before: str
    now: str


def differences(case: ExceptionCase) -> tuple[Difference, ...]:
    """Between this round and the one before; none for a first round, or if nothing changed."""
    return () if case.before is None else tuple(_between(case.before, case.asked))


def _between(before: Asked, now: Asked) -> Iterator[Difference]:
    if before.requester != now.requester:
        yield Difference("asked by", before.requester.subject, now.requester.subject)
    yield from _findings(before, now)
    if (before.score, before.band) != (now.score, now.band):
        yield Difference("risk", _risk(before), _risk(now))
    if before.risk_statement != now.risk_statement:
        yield Difference("reason", before.risk_statement, now.risk_statement)
    for control in sorted({*before.controls} ^ {*now.controls}):
        yield Difference("limit", *((control, "") if control in before.controls else ("", control)))
    if before.single_use != now.single_use:
        yield Difference("use", _use(before), _use(now))
    if before.report_digest != now.report_digest:
        yield Difference("report", before.report_digest, now.report_digest)


def _findings(before: Asked, now: Asked) -> Iterator[Difference]:
    """By their codes; if these are the same, the findings may still be about another plugin or demand."""
    for code in sorted({*before.codes} ^ {*now.codes}):
        yield Difference("finding", *((code, "") if code in before.codes else ("", code)))
    if {*before.codes} == {*now.codes} and (come := {*now.finding_ids} - {*before.finding_ids}):
        gone = {*before.finding_ids} - {*now.finding_ids}
        yield Difference("findings of the same codes", f"{len(gone)} that are gone", f"{len(come)} that are new")


def _risk(asked: Asked) -> str:
    return f"{asked.score} of 100, {asked.band.lower()}"


def _use(asked: Asked) -> str:
    return "one installation" if asked.single_use else "every installation until it ends"
