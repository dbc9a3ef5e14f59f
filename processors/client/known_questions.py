"""Distinguishes the questions that were asked under one id, in a stream of results."""

from __future__ import annotations

from processors.events.results import Result


class KnownQuestions:
    """Which question was answered first under an id, for recently seen ids."""

    def __init__(self, most: int = 100_000) -> None:
        self._most, self._first = most, dict[str, str]()

    def is_another(self, result: Result) -> bool:
        """Whether a result answers another question than the first one with its id."""
        question = result.question
        first = self._first.setdefault(question.request_id, question.name)
        if len(self._first) > self._most:
            del self._first[next(iter(self._first))]
        return first != question.name
