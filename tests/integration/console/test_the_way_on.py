"""What whoever was blocked, decides or looks something up finds next: on the page where they are, as an action."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from examples.consoles import RISK, Console, Person, expect, fill_in_question
from playwright.sync_api import Locator, Page, ViewportSize

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

Meet = Callable[..., Person]
SIZES: tuple[ViewportSize, ...] = ({"width": 1280, "height": 800}, {"width": 380, "height": 800})


def blocked(alice: Person, environment: str, target: str = "warehouse-1") -> str:
    """Case C-1; gives the request's id."""
    page = alice.open("/check")
    fill_in_question(page, target=target)
    page.get_by_label("Environment").fill(environment)
    page.get_by_role("button", name="Check").click()
    page.wait_for_url("**/requests/*")
    return page.url.rpartition("/")[2]


def ask(page: Page) -> str:
    """Fill in the form for an exception, and send it; gives the exception's id."""
    page.locator("textarea[name=risk]").first.fill(RISK)
    page.get_by_role("button", name="Ask for the exception").click()
    page.wait_for_url("**/exceptions/*")
    expect(page.get_by_text("You cannot decide this step: you asked for it yourself")).to_be_visible()
    return re.findall(r"exceptions/([^?]+)", page.url)[0]


def decide(person: Person, exception: str, button: str = "Approve", reason: str = "") -> None:
    page = person.open(f"/exceptions/{exception}")
    page.locator("textarea[name=reason]").fill(reason)
    page.get_by_role("button", name=button).click()
    page.get_by_role("button", name="Log in again and sign").click()
    page.wait_for_url(f"{person.console.provider.url}/**")
    person.log_in()
    expect(page.get_by_role("status")).to_contain_text("Your decision counts")


def in_sight(found: Locator) -> bool:
    """Whether it is seen without scrolling."""
    return bool(
        found.evaluate("e => e.getBoundingClientRect().bottom <= window.innerHeight && window.scrollY === 0")
    )


def test_a_block_shows_where_it_is_and_every_way_on_without_scrolling(person: Meet) -> None:
    """What helps, a check of it with one click, and the exception; digests and downloads are folded away."""
    alice = person("alice", viewport=SIZES[0])
    request = blocked(alice, "night")
    page = alice.open("/")
    row = page.get_by_role("row").filter(has=page.locator(f"a[href='/requests/{request}']"))
    expect(row).to_contain_text("warehouse-1")
    expect(row).to_contain_text("corex 1.9.0")
    row.get_by_role("link").click()
    ask = page.get_by_role("link", name="Ask for an exception")
    for size in SIZES:
        page.set_viewport_size(size)
        assert in_sight(ask), size
        assert in_sight(page.get_by_role("link", name="Check 1.4.2 now")), size
    expect(page.get_by_role("link", name="Markdown")).to_be_hidden()
    expect(page.locator("main")).to_contain_text("the manifest of com.powerx.plugins.inventory-sync says so")

    page.get_by_role("link", name="Check 1.4.2 now").click()
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator("h1")).to_contain_text(re.compile("Allowed.*inventory-sync 1.4.2", re.DOTALL))
    expect(page.locator("main")).to_contain_text("warehouse-1")
    alice.open(f"/requests/{request}")
    page.get_by_role("link", name="Check it as it would be then").click()
    expect(page.get_by_label("Host", exact=True)).to_have_value("corex@2.0.0")


def test_a_block_that_nobody_can_except_says_so(person: Meet) -> None:
    """In place of the button that whoever was blocked looks for."""
    page = person("alice", viewport=SIZES[0]).open("/check")
    page.get_by_label("or its text").fill("id: com.acme.x\nversion: 1.0.0\ncorex_version: any that works\n")
    page.get_by_label("Host", exact=True).fill("corex@1.9.0")
    page.get_by_role("button", name="Check").click()
    page.wait_for_url("**/requests/*")
    expect(page.locator(".report .note")).to_contain_text("CONSTRAINT_INVALID cannot be excepted")
    expect(page.get_by_role("link", name="Ask for an exception")).to_have_count(0)


def test_a_form_that_is_refused_comes_back_as_it_was_typed(person: Meet) -> None:
    """With the fault at its field, and without a word in anybody's history."""
    alice = person("alice", viewport=SIZES[0])
    request = blocked(alice, "typed")
    page = alice.open(f"/requests/{request}/exception")
    page.locator("textarea[name=risk]").first.fill("it is late")
    page.locator("textarea[name=controls]").fill("a rollback\na canary")
    page.get_by_role("button", name="Ask for the exception").click()
    expect(page.get_by_role("alert").first).to_contain_text("10 found, 20 needed")
    first = page.locator("textarea[name=risk]").first
    expect(first).to_have_value("it is late")
    expect(first).to_have_accessible_description(re.compile("10 found, 20 needed"))
    expect(page.locator("textarea[name=controls]")).to_have_value("a rollback\na canary")
    page.locator("input[name=finding]").first.uncheck()
    page.get_by_role("button", name="Ask for the exception").click()
    expect(page.locator("#fault-finding")).to_contain_text("Choose at least one")
    page.locator("input[name=finding]").first.check()
    exception = ask(page)
    expect(page.locator("ol.events li.refused")).to_have_count(0)

    page = alice.open("/check")
    fill_in_question(page, target="warehouse-1")
    page.get_by_label("Host", exact=True).fill("corex")
    page.get_by_role("button", name="Check").click()
    host = page.get_by_label("Host")
    expect(host).to_have_value("corex")
    expect(host).to_have_accessible_description(re.compile("NAME@VERSION"))
    expect(page.get_by_label("or its text")).to_have_value(re.compile("com.powerx.plugins.inventory-sync"))
    host.fill("corex@1.9.0")
    page.get_by_role("button", name="Check").click()
    page.wait_for_url("**/requests/*")

    page = person("petra", viewport=SIZES[0]).open(f"/exceptions/{exception}")
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_label("Reason; a denial needs one")).to_have_accessible_description("Say why you deny.")


