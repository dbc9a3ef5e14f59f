"""What an auditor reads on the pages of the ledger: whether the record is whole, who is meant, what happened."""

from __future__ import annotations

import asyncio
import html
from collections.abc import Sequence
from typing import Any

import pytest

from processors.errors import DatabaseUnavailable
from processors.gateway.console import ledger, verifying
from processors.gateway.console.ledger import FIELDS, OUTCOMES, Case, Search, Told
from processors.gateway.console.rendering import Frame, Page, rendered
from processors.gateway.console.verifying import FRESH, Verifications
from processors.gateway.problems import Problem
from processors.ledger.sealed import LastAnchor, Sealed
from processors.ledger.verify import Inconsistency, Kind
from processors.ledger.whole import Newest, Verified

AT = 1_790_000_000_000
SEALED = Sealed(LastAnchor(1_790_000_000_000, "anchor-1"), 12_345, 12_300, 10_000, 0, None)
TOLD = Told(1, "CompatibilityChecked", "the guard answered", "BLOCK", "", "e-1", "x-1", "sha256:00")


def text(page: Page) -> str:
    return html.unescape(bytes(rendered(page, Frame(name="ada"), None).body).decode())


def search(events: Sequence[Told] | None = None, sealed: Sealed | None = SEALED, *, overdue: bool = False) -> str:
    return text(
        Search(
            title="Ledger",
            fields=FIELDS,
            given={},
            tenants=["acme"],
            codes=[],
            bands=[],
            outcomes=OUTCOMES,
            events=events,
            following="",
            sealed=sealed,
            overdue=overdue,
            most=50_000,
        )
    )


def test_before_a_search_it_is_told_how_far_the_record_is_sealed() -> None:
    page = search()
    for said in (
        "Is the record whole?",
        "2026-09-21",
        "signed with key <code>anchor-1</code>",
        "12,300 of 12,345 rows",
        "45 rows, which the next anchor seals",
        "none among the newest 10,000 rows",
        'method="post" action="/ledger/verify"',
        "compat-guard ledger verify",
    ):
        assert said in page, said
    assert "note bad" not in page


def test_a_gap_and_an_anchor_that_does_not_come_are_told_at_once() -> None:
    assert "<strong>1 row is missing</strong> among the newest 10,000" in search(sealed=SEALED._replace(missing=1))
    assert "No anchor has come for a while" in search(overdue=True)
    assert "none yet" in search(sealed=SEALED._replace(last=None))


def test_a_database_that_is_away_does_not_keep_anybody_from_the_form() -> None:
    page = search(sealed=None)
    assert "does not answer" in page
    assert 'name="plugin_id"' in page


def test_whoever_sees_names_is_told_what_they_are_and_who_may_open_them() -> None:
    case = Case(title="The story of a case", id="x-1", summary="Blocked for X", exceptions=[], events=[TOLD])
    for page in (search([TOLD]), text(case)):
        assert "pseudonyms" in page
        assert "compat-guard ledger who PSEUDONYM --reason WHY" in page
    assert "Blocked for X" in text(case)


def test_each_case_is_summed_up_once_on_a_page() -> None:
    other = TOLD._replace(case="x-2")
    told = ledger._summed_up([TOLD, TOLD, other], {"x-1": "Allowed by exception"})  # pyright: ignore[reportPrivateUsage]
    assert [event.summary for event in told] == ["Allowed by exception", "", ""]
    assert search(told).count("What came of it: Allowed by exception") == 1


def event(**more: Any) -> dict[str, Any]:
    blank = dict.fromkeys(
        ("verdict", "state", "reason", "exception_id", "request_id", "approver", "operator", "host", "approval_id")
    )
    payload = {
        "event": "refused",
        "from_state": "UNKNOWN",
        "to_state": "UNKNOWN",
        "actor": "k1:3f (p…)",
        "reason": "",
        "step": "",
    }
    return {
        "appended_at": 1,
        "kind": "ExceptionDecided",
        "status": "recorded",
        "partition": 0,
        "event_id": "e-1",
        "row_hash": "sha256:00",
        "finding_codes": [],
        "payload": payload,
        **blank,
        **more,
    }


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (event(state="UNKNOWN"), ""),
        (event(state="UNKNOWN", reason="NO_SUCH_EXCEPTION"), "REFUSED"),
        (event(state="APPROVED"), "APPROVED"),
    ],
)
def test_an_outcome_that_nobody_knows_is_none(found: dict[str, Any], outcome: str) -> None:
    told = ledger._told(found)  # pyright: ignore[reportPrivateUsage]
    assert told.outcome == outcome
    assert "unknown" not in told.story.lower()


