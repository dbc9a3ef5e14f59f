"""What whoever was blocked, decides or looks something up finds next: on the page where they are, as an action."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from examples.consoles import RISK, Console, Person, expect, fill_in_question
from playwright.sync_api import Locator, Page, ViewportSize

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

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
    row = page.get_by_role("listitem").filter(has=page.locator(f"a[href='/requests/{request}']"))
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
    expect(page.locator("ol.events li.in-vain")).to_have_count(0)

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
    page.get_by_role("button", name="Refuse").click()
    reason = page.get_by_label("Your reason; a refusal needs one")
    expect(reason).to_have_accessible_description("Say why you refuse.")


def test_whose_turn_it_is_stands_where_people_look(person: Meet) -> None:
    """Who asked sees their request and who decides it; who decides sees how many wait, and all that they sign."""
    alice, petra = person("alice", viewport=SIZES[0]), person("petra", viewport=SIZES[0])
    request = blocked(alice, "turns", "warehouse-7")
    page = alice.open(f"/requests/{request}/exception")
    expect(page.locator("ol.path li").first).to_contain_text("one plugin-steward decides within 8 h")
    exception = ask(page)
    decide(petra, exception, "Refuse", "no way back is named")
    page = alice.open(f"/requests/{request}")
    page.get_by_role("link", name="Ask for round 2 of the exception").click()
    expect(page.locator("main")).to_contain_text(re.compile("Refused by petra.*no way back is named"))
    expect(page.locator("textarea[name=risk]").first).to_have_value(RISK)
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
    expect(page.locator(".deciding")).to_contain_text("Left before it escalates to platform-lead")
    page.get_by_role("button", name="Approve").click()
    for said in ("2; round 1 was refused", "warehouse-7", "One installation, at most 7 days", "on-call", RISK):
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
    stale = alice.context.new_page()
    stale.goto(page.url)
    for form, verdict in ((page, "Allowed by exception"), (stale, "Blocked")):
        form.locator("textarea[name=acknowledge_risk]").fill(RISK)
        form.get_by_role("button", name="Ask to install").click()
        expect(form.locator("h1")).to_contain_text(verdict)
    page = alice.open(f"/check?again={request}&exception={exception}")
    expect(page.locator("main")).to_contain_text("lets nothing pass")
    expect(page.locator("main form")).to_have_count(0)
    page = stale
    expect(page.get_by_role("status")).to_contain_text("It was for one installation")
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


def test_who_decides_sees_what_they_sign_and_the_buttons_at_once(person: Meet) -> None:
    """In both widths, with script or without; the reason is a Tab away."""
    alice = person("alice", viewport=SIZES[0])
    exception = ask(alice.open(f"/requests/{blocked(alice, 'at-once')}/exception"))
    for size in SIZES:
        page = person("petra", viewport=size, java_script_enabled=False).open(f"/exceptions/{exception}")
        for seen in (
            page.get_by_role("button", name="Approve"),
            page.get_by_role("button", name="Refuse"),
            page.get_by_role("heading", name="What was asked"),
            page.get_by_text(RISK),
        ):
            assert in_sight(seen), (size, seen)


def test_a_refused_exception_begins_with_why_and_the_next_round_with_what_was_written(person: Meet) -> None:
    """On the start of whoever asked, on its page, and on the form."""
    alice = person("alice", viewport=SIZES[1])
    exception = ask(alice.open(f"/requests/{blocked(alice, 'why-not')}/exception"))
    decide(person("petra", viewport=SIZES[0]), exception, "Refuse", "name who goes back, and how")
    page = alice.open("/")
    mine = page.locator(".note").filter(has=page.locator(f"a[href='/exceptions/{exception}']"))
    assert in_sight(mine.first)
    mine.get_by_role("link", name="See why, and ask again").click()
    assert in_sight(page.get_by_text("name who goes back, and how").first)
    expect(page.locator("main")).to_contain_text("It never let anything pass")
    page.get_by_role("link", name="Ask for round 2").click()
    assert in_sight(page.get_by_text("name who goes back, and how"))
    expect(page.locator("textarea[name=risk]").first).to_have_value(RISK)


def test_a_decision_that_somebody_else_would_sign_leads_back_to_its_exception(person: Meet) -> None:
    """And nothing is handed in."""
    alice, petra = person("alice", viewport=SIZES[0]), person("petra", viewport=SIZES[0])
    exception = ask(alice.open(f"/requests/{blocked(alice, 'other-hand')}/exception"))
    page = petra.open(f"/exceptions/{exception}")
    page.get_by_role("button", name="Approve").click()
    page.wait_for_url("**/decisions/*")
    there = page.url.removeprefix(petra.console.url)
    page.get_by_role("button", name="Log in again and sign").click()
    page.wait_for_url(f"{petra.console.provider.url}/**")
    petra.subject = "sabine"
    petra.log_in()
    expect(page.locator("main")).to_contain_text("Somebody else logged in to sign what you decided")
    page.get_by_role("link", name="Back to the exception").click()
    page.wait_for_url(f"**/exceptions/{exception}")
    expect(page.locator("ol.events")).not_to_contain_text("step approved")

    page = person("sabine", viewport=SIZES[0]).open(there)
    expect(page.locator("main")).to_contain_text("There is no such decision of yours")
    page.get_by_role("link", name="To the exception").click()
    page.wait_for_url(f"**/exceptions/{exception}")


def test_who_may_not_ask_is_told_so_and_gets_no_form(person: Meet) -> None:
    alice = person("alice", viewport=SIZES[0])
    request = blocked(alice, "no-role")
    page = person("petra", viewport=SIZES[0]).open(f"/check?again={request}")
    expect(page.locator("main")).to_contain_text("for the role requester, which you do not hold")
    expect(page.locator("main form")).to_have_count(0)
    page.get_by_role("link", name="To the report").click()
    page.wait_for_url(f"**/requests/{request}")


def test_an_id_leads_to_its_page_and_a_name_to_what_there_is_of_it(person: Meet) -> None:
    alice = person("alice", viewport=SIZES[1])
    request = blocked(alice, "searched", "warehouse-5")
    exception = ask(alice.open(f"/requests/{request}/exception"))

    def look_for(text: str) -> Page:
        page = alice.open("/")
        page.get_by_label("Id of a request or exception, or a plugin").fill(text)
        page.get_by_role("button", name="Find").click()
        return page

    look_for(request).wait_for_url(f"**/requests/{request}")
    look_for(f" {exception} ").wait_for_url(f"**/exceptions/{exception}")
    page = look_for("INVENTORY")
    expect(page.locator(f"a[href='/requests/{request}']")).to_be_visible()
    expect(page.locator(f"a[href='/exceptions/{exception}']")).to_be_visible()
    expect(look_for("com.acme.nothing").get_by_role("status")).to_contain_text("Nothing that is yours to see")


def test_lists_are_narrowed_down_and_so_is_what_comes(person: Meet) -> None:
    """By an address that can be kept."""
    alice = person("alice", viewport=SIZES[0])
    exception = ask(alice.open(f"/requests/{blocked(alice, 'narrowed', 'warehouse-8')}/exception"))
    page = alice.open("/exceptions")
    page.locator("summary", has_text="Only some").click()
    page.get_by_label("Installation or environment").fill("warehouse-8")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("status")).to_contain_text("1 of")
    row = page.get_by_role("row").filter(has=page.locator(f"a[href='/exceptions/{exception}']"))
    expect(row.get_by_role("cell", name="warehouse-8")).to_be_visible()

    page = person("petra", viewport=SIZES[0]).open("/live?where=narrowed-too")
    expect(page.locator("#connection")).to_have_text("Live")
    other, meant = blocked(alice, "elsewhere"), blocked(alice, "narrowed-too")
    expect(page.locator(f"#lines a[href='/requests/{meant}']")).to_be_visible()
    expect(page.locator(f"#lines a[href='/requests/{other}']")).to_have_count(0)


def test_the_start_is_short_on_a_phone_and_tells_the_same_once(person: Meet) -> None:
    alice = person("alice", viewport=SIZES[1])
    for target in ("a-1", "a-2", "a-3"):
        last = blocked(alice, "again-and-again", target)
    page = alice.open("/")
    row = page.get_by_role("listitem").filter(has=page.locator(f"a[href='/requests/{last}']"))
    expect(row).to_contain_text("a-3 and 2 more")
    expect(row).to_contain_text("3 times, last at")
    assert page.evaluate("document.documentElement.scrollHeight") < 2_000
