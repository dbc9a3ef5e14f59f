"""An answer is kept for as long as it holds, and not for a moment in which it did not hold yet."""

from __future__ import annotations

from processors.checker.memo import Answered, Memo
from processors.events.vocabulary import Band, Verdict
from processors.matrix.merged import Matrix
from processors.policies import NO_POLICIES


def test_an_answer_of_the_future_is_not_given_once_time_has_gone_back() -> None:
    """Something had expired by then. A broker whose clock was ahead is set right, and it holds again."""
    memo = Memo(lambda _, matrix, policies, now: answered(now))  # noqa: ARG005 - an answer that depends on the time

    assert memo.answer(b"question", Matrix.EMPTY, NO_POLICIES, 200).digest == "200"
    assert memo.answer(b"question", Matrix.EMPTY, NO_POLICIES, 300).digest == "200"
    assert memo.answer(b"question", Matrix.EMPTY, NO_POLICIES, 100).digest == "100"


def answered(now: int) -> Answered:
    return Answered("p", "1", "h", "1", (), Verdict.ALLOW, Band.NONE, 0, "", (), True, b"", b"", str(now), None)
