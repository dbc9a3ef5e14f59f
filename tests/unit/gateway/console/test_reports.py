"""What a report says of the exception that would let it pass, and to whom it shows the way there."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from examples.exceptions import ALICE, BOB, NEVER_ASKED, NOON, SCOPE
from markupsafe import Markup

from processors.configuration.gateway import Role
from processors.errors import BrokerUnavailable
from processors.events.exceptions import Person, Status
from processors.events.install_requests import KeptRequest
from processors.exception_workflow.state.case import ExceptionCase
from processors.gateway.auth.principal import Principal
from processors.gateway.console.rendering import Frame, rendered
from processors.gateway.console.reports import BlockReport
from processors.gateway.console.summary import Summary
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


def shown(case: ExceptionCase | None, **more: Any) -> str:
    flags: dict[str, Any] = {
        **{"unread": False, "sees_case": False, "sees_all": False, "is_open": case is not None, "may_ask": False},
        **{"verdict": "BLOCK", "named": "", "under": None, "unfolded": True, "usable": False, "against": ()},
        **{"holds": True, "decided_on": True},
    }
    page = BlockReport(
        title="Blocked", request_id="r-1", heading=Markup("<h1>Blocked</h1>"), helps=Markup("what helps"),
        causes=Markup("<h2>Blocks: Host</h2>"), further=Markup(""), grounds=Markup(""), rows=(), refusals=(),
        summary=Summary("Do not install it.", "alice asked"), found="1 finding blocks",
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


def test_a_report_begins_with_what_to_do_and_who_was_asked() -> None:
    page = shown(None)

    assert page.index("<h1>") < page.index("Do not install it.") < page.index("alice asked")
    assert page.index("alice asked") < page.index("what helps") < page.index('id="why"')


@pytest.mark.parametrize("unfolded", [True, False])
def test_what_was_found_is_folded_away_where_it_is_much(unfolded: bool) -> None:
    page = shown(None, unfolded=unfolded)

    assert ('<details class="why" id="why" open>' in page) is unfolded
    assert ">Why: 1 finding blocks</summary>" in page


def test_whoever_asked_finds_the_exception_that_let_it_pass() -> None:
    """Also without a role that sees those of others."""
    used = CASE._replace(status=Status.CONSUMED)
    page = shown(used, verdict="ALLOW_BY_EXCEPTION", named=CASE.exception_id, sees_case=True, is_open=False)
    other = shown(used, verdict="ALLOW_BY_EXCEPTION", named=CASE.exception_id, is_open=False)

    assert f'href="/exceptions/{CASE.exception_id}"' in page
    assert f'href="/exceptions/{CASE.exception_id}"' not in other


def test_what_was_acknowledged_stands_on_the_report() -> None:
    """With what it was about, so that a short word has a meaning."""
    acknowledged = {"by": "alice", "at": NOON, "statement": "ok <b>"}
    plan = {"profile": "enhanced", "addons": ["on-call"], "owner": "alice"}
    under = KeptRequest({"acknowledgement": acknowledged, "monitoring": plan})
    case = CASE._replace(risk_statement="The warehouse may stand still.")
    page = shown(case, verdict="ALLOW_BY_EXCEPTION", named=CASE.exception_id, sees_case=True, under=under)

    assert "alice took the risk" in page
    assert "ok &lt;b&gt;" in page
    assert "The warehouse may stand still." in page
    assert "Watched by enhanced (on-call)" in page


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (2**62, "9999-12-31 23:59:59 UTC"),
        (253_402_300_800_000, "9999-12-31 23:59:59 UTC"),
        (-5, "1970-01-01 00:00:00 UTC"),
    ],
)
def test_an_instant_beyond_the_calendar_hides_no_report(at: int, said: str) -> None:
    """Whoever asks says when the risk was taken."""
    under = KeptRequest({"acknowledgement": {"by": "alice", "at": at, "statement": "ok"}, "monitoring": None})

    assert said in shown(CASE, verdict="ALLOW_BY_EXCEPTION", named=CASE.exception_id, sees_case=True, under=under)
