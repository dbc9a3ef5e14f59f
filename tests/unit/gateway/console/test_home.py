"""The start is shown to whoever reloads it in a loop; the exceptions behind it are not read for each time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from examples.exceptions import ALICE, DAY, NEVER_ASKED, NOON, SCOPE

from processors.configuration.gateway import Role
from processors.events.exceptions import Status
from processors.gateway.auth.gate import ON_THIS_MACHINE
from processors.gateway.console import home
from processors.gateway.console.home import Home, news_of
from processors.gateway.console.lately import ResultLine
from processors.gateway.console.may_decide import Standing
from processors.gateway.console.rendering import Frame, rendered
from processors.gateway.console.visitors import Visitor
from processors.gateway.console.waiting import Row, Rows
from processors.gateway.desk import Desk
from processors.gateway.limits import RATES, Rate


class Unread(Desk):
    """From which nothing may be read."""

    async def read(self, call: Callable[..., Any], *arguments: Any) -> Any:
        raise AssertionError("the exceptions were read")


def test_whoever_has_used_up_their_reads_sees_the_start_without_exceptions() -> None:
    unused = cast(Any, None)
    desk = Unread(settings=unused, config=unused, events=unused, outbox=unused, gate=unused, keys=unused)
    for _ in range(RATES[Rate.LEDGER].amount):
        desk.limits.take(Rate.LEDGER, ON_THIS_MACHINE.key)

    assert asyncio.run(home._rows(desk, Visitor(ON_THIS_MACHINE, None))) is None  # pyright: ignore[reportPrivateUsage]


def mine(status: Status, at: int = NOON, **more: Any) -> Row:
    asked = NEVER_ASKED._replace(round=1, scope=SCOPE, requester=ALICE, request_id="r-1")
    case = asked._replace(status=status, changed_at=at, valid_until=NOON + DAY)
    plain = Row(case=case, step="", roles=(), due=None, standing=Standing(False), mine=True, target="warehouse-1")
    return plain._replace(**more)


def rows(asked: tuple[Row, ...] = (), over: tuple[Row, ...] = ()) -> Rows:
    return Rows(yours=(), asked=asked, others=(), in_force=(), over=over)


def test_what_may_be_used_comes_before_what_was_refused() -> None:
    """Where it is the visitor's turn: not what waits for others, what others asked for, or old news."""
    approved, waits = mine(Status.APPROVED), mine(Status.PENDING)
    refused, withdrawn = mine(Status.REJECTED), mine(Status.WITHDRAWN)
    old, others = mine(Status.REJECTED, NOON - 30 * DAY), mine(Status.REJECTED, mine=False)

    assert news_of(rows((waits, approved), (refused, withdrawn, old, others)), NOON) == [approved, refused]


def start(*news: Row, **more: Any) -> str:
    plain: dict[str, Any] = {"blocked": (), "opens": True, "roles": ("requester",), **more}
    page = Home(
        title="Start", news=news, waiting=(), asked=0, rows=rows(), shown=5, unread=False, tenants=("acme",),
        decides_as=(), **plain,
    )  # fmt: skip
    return bytes(rendered(page, Frame(name="Alice", at="/"), None).body).decode()


def test_the_start_says_what_to_do_next_with_an_exception() -> None:
    """Before anything else."""
    there = f"/exceptions/{NEVER_ASKED.exception_id}"
    approved, refused = start(mine(Status.APPROVED)), start(mine(Status.REJECTED))

    assert f"/check?again=r-1&amp;exception={NEVER_ASKED.exception_id}" in approved
    assert approved.index("Install under it") < approved.index("Were you blocked?")
    assert re.search(rf'href="{there}">See why, and ask again', refused)
    assert ">refused</span>" in refused


def test_nobody_is_sent_to_a_form_that_is_not_for_their_roles() -> None:
    page = start(mine(Status.APPROVED), roles=("reader",))

    assert "Install under it" not in page
    assert f"/exceptions/{NEVER_ASKED.exception_id}" in page


@pytest.mark.parametrize("roles", [frozenset[Role](), frozenset({Role.OPERATOR})])
def test_blocks_are_listed_for_nobody_who_may_not_open_them(
    roles: frozenset[Role], monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[Home] = []
    monkeypatch.setattr(home, "show", lambda _, page: pages.append(page))
    monkeypatch.setattr(home, "lately", lambda *_: [BLOCK])
    unused = cast(Any, None)
    desk = Unread(settings=unused, config=unused, events=unused, outbox=unused, gate=unused, keys=unused)
    asyncio.run(home.home(unused, desk, Visitor(replace(ON_THIS_MACHINE, roles=roles), None)))
    page = start(blocked=pages[0].blocked, opens=pages[0].opens, roles=tuple(roles))

    assert "/requests/" not in page
    assert "blocked" not in page.lower().partition("<main")[2]


BLOCK = ResultLine(
    at=NOON, request_id="r-1", plugin="com.acme.crm 1.5.0", name="", environment="production", target="",
    host="corex 1.9.0", verdict="BLOCK", risk=75, operator="alice", summary="", codes=("HOST_TOO_OLD",),
)  # fmt: skip
