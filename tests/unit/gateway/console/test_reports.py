"""What a report says of the exception that would let it pass, and to whom it shows the way there."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from examples.exceptions import ALICE, BOB, NEVER_ASKED, SCOPE
from markupsafe import Markup

from processors.configuration.gateway import Role
from processors.errors import BrokerUnavailable
from processors.events.exceptions import Person, Status
from processors.exception_workflow.state.case import ExceptionCase
from processors.gateway.auth.principal import Principal
from processors.gateway.console.rendering import Frame, rendered
from processors.gateway.console.reports import BlockReport
from processors.gateway.console.visitors import Visitor
from processors.gateway.console.waiting import Found, find_exception, may_see
from processors.gateway.mailbox import Crowded

CASE = NEVER_ASKED._replace(round=1, status=Status.PENDING, scope=SCOPE, requester=ALICE)


def visitor(person: Person, *roles: Role) -> Visitor:
    who = Principal(
        issuer=person.issuer, subject=person.subject, roles=frozenset(roles), tenants=frozenset({SCOPE.tenant})
    )
    return Visitor(who, None)


class Down:
    """A desk that nothing can be read through."""

    settings = events = None

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def read(self, *_: Any) -> Any:
        raise self.error


@pytest.mark.parametrize("error", [Crowded(), BrokerUnavailable("no broker answers")])
def test_a_report_does_without_exceptions_that_cannot_be_read(error: Exception) -> None:
    desk = cast(Any, Down(error))

    assert asyncio.run(find_exception(desk, SCOPE, visitor(ALICE, Role.REQUESTER))) == Found(None, unread=True)


@pytest.mark.parametrize(
    ("person", "role", "sees"),
    [
        (ALICE, Role.REQUESTER, True),
        (BOB, Role.REQUESTER, False),
        (ALICE._replace(issuer="https://login.elsewhere.example"), Role.REQUESTER, False),
        (BOB, Role.AUDITOR, False),
        (BOB, Role.READER, True),
        (BOB, Role.APPROVER, True),
    ],
)
def test_an_exception_is_seen_by_its_roles_and_by_whoever_asked_for_it(
    person: Person, role: Role, sees: bool
) -> None:
    """Who asked is known by issuer and subject: another provider may know another alice."""
    assert may_see(CASE, visitor(person, role)) is sees


def shown(case: ExceptionCase | None, **more: bool) -> str:
    flags = {"unread": False, "sees_case": False, "sees_all": False, "is_open": case is not None, "may_ask": False}
    page = BlockReport(
        title="Blocked", request_id="r-1", heading=Markup("<h1>Blocked</h1>"), helps=Markup("what helps"),
        causes=Markup(""), further=Markup(""), grounds=Markup(""), verdict="BLOCK", rows=(), refusals=(), named="",
        case=case, monitoring=None, never=(), switched_off=False, operator="alice", name="", digest="",
        decided_at=None, matrix_expires_at=None, **{**flags, **more},
    )  # fmt: skip
    return bytes(rendered(page, Frame(name="Alice", at="/requests/r-1"), None).body).decode()


def test_a_report_shows_the_way_to_an_exception_only_to_whoever_may_go_there() -> None:
    there = f"/exceptions/{CASE.exception_id}"

    assert there in shown(CASE, sees_case=True)
    assert there not in shown(CASE)
    assert "pending" in shown(CASE)


def test_a_report_says_that_exceptions_cannot_be_read() -> None:
    page = shown(None, unread=True)

    assert "what helps" in page
    assert "Exceptions cannot be read now" in page
