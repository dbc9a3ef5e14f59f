"""Pages on servers of their own: the record as an auditor sees it, and a form that is sent while no broker answers.

Other modules sign their anchors with other keys, and need their broker.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import pytest
from examples.consoles import Person, check_case_c_1, expect, fill_in_question
from examples.ground import eventually
from examples.guard import Guard
from examples.servers import own_servers
from playwright.sync_api import ViewportSize

from processors.embedded import Addresses, Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

Meet = Callable[..., Person]
WIDE: ViewportSize = {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def own(stack: Addresses) -> Iterator[Stack]:
    with own_servers(stack.registry) as servers:
        yield servers


@pytest.fixture(scope="module")
def guarded(own: Stack) -> Addresses:
    Guard(own.addresses).close()
    return own.addresses


def test_an_auditor_has_the_record_verified_without_script(person: Meet) -> None:
    """From the question whether it is whole to the answer, and to the proof of a row that waits for its anchor."""
    check_case_c_1(person("alice", viewport=WIDE), "verified")
    ada = person("ada", viewport=WIDE, java_script_enabled=False)
    page = ada.open("/ledger")
    expect(page.get_by_role("heading", name="Is the record whole?")).to_be_visible()
    expect(page.locator("dl.facts")).to_contain_text("none among the newest")
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The record is whole")
    expect(page.get_by_role("status")).to_contain_text("all that there are")
    page.get_by_role("link", name="To the ledger").click()
    page.get_by_label("Environment").fill("verified")
    page.get_by_label("Outcome").select_option("BLOCK")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**outcome=BLOCK*")  # a page that is on its way cannot be loaded again
    eventually(lambda: page.reload() is not None and page.get_by_role("row").count() > 1)
    proof = page.get_by_role("link", name="proof").first.get_attribute("href") or ""
    answer = page.context.request.get(ada.console.url + proof)
    assert answer.status in {200, 409}
    if answer.status == 409:
        assert int(answer.headers["retry-after"]) >= 1
        assert "no anchor covers it yet" in answer.text()


def test_what_was_typed_outlives_a_broker_that_was_away(own: Stack, person: Meet) -> None:
    """The page that says so sends it again, with the text of the manifest that was chosen as a file."""
    page = person("alice", java_script_enabled=False).open("/check")
    fill_in_question(page, target="warehouse-7")
    broker = own.kafka.pid
    assert broker is not None
    os.kill(broker, signal.SIGSTOP)
    try:
        page.get_by_role("button", name="Check").click()
        expect(page.locator("main")).to_contain_text("What you entered is kept on this page")
    finally:
        os.kill(broker, signal.SIGCONT)
    page.get_by_role("button", name="Send it again").click()
    page.wait_for_url("**/requests/*")
    expect(page.locator("main")).to_contain_text("warehouse-7")
    expect(page.locator("main")).to_contain_text("needs corex >=2.0.0, and this host runs 1.9.0")