def test_whose_turn_it_is_stands_where_people_look(person: Meet) -> None:
    """Who asked sees their request and who decides it; who decides sees how many wait, and all that they sign."""
    alice, petra = person("alice", viewport=SIZES[0]), person("petra", viewport=SIZES[0])
    request = blocked(alice, "turns", "warehouse-7")
    page = alice.open(f"/requests/{request}/exception")
    expect(page.locator("ol.path li").first).to_contain_text("1 of plugin-steward (held by 2 or more), within 8 h")
    exception = ask(page)
    decide(petra, exception, "Deny", "no way back is named")
    page = alice.open(f"/requests/{request}")
    page.get_by_role("link", name="Ask for round 2 of the exception").click()
    assert ask(page) == exception
    for path in ("/", "/exceptions"):
        expect(alice.open(path).locator(f"a[href='/exceptions/{exception}']")).to_be_visible()
    page = alice.open(f"/requests/{request}")
    expect(page.get_by_role("link", name="See how it stands")).to_be_visible()

    page = petra.open("/")
    expect(page.locator("h1")).to_contain_text(re.compile(r"\d+ exceptions? waits? for you"))
    expect(page.locator("main")).to_contain_text("You decide exceptions as plugin-steward")
    page.locator(f"a[href='/exceptions/{exception}']").click()
    expect(page.locator("main")).to_contain_text("no way back is named")
    expect(page.locator("main")).to_contain_text("warehouse-7")
    expect(page.locator(".step")).to_contain_text("Left before it escalates to platform-lead")
    page.get_by_role("button", name="Approve").click()
    for said in ("2; round 1 was rejected", "warehouse-7", "One installation, at most 7 days", "on-call", RISK):
        expect(page.locator("dl.facts")).to_contain_text(said)
    expect(page.locator("pre")).to_contain_text(exception)


def test_what_was_shown_is_no_longer_signed_once_the_request_has_moved(person: Meet) -> None:
    alice, petra = person("alice", viewport=SIZES[0]), person("petra", viewport=SIZES[0])
    page = alice.open(f"/requests/{blocked(alice, 'moved')}/exception")
    exception = ask(page)
    shown = petra.open(f"/exceptions/{exception}")
    shown.get_by_role("button", name="Approve").click()
    expect(shown.get_by_role("button", name="Log in again and sign")).to_be_visible()
    page.get_by_text("Withdraw it ...").click()
    page.get_by_role("button", name="Withdraw it").click()
    page.get_by_role("link", name="Ask for round 2").click()
    page.locator("textarea[name=risk]").last.fill("By the version of before, which is kept.")
    ask(page)

    shown.get_by_role("button", name="Log in again and sign").click()
    expect(shown.locator("main")).to_contain_text("The exception has moved since you loaded its page")
    shown.get_by_role("link", name="To the exception").click()
    expect(shown.locator("main")).to_contain_text("By the version of before, which is kept.")


def test_an_exception_that_is_used_up_leads_to_its_next_round(person: Meet) -> None:
    """In words, with a button, and without a command to type."""
    alice = person("alice", viewport=SIZES[0])
    request = blocked(alice, "used-up")
    exception = ask(alice.open(f"/requests/{request}/exception"))
    decide(person("petra", viewport=SIZES[0]), exception)
    decide(person("sabine", viewport=SIZES[0]), exception)
    page = alice.open(f"/requests/{request}")
    page.get_by_role("link", name="Install under it").click()
    for verdict in ("Allowed by exception", "Blocked"):
        page.goto(f"{alice.console.url}/check?again={request}&exception={exception}")
        page.locator("textarea[name=acknowledge_risk]").fill(RISK)
        page.get_by_role("button", name="Ask to install").click()
        expect(page.locator("h1")).to_contain_text(verdict)
    expect(page.get_by_role("status")).to_contain_text("It was for one installation, and that has happened")
    expect(page.locator("main")).not_to_contain_text("compat-guard")
    assert in_sight(page.get_by_role("link", name="Ask for round 2 of the exception"))
    page.get_by_role("link", name="Ask for round 2 of the exception").click()
    assert ask(page) == exception
    expect(page.locator("main")).to_contain_text("round 2")


def test_a_code_that_there_is_not_leads_to_those_that_there_are(console: Console, person: Meet) -> None:
    """Findings are for everybody, so nobody hears of tenants."""
    page = person("alice").page
    page.goto(f"{console.url}/findings/HOST_TO_OLD")
    expect(page.locator("main")).not_to_contain_text("tenant")
    page.get_by_role("link", name="HOST_TOO_OLD").click()
    expect(page.locator("h1")).to_have_text("HOST_TOO_OLD")


def test_an_auditor_asks_the_ledger_from_the_start(person: Meet) -> None:
    page = person("ada", viewport=SIZES[0]).open("/")
    page.get_by_label("What happened with a plugin?").fill("com.powerx.plugins.inventory-sync")
    page.get_by_role("button", name="Look in the ledger").click()
    page.wait_for_url("**/ledger?plugin_id=com.powerx.plugins.inventory-sync")
