"""While the clocks of process and broker disagree, one of them is wrong: nothing is done that time alone causes."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest
from contract.case import NOON, FixedView
from contract.test_processors import CASES

from processors.events.topics import MATRIX_FLOORS, NOTIFICATIONS, SECURITY_POLICIES
from processors.stream.loop.view import LoopView
from processors.stream.types import Outcome


@dataclass(frozen=True)
class Seen(FixedView):
    """What a processor sees, and whether clocks agree."""

    agree: bool = True

    @property
    def clocks_agree(self) -> bool:
        return self.agree


def ticked(name: str, *, agree: bool) -> Outcome:
    case = next(case for case in CASES if case.name == name)
    return case.processor().tick(case.now, Seen(case.now, case.state, case.tables, agree=agree))


def topics(outcome: Outcome) -> set[str]:
    return {sent.topic for sent in outcome.outputs}


@pytest.mark.parametrize(("agree", "until"), [(True, NOON), (False, 0)])
def test_no_timer_is_due_while_clocks_disagree(*, agree: bool, until: int) -> None:
    """Eight days ahead for 20 s lapsed six exceptions, for good."""
    horizon = SimpleNamespace(read_until=lambda now, *_: {0: now})
    known = SimpleNamespace(
        clock=SimpleNamespace(agrees=agree), assignment=SimpleNamespace(positions={}), horizon=horizon
    )

    assert LoopView(NOON, cast(Any, known)).read_until(0) == until


def test_no_source_is_told_to_have_aged_while_clocks_disagree() -> None:
    """Serials have nothing to do with time, and go on."""
    assert topics(ticked("staleness", agree=True)) == {MATRIX_FLOORS, NOTIFICATIONS}

    outcome = ticked("staleness", agree=False)
    assert topics(outcome) == {MATRIX_FLOORS}
    assert outcome.writes == []


def test_no_policy_is_published_while_clocks_disagree() -> None:
    """Its end would be wrong, and is signed."""
    assert topics(ticked("security-context", agree=True)) == {SECURITY_POLICIES}
    assert ticked("security-context", agree=False).outputs == []
