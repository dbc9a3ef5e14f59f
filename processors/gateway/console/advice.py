"""What refusals mean, in words for pages: what to do is something that a page offers, never a command."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from processors.client.exception_facts import why
from processors.events.exceptions import ExceptionDecided
from processors.exception_workflow.rules.reasons import SENTENCES, Reason

_ON_PAGES: Final[Mapping[Reason, str]] = {
    Reason.NO_SUCH_EXCEPTION: "there is no exception of this id; the page Exceptions lists those that there are",
    Reason.ILLEGAL_TRANSITION: "that is not possible as it stands",
    Reason.CONTROLS_MISSING: "a mitigated risk names the controls that mitigate it; say what limits the damage",
    Reason.WINDOW_NOT_ALLOWED: "this risk permits one installation only; ask for one",
    Reason.NOT_APPROVED: "it is not approved, or not any more",
    Reason.TARGET_MISSING: "nobody says where it is installed; fill in the installation, such as a cluster",
    Reason.RISK_NOT_ACKNOWLEDGED: "nobody acknowledged the risk; say in your words that you know it",
    Reason.MONITORING_PLAN_MISSING: "the monitoring plan is missing; choose the monitoring that you attach",
}
"""Where the words of the workflow name a command or an option of one."""

_COMMAND: Final = "`compat-guard "
_CLAUSE: Final = "; "


class Refusal(NamedTuple):
    """Why something was refused: the sentence, and the code under which everybody else knows it."""

    sentence: str
    code: str


def refusal(code: str) -> Refusal:
    """A reason code in words; the code alone where a newer guard minted it."""
    try:
        reason = Reason(code)
    except ValueError:
        return Refusal(code, "")
    sentence = _ON_PAGES.get(reason, SENTENCES[reason])
    return Refusal(sentence[:1].upper() + sentence[1:], code)


def refusals(codes: Iterable[str]) -> tuple[Refusal, ...]:
    return tuple(map(refusal, codes))


def why_on_pages(decided: ExceptionDecided) -> str:
    """As `why`, in the words of pages. What a person said, which has no code, stays as they said it."""
    return without_commands(why(decided)) if decided.reason_code else decided.reason


def without_commands(text: str) -> str:
    """A text of the workflow with the words of pages, without codes and without clauses that order a command.

    For sentences of the guard alone: never for what people wrote, or for an error that quotes them. A text that is
    nothing but commands stays.
    """
    for reason, sentence in SENTENCES.items():
        said = _ON_PAGES.get(reason, sentence)
        text = text.replace(f"{reason}: {sentence}", said).replace(sentence, said)
    left = _CLAUSE.join(clause for clause in text.split(_CLAUSE) if _COMMAND not in clause)
    closing = ")" if text.endswith(")") and left.count("(") > left.count(")") else ""
    return f"{left}{closing}" or text
