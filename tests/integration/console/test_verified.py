"""The record as an auditor sees it, on servers of its own: other modules sign their anchors with other keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from examples.consoles import Person, check_case_c_1, expect
from examples.ground import eventually
from examples.servers import own_servers
from playwright.sync_api import ViewportSize

from processors.embedded import Addresses

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

Meet = Callable[..., Person]
WIDE: ViewportSize = {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def stack(stack: Addresses) -> Iterator[Addresses]:
    with own_servers(stack.registry) as servers:
        yield servers.addresses


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
    eventually(lambda: page.reload() is not None and page.get_by_role("row").count() > 1)
    proof = page.get_by_role("link", name="proof").first.get_attribute("href") or ""
    answer = page.context.request.get(ada.console.url + proof)
    assert answer.status in {200, 409}
    if answer.status == 409:
        assert int(answer.headers["retry-after"]) >= 1
        assert "no anchor covers it yet" in answer.text()
