"""The start is shown to whoever reloads it in a loop; the exceptions behind it are not read for each time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from processors.gateway.auth.gate import ON_THIS_MACHINE
from processors.gateway.console import home
from processors.gateway.console.visitors import Visitor
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
