"""What was let pass is not let pass for good, and was let pass with the words of its time."""

from __future__ import annotations

from typing import Any

import pytest
from examples.exceptions import DAY, HOUR, NEVER_ASKED, NOON

from processors.events.exceptions import Status
from processors.exception_workflow.rules.executions import holds, words_stand
from processors.exception_workflow.state.case import ExceptionCase, Execution

RUN = Execution("request-2", "q", "alice", "cluster-7", NOON + HOUR, round=1)
USED = NEVER_ASKED._replace(
    round=1, status=Status.CONSUMED, opened_at=NOON, valid_until=NOON + DAY, uses=1, executions=(RUN,)
)
LATER = NOON + 2 * HOUR


def run(**more: Any) -> dict[str, Any]:
    return {"executions": (RUN._replace(**more),)}


@pytest.mark.parametrize(
    ("case", "still"),
    [
        (USED, True),
        (USED._replace(status=Status.APPROVED, single_use=False), True),
        *((USED._replace(status=status), False) for status in Status if status not in ("CONSUMED", "APPROVED")),
        (USED._replace(valid_until=LATER), False),
        (USED._replace(valid_until=None), False),
        *((USED._replace(**run(ended=ended)), False) for ended in ("SUCCEEDED", "FAILED", "ROLLED_BACK")),
        (USED._replace(**run(request_id="request-3")), False),
        (USED._replace(round=2), False),
    ],
)
def test_what_was_let_pass_may_begin_as_long_as_it_has_not_ended_and_the_exception_holds(
    case: ExceptionCase, still: bool
) -> None:
    """The single use that is spent is that of this very installation."""
    assert holds(case, "request-2", LATER) is still


@pytest.mark.parametrize(
    ("case", "same"),
    [
        (USED, True),
        (USED._replace(opened_at=RUN.at + 1), False),
        (USED._replace(round=2), False),
        (USED._replace(executions=()), False),
    ],
    ids=["the same", "reviewed again since", "another round", "never let pass"],
)
def test_words_of_another_review_are_not_those_that_let_it_pass(case: ExceptionCase, same: bool) -> None:
    assert words_stand(case, "request-2") is same
