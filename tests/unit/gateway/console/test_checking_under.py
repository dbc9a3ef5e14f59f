"""Installing under an exception: the form says what is acknowledged, and offers nothing that would be refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from examples.exceptions import ALICE, BOB, NEVER_ASKED, NOON, SCOPE, policy

from processors.configuration.gateway import Role
from processors.events.exceptions import Person, Status
from processors.exception_workflow.state.case import ExceptionCase
from processors.gateway.auth.principal import Principal
from processors.gateway.console import check
from processors.gateway.console.check import Check, profiles_for
from processors.gateway.console.forms import Fault
from processors.gateway.console.rendering import Frame, rendered
from processors.gateway.console.visitors import Visitor, now_ms
from processors.gateway.desk import Desk
from processors.gateway.intake import LARGEST_MANIFEST
from processors.gateway.problems import Problem

APPROVED = NEVER_ASKED._replace(
    round=1, status=Status.APPROVED, scope=SCOPE, requester=ALICE, profile="enhanced", valid_until=NOON, score=75,
    risk_statement="The warehouse may <b>stand</b> still.", controls=("a rollback",), summary="corex is too old",
)  # fmt: skip


def shown(case: ExceptionCase | None, **more: Any) -> str:
    plain: dict[str, Any] = {
        "title": "Check",
        "tenants": ("acme",),
        "given": {},
        "again": "",
        "exception": "" if case is None else case.exception_id,
        "profiles": {} if case is None else profiles_for(case, policy()),
        "key": "k",
        "case": case,
        "usable": case is not None and case.status is Status.APPROVED,
        "sees_case": True,
    }
    return bytes(rendered(Check(**{**plain, **more}), Frame(name="Alice", at="/check"), None).body).decode()


@pytest.mark.parametrize(
    ("profile", "offered"),
    [("basic", ["basic", "enhanced", "critical"]), ("enhanced", ["enhanced", "critical"]), ("gone", [])],
)
def test_monitoring_that_would_be_refused_is_not_offered(profile: str, offered: list[str]) -> None:
    assert list(profiles_for(APPROVED._replace(profile=profile), policy())) == offered


def test_the_risk_stands_where_it_is_acknowledged() -> None:
    """So that even `ok` says what it is about, and who takes it knows what comes next."""
    page = shown(APPROVED)

    assert page.index("The risk that you acknowledge") < page.index('name="acknowledge_risk"')
    assert "The warehouse may &lt;b&gt;stand&lt;/b&gt; still." in page
    assert "a rollback" in page
    assert "75 of 100" in page
    assert "Two steps are left" in page


@pytest.mark.parametrize("status", [Status.REJECTED, Status.CONSUMED, Status.NEEDS_REVIEW, Status.PENDING])
def test_no_form_is_offered_under_an_exception_that_lets_nothing_pass(status: Status) -> None:
    page = shown(APPROVED._replace(status=status))

    assert "lets nothing pass" in page
    assert 'action="/check"' not in page
    assert f'href="/exceptions/{APPROVED.exception_id}"' in page


def test_whoever_may_not_see_an_exception_installs_under_it_without_the_words_of_others() -> None:
    """The risk is the guard's to tell; who asked, and what they wrote, is not."""
    page = shown(APPROVED, sees_case=False).partition("<main")[2]

    assert "75 of 100" in page
    assert 'name="acknowledge_risk"' in page
    for hidden in ("alice", "stand", "a rollback", "/exceptions/"):
        assert hidden not in page
    over = shown(APPROVED._replace(status=Status.REVOKED), sees_case=False).partition("<main")[2]
    assert "lets nothing pass" in over
    assert "/exceptions/" not in over


@pytest.mark.parametrize("status", [Status.REVOKED, Status.PENDING])
def test_what_was_typed_is_below_even_where_the_exception_has_ended_meanwhile(status: Status) -> None:
    case = APPROVED._replace(status=status, valid_until=None)
    fault = Fault("host", "host: expected NAME@VERSION.")
    page = shown(case, fault=fault, given={"host": "corex", "acknowledge_risk": "I know it."})

    assert "lets nothing pass" in page
    assert "What you typed is below" in page
    assert "I know it." in page
    assert 'value="corex"' in page


class Holding(Desk):
    """In which one exception is all that is read."""

    case = APPROVED

    async def read(self, call: Callable[..., Any], *arguments: Any) -> Any:
        return self.case


@pytest.mark.parametrize(
    ("who", "lasts", "usable", "sees"),
    [(ALICE, 60_000, True, True), (BOB, 60_000, True, False), (ALICE, 0, False, True)],
    ids=["who asked", "another requester of the tenant", "over, before the clock says so"],
)
def test_an_approved_exception_may_be_used_by_requesters_of_its_tenant_until_it_is_over(
    who: Person, lasts: int, usable: bool, sees: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "read_policy", lambda _: policy())
    unused = cast(Any, None)
    desk = Holding(settings=unused, config=unused, events=unused, outbox=unused, gate=unused, keys=unused)
    desk.case = APPROVED._replace(valid_until=now_ms() + lasts)
    asks = Principal(
        issuer=who.issuer, subject=who.subject, roles=frozenset({Role.REQUESTER}), tenants=frozenset({SCOPE.tenant})
    )
    page = asyncio.run(check._page(desk, Visitor(asks, None), None, {}, APPROVED.exception_id))  # pyright: ignore[reportPrivateUsage]

    assert (page.usable, page.sees_case) == (usable, sees)


def test_every_field_says_whether_it_has_to_be_filled_in() -> None:
    """In a word beside its name, for those that the browser would insist on and for all others."""
    page = shown(None)

    assert '<span class="needed">Host</span>' in page
    assert '<span class="optional">Database</span>' in page
    assert '<span class="optional">Installation, such as a cluster</span>' in page
    assert '<span class="needed">Installation, such as a cluster</span>' in shown(APPROVED)
    assert '<span class="needed">I know this risk and take it; in my words</span>' in shown(APPROVED)


def test_a_form_with_too_large_a_manifest_comes_back_with_what_was_typed() -> None:
    """Also without script: what was written of the risk would be lost on a page of its own."""
    fields = {"manifest": [f"id: a\nabout: {'x' * LARGEST_MANIFEST}"], "acknowledge_risk": ["I know it"]}
    with pytest.raises(Problem) as refused:
        check._question(fields, None)  # pyright: ignore[reportPrivateUsage]
    assert check._correctable(refused.value) == 413  # pyright: ignore[reportPrivateUsage]
    fault = check._fault(str(refused.value))  # pyright: ignore[reportPrivateUsage]
    assert fault.field == "manifest"
    assert f"at most {LARGEST_MANIFEST}" in fault.message
    typed = check._typed(fields)  # pyright: ignore[reportPrivateUsage]
    assert "I know it" in shown(APPROVED, fault=fault, given=typed)


def test_what_no_correction_of_the_form_mends_is_a_page_of_its_own() -> None:
    correctable = check._correctable  # pyright: ignore[reportPrivateUsage]
    assert correctable(Problem("unprocessable", "host: it has no version")) == 422
    assert correctable(Problem("forbidden", "the token is not for that tenant")) is None
