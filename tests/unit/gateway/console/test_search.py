"""What is looked for costs no more reads than it can need."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from examples.exceptions import ALICE, ID, SCOPE

from processors.client.exceptions import case_of
from processors.client.results import results_of
from processors.client.transport import NoSuchException
from processors.configuration.gateway import Role
from processors.gateway.auth.principal import Principal
from processors.gateway.console import search
from processors.gateway.console.visitors import Visitor
from processors.gateway.mailbox import Mailbox


class Empty:
    """A desk behind which there is nothing. `calls` is what was read."""

    settings = events = None

    def __init__(self) -> None:
        self.mailbox = Mailbox()
        self.calls: list[Callable[..., Any]] = []

    async def read(self, call: Callable[..., Any], *_: Any) -> Any:
        self.calls.append(call)
        if call is case_of:
            raise NoSuchException("no such exception")
        return {}


@pytest.mark.parametrize(
    ("wanted", "calls"),
    [
        ("com.powerx.plugins.inventory-sync", [results_of]),
        (ID.upper(), [results_of]),
        (ID, [results_of, case_of]),
    ],
)
def test_exceptions_are_read_only_for_what_can_be_the_id_of_one(
    wanted: str, calls: list[Callable[..., Any]]
) -> None:
    """Whoever sent a request may have given it any id."""
    roles = frozenset({Role.REQUESTER})
    who = Principal(issuer=ALICE.issuer, subject=ALICE.subject, roles=roles, tenants=frozenset({SCOPE.tenant}))
    desk = Empty()
    place = asyncio.run(search._place(cast(Any, desk), Visitor(who, None), wanted))  # pyright: ignore[reportPrivateUsage]

    assert place == ""
    assert desk.calls == calls
