"""What an operator reads of deliveries: which target is in trouble, and when what is next tried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from processors.client.deliveries import Relayed
from processors.gateway.console import deliveries
from processors.gateway.console.deliveries import Deliveries, Line, due, targets
from processors.gateway.console.rendering import Frame, rendered
from processors.relay.delivery import Delivery, DeliveryStatus
from processors.relay.target_status import Mode
from processors.relay.target_status import TargetStatus as Status

SOON, LATER = 2_000_000_000_000, 2_000_000_600_000


def delivery(target: str = "platform", id: str = "e-1", **more: Any) -> Delivery:
    return Delivery(target=target, id=id, type="compat.exception.decided", topic="compat.exception-decisions",
                    partition=0, offset=0, order_key="x", at=1, urgent=False, body=b"{}", **more)  # fmt: skip


GIVEN_UP = delivery(id="e-2", status=DeliveryStatus.DEAD, attempts=3, message="answered 422")


@pytest.mark.parametrize(
    ("one", "standing", "expected"),
    [
        pytest.param(delivery(next_at=SOON), Status(), SOON, id="as it was scheduled"),
        pytest.param(delivery(next_at=SOON), None, SOON, id="for a target that the relay has not met yet"),
        pytest.param(
            delivery(next_at=SOON),
            Status(mode=Mode.BROKEN, not_before=LATER),
            LATER,
            id="not before its target",
        ),
        pytest.param(
            delivery(next_at=LATER),
            Status(mode=Mode.HELD, not_before=SOON),
            LATER,
            id="and not before its time",
        ),
        pytest.param(delivery(next_at=SOON), Status(mode=Mode.DISABLED), None, id="not while nothing is sent"),
        pytest.param(GIVEN_UP, Status(), None, id="never once it was given up"),
    ],
)
def test_a_delivery_says_when_it_is_tried_next(
    one: Delivery, standing: Status | None, expected: int | None
) -> None:
    assert due(one, standing) == expected


def test_deliveries_are_gone_through_once_however_many_targets_there_are() -> None:
    class Counted(list[Delivery]):
        passes = 0

        def __iter__(self) -> Iterator[Delivery]:
            self.passes += 1
            return super().__iter__()

    waiting = Counted([delivery(f"target-{n % 50}", f"e-{n}") for n in range(200)])
    assert [of.waiting for of in targets(Relayed(waiting, {}))] == [4] * 50
    assert waiting.passes == 1


def test_every_target_is_listed_those_in_trouble_first() -> None:
    relayed = Relayed(
        [delivery(), GIVEN_UP, delivery("new")],
        {"audit": Status(), "mail": Status(mode=Mode.HELD), "platform": Status()},
    )
    assert [(of.name, of.waiting, of.given_up) for of in targets(relayed)] == [
        ("mail", 0, 0),
        ("platform", 1, 1),
        ("audit", 0, 0),
        ("new", 1, 0),
    ]


def page(*lines: Line, chosen: str = "", roles: frozenset[Any] = frozenset(), said: str = "") -> str:
    relayed = Relayed([line.delivery for line in lines], {"platform": Status()})
    shown = Deliveries(title="Deliveries", said=said, targets=targets(relayed), chosen=chosen, lines=lines, more=0)
    return bytes(rendered(shown, Frame(name="otto", roles=roles), None).body).decode()


def test_what_is_due_is_tried_now_and_what_was_given_up_never() -> None:
    """A time that is over would read as `-0 h 3 min`."""
    text = page(Line(delivery(next_at=1), 1), Line(GIVEN_UP, None))
    assert 'data-label="Next try">now</td>' in text
    assert "none: given up" in text
    assert "Try it again" in text
    assert "-0 h" not in text


def test_an_auditor_goes_from_a_delivery_to_its_case() -> None:
    assert "/ledger/cases/e-2" in page(Line(GIVEN_UP, None), roles=frozenset({"auditor"}))
    assert "/ledger/cases/" not in page(Line(GIVEN_UP, None))


@pytest.mark.parametrize("said", ["replayed", "kept", "gone", "resumed"])
def test_what_became_of_a_form_is_said(said: str) -> None:
    assert 'role="status"' in page(said=said)
    assert 'role="status"' not in page(said="<script>")


def test_whoever_looks_at_one_target_comes_back_to_it() -> None:
    assert deliveries._back("gone", "a&b").headers["location"] == "/deliveries?said=gone&target=a%26b"  # pyright: ignore[reportPrivateUsage]