def test_an_outcome_is_looked_for_where_it_stands() -> None:
    looked_for = ledger._outcome  # pyright: ignore[reportPrivateUsage]
    assert looked_for("") == (None, None)
    assert looked_for("BLOCK") == ("BLOCK", None)
    assert looked_for("APPROVED") == (None, "APPROVED")
    for foreign in ("UNKNOWN", "block", "'; --"):
        with pytest.raises(Problem, match="outcome"):
            looked_for(foreign)


def verified(
    *found: Inconsistency, since: int | None = None, unread: Sequence[Any] = (), complete: bool = True
) -> str:
    return text(verifying.page_of(Newest(Verified(50_000, 12, list(found)), since, unread, complete), AT))


def test_a_record_without_a_fault_is_called_whole_and_not_more_than_was_read() -> None:
    assert "<h1>The record is whole</h1>" in verified()
    assert "50,000 rows and 12 anchors were read, all that there are" in verified()
    assert "It did not read all rows" not in verified()
    newest = verified(since=AT)
    assert "<h1>The newest rows are whole</h1>" in newest
    assert "It did not read all rows" in newest
    assert "record is whole" not in newest
    assert "2026-09-21" in newest.partition("rows and 12 anchors")[0]


def test_what_is_wrong_is_told_in_words_with_its_places() -> None:
    page = verified(
        *(Inconsistency(Kind.GAP, "compat.results", 0, n, f"missing before row {n}") for n in range(25))
    )
    assert "<h1>The record is not whole</h1>" in page
    assert "Rows are missing" in page
    assert "compat.results/0</span>: missing before row 19" in page
    assert "missing before row 20" not in page
    assert "And 5 more." in page
    assert "Change nothing in the database" in page


def test_a_verification_that_ran_out_of_time_calls_nothing_whole() -> None:
    page = verified(unread=[("compat.results", 1)], complete=False)
    assert "<h1>Out of time</h1>" in page
    assert "whole" not in page.partition("What this does not say")[0].lower()
    assert "1 chain not reached: compat.results/1" in page


def newest(rows: int) -> Newest:
    return Newest(Verified(rows, 1, []), None, (), complete=True)


def test_all_who_ask_within_a_minute_get_the_answer_of_one_verification() -> None:
    now = 0.0
    asked: list[int] = []

    async def verify() -> Newest:
        asked.append(len(asked))
        await asyncio.sleep(0.01)
        return newest(len(asked))

    async def scene() -> None:
        nonlocal now
        at = Verifications(lambda: now)
        impatient = asyncio.ensure_future(at.answer(verify))
        await asyncio.sleep(0)
        impatient.cancel()
        together = await asyncio.gather(*(at.answer(verify) for _ in range(5)))
        assert {answer.newest.verified.rows for answer in together} == {1}
        now = FRESH - 1
        assert (await at.answer(verify)).newest.verified.rows == 1
        now = FRESH
        assert (await at.answer(verify)).newest.verified.rows == 2

    asyncio.run(asyncio.wait_for(scene(), 10))
    assert len(asked) == 2


def test_a_verification_that_fails_is_no_answer() -> None:
    async def fail() -> Newest:
        raise DatabaseUnavailable("postgres does not serve")

    async def verify() -> Newest:
        return newest(7)

    async def scene() -> None:
        at = Verifications()
        with pytest.raises(DatabaseUnavailable):
            await at.answer(fail)
        assert at.last is None
        assert (await at.answer(verify)).newest.verified.rows == 7

    asyncio.run(asyncio.wait_for(scene(), 10))
