"""The console in a real browser: C-1 and C-2 by mouse, and by keyboard alone with script switched off."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import httpx
import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from examples import web
from examples.consoles import RISK, Console, Person, check_case_c_1, expect
from examples.gateways import PLUGINS
from examples.ground import eventually
from playwright.sync_api import Page, ViewportSize

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

Meet = Callable[..., Person]
NARROW: ViewportSize = {"width": 380, "height": 800}
WIDE: ViewportSize = {"width": 1280, "height": 800}
LOOKS: Mapping[Literal["light", "dark"], ViewportSize] = {"light": NARROW, "dark": WIDE}
PAGES = (
    *("/exceptions", "/exceptions?plugin=inventory&state=PENDING", "/live", "/live?where=axe", "/matrix"),
    *("/findings", "/findings/HOST_TOO_OLD", "/findings/NONE", "/nowhere", "/search?of=inventory", "/search?of=no"),
)
LARGEST_PAGE = 130_000
"""Bytes, without the style sheet and the script, which have 20,000 at most."""
AXE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],  # what passes is much longer, and nobody reads it
}
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "javascript:alert(1)",
    "{{7*7}}${7*7}",
    "</textarea></title></style><svg onload=alert(1)>",
    "a" * 150,
    "\u202egnp.exe\u2066",
)

HOSTILE_PLUGIN = {
    "id": 'com.acme."><svg/onload=alert(1)>',
    "version": "1.0.0",
    "name": " ".join(HOSTILE[:6]),
    "corex_version": ">=2.0.0",
    "runtime": {"go": ">=1.21"},
}
"""Every field that people may fill with what they like; an exception can be asked for all the same."""
HOSTILE_MATRIX = {
    **{"source": "vendor", "revision": HOSTILE[0], "expires_after": "1h"},
    "matrix": [{"plugin": "*", "host": "corex", "action": "block", "notes": " ".join(HOSTILE)}],
}


def approve(person: Person, exception: str) -> None:
    """From the queue to the proof: open, approve, sign, log in."""
    page = person.open("/exceptions")
    picture(page, "queue")
    page.locator(f"a[href='/exceptions/{exception}']").click()
    picture(page, "decide")
    page.get_by_role("button", name="Approve").click()
    picture(page, "sign")
    text = json.loads(page.locator("pre").text_content() or "")
    assert (text["exception_id"], text["decision"]) == (exception, "approve")
    page.get_by_role("button", name="Log in again and sign").click()
    page.wait_for_url(f"{person.console.provider.url}/**")
    person.log_in()
    expect(page.get_by_role("status")).to_contain_text("Your decision counts")


def test_blocked_excepted_and_installed_by_mouse(person: Meet) -> None:
    """C-1 shows the ways out first and the exception last; C-2 leads to one watched installation."""
    alice = person("alice", viewport=WIDE)
    check_case_c_1(alice, "by-mouse")
    page = alice.page
    expect(page.locator("h1")).to_contain_text("Blocked")
    assert page.locator("h2:visible").all_inner_texts() == [
        "What helps",
        "None of this is possible?",
        "Blocks: Host",
    ]

    page.get_by_role("link", name="Ask for an exception").click()
    page.locator("textarea[name=risk]").first.fill(RISK)
    page.get_by_role("button", name="Ask for the exception").click()
    page.wait_for_url("**/exceptions/*")
    exception = re.findall(r"exceptions/([^?]+)", page.url)[0]
    expect(page.get_by_text("You cannot decide this step")).to_be_visible(timeout=30_000)

    approve(person("petra", viewport=WIDE), exception)
    approve(person("sabine", viewport=NARROW), exception)

    page = alice.open(f"/exceptions/{exception}")
    page.get_by_role("link", name="Install under it").click()
    expect(page.locator("#risk")).to_contain_text(RISK)
    page.locator("textarea[name=acknowledge_risk]").fill("ok")
    expect(page.locator("select[name=monitoring] option:checked")).to_contain_text("as approved")
    assert not any("basic" in text for text in page.locator("select[name=monitoring] option").all_inner_texts())
    page.get_by_role("button", name="Ask to install").click()
    expect(page.locator("h1")).to_contain_text("Allowed by exception")
    expect(page.locator(".acknowledged")).to_contain_text(re.compile(f"alice took the risk.*ok.*{RISK}", re.DOTALL))
    picture(page, "allowed")
    expect(page.get_by_role("link", name="The exception that lets it pass")).to_be_visible()

    auditor = person("ada", viewport=WIDE)
    page = auditor.open("/ledger")
    page.get_by_label("Exception").fill(exception)

    def found() -> bool:
        page.get_by_role("button", name="Search").click()
        return page.get_by_role("row").count() > 4

    eventually(found)
    page.get_by_role("link", name="case").first.click()
    expect(page.locator("ol.events")).to_contain_text("sent a decision")
    picture(page, "case")
    page.get_by_role("link", name="The exception as it stands now").click()
    expect(page.locator("dl.facts")).to_contain_text("petra (steward")


def picture(page: Page, name: str) -> None:
    """`CONSOLE_PICTURES` names a folder for pictures of the pages, for whoever wants to look at them."""
    if folder := os.environ.get("CONSOLE_PICTURES"):
        page.screenshot(path=Path(folder) / f"{re.sub('[^a-z]+', '-', name)[:60]}.png", full_page=True)


def test_a_text_that_no_row_can_have_is_no_fault_of_the_database(person: Meet) -> None:
    ada = person("ada", viewport=WIDE)
    ada.open("/")
    answer = ada.page.context.request.get(f"{ada.console.url}/ledger?plugin_id=a%00b")
    assert answer.status == 422
    assert "U+0000" in answer.text()


class Keyboard:
    """Reaches everything by Tab, as somebody does who has no mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def reach(self, selector: str) -> None:
        for _ in range(80):
            self.page.keyboard.press("Tab")
            if self.page.locator(f"{selector}:focus").count():
                return
        raise AssertionError(f"Tab never reaches {selector}")

    def write(self, selector: str, text: str) -> None:
        self.reach(selector)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)

    def press(self, selector: str, key: str = "Enter") -> None:
        self.reach(selector)
        self.page.keyboard.press(key)

    def log_in(self, person: Person) -> None:
        code = self.page.locator("small b").inner_text()
        self.reach("input[name=person]")
        for _ in range(8):
            if self.page.locator(f"input[value={person.subject}]:checked").count():
                break
            self.page.keyboard.press("ArrowDown")
        self.write("input[name=code]", code)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(person.console.url + "/**")


def test_blocked_and_excepted_by_keyboard_without_script(person: Meet) -> None:
    """Every action is a form, and every control is reached by Tab."""
    alice = person("alice", viewport=WIDE, java_script_enabled=False)
    page, keys = alice.page, Keyboard(alice.page)
    page.goto(alice.console.url + "/check")
    keys.log_in(alice)
    page.wait_for_url("**/check")
    keys.write("textarea[name=manifest]", (PLUGINS / "inventory-sync-1.5.0.yaml").read_text())
    keys.write("input[name=host]", "corex@1.9.0")
    keys.write("textarea[name=installed]", "com.powerx.plugins.crm@0.6.0")
    keys.write("textarea[name=runtimes]", "go@1.22")
    keys.write("input[name=environment]", "by-keyboard")
    keys.write("input[name=target]", "warehouse-1")
    keys.press("button.main")
    expect(page.locator("h1")).to_contain_text("Blocked")
    keys.press("a.button")
    keys.write("textarea[name=risk]", RISK)
    keys.press("button.main")
    page.wait_for_url("**/exceptions/*")
    exception = re.findall(r"exceptions/([^?]+)", page.url)[0]
    expect(page.get_by_text("You cannot decide this step")).to_be_visible(timeout=30_000)

    for name in ("petra", "sabine"):
        approve_by_keyboard(person(name, viewport=WIDE, java_script_enabled=False), exception)

    page, keys = alice.page, Keyboard(alice.page)
    page.goto(f"{alice.console.url}/exceptions/{exception}")
    keys.press("a.button")
    page.wait_for_url("**/check?*")
    keys.write("textarea[name=acknowledge_risk]", RISK)
    keys.press("button.main")
    expect(page.locator("h1")).to_contain_text("Allowed by exception")


def approve_by_keyboard(person: Person, exception: str) -> None:
    page, keys = person.page, Keyboard(person.page)
    page.goto(f"{person.console.url}/exceptions/{exception}")
    keys.log_in(person)
    keys.write("textarea[name=reason]", "seen")
    keys.press("button[value=approve]")
    page.wait_for_url("**/decisions/*")
    keys.press("button.main")
    page.wait_for_url(f"{person.console.provider.url}/**")
    keys.log_in(person)
    expect(page.get_by_role("status")).to_contain_text("Your decision counts")


def test_hostile_text_in_every_field_is_shown_and_never_obeyed(
    person: Meet, console: Console, tmp_path: Path
) -> None:
    """Nothing runs, nothing is refused by policy or fetched, and no page grows wider than its window."""
    alice, petra, ada = (person(name, viewport=NARROW) for name in ("alice", "petra", "ada"))
    page = alice.open("/check")
    page.locator("textarea[name=manifest]").fill(json.dumps(HOSTILE_PLUGIN))
    page.get_by_label("Name of that file").fill("plugin.json")
    page.get_by_label("Host", exact=True).fill("corex@1.9.0")
    page.get_by_label("Installed plugins, one a line").fill(f"{HOSTILE[6]}@1.0.0")
    page.get_by_label("Runtimes, one a line").fill("go@1.22")
    page.get_by_label("Environment").fill(HOSTILE[0])
    page.get_by_label("Installation, such as a cluster").fill(" ".join(HOSTILE[:6])[:200])
    page.get_by_role("button", name="Check").click()
    page.wait_for_url("**/requests/*")
    request_id = page.url.rpartition("/")[2]
    fits(page)
    page.get_by_role("link", name="Ask for an exception").click()
    page.locator("textarea[name=risk]").first.fill("short")
    page.locator("textarea[name=controls]").fill("\n".join(HOSTILE))
    page.get_by_role("button", name="Ask for the exception").click()
    expect(page.locator("textarea[name=controls]")).to_have_value("\n".join(HOSTILE))
    fits(page)
    page.locator("textarea[name=risk]").first.fill("\n".join(HOSTILE[:7]))
    page.locator("textarea[name=controls]").fill("\n".join(HOSTILE[:7]))
    fits(page)
    page.get_by_role("button", name="Ask for the exception").click()
    page.wait_for_url("**/exceptions/*")
    exception = re.findall(r"exceptions/([^?]+)", page.url)[0]
    expect(page.get_by_text("You cannot decide this step")).to_be_visible(timeout=30_000)

    for path in (
        "/",
        f"/requests/{request_id}",
        f"/requests/{request_id}/asked",
        f"/requests/{request_id}/exception",
        f"/check?again={request_id}",
        f"/check?again={request_id}&exception={exception}",
        f"/check?again={request_id}&plan=0",
        f"/exceptions/{exception}",
        "/exceptions?everything=true",
        "/live",
        "/matrix",
        *(f"/requests/{httpx.QueryParams(x=text)}" for text in HOSTILE[:4]),
        *(f"/findings/{httpx.QueryParams(x=text)}" for text in HOSTILE[:4]),
        *(f"/search?{httpx.QueryParams(of=text)}" for text in HOSTILE),
        *(
            f"{path}?{httpx.QueryParams(plugin=HOSTILE[1], where=HOSTILE[0], state=HOSTILE[5])}"
            for path in ("/live", "/exceptions")
        ),
        f"/login/done?{httpx.QueryParams(error=HOSTILE[0], state=HOSTILE[1])}",
    ):
        fits(alice.open(path))
    (tmp_path / "new.yaml").write_text(json.dumps(HOSTILE_MATRIX))
    page = alice.open("/matrix")
    page.set_input_files("input[name=matrix]", tmp_path / "new.yaml")
    page.get_by_role("button", name="Show what it would change").click()
    page.wait_for_load_state()
    fits(page)

    fits(petra.open("/"))
    page = petra.open(f"/exceptions/{exception}")
    page.locator("textarea[name=reason]").fill(" ".join(HOSTILE))
    page.get_by_role("button", name="Approve").click()
    page.wait_for_url("**/decisions/*")
    fits(page)

    page = ada.open(
        f"/ledger?{httpx.QueryParams(plugin_id=HOSTILE[1], operator=HOSTILE[5], request_id=HOSTILE[0])}"
    )
    expect(page.locator("input[name=operator]")).to_have_value(HOSTILE[5])
    fits(page)
    eventually(lambda: ada.open(f"/ledger/cases/{exception}").locator("ol.events li").count() > 1)
    for path in (
        f"/ledger/cases/{exception}",
        f"/ledger?{httpx.QueryParams(exception_id=exception)}",
        "/deliveries",
    ):
        fits(ada.open(path))


def fits(page: Page) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} px too wide"
    assert page.evaluate("document.querySelectorAll('main script, main img, main svg, main [onerror]').length") == 0


def test_results_come_by_themselves_and_wait_while_paused(person: Meet) -> None:
    alice, rita = person("alice", viewport=WIDE), person("petra", viewport=WIDE)
    page = rita.open("/live")
    expect(page.locator("#connection")).to_have_text("Live")
    first = check_case_c_1(alice, "live")
    expect(page.locator(f"#lines a[href='/requests/{first}']")).to_be_visible()
    expect(page.locator("#lag")).to_contain_text("after it was given")
    page.get_by_role("button", name="Pause").click()
    second = check_case_c_1(alice, "live")
    expect(page.locator("#connection")).to_have_text("Paused; 1 new")
    expect(page.locator(f"#lines a[href='/requests/{second}']")).to_have_count(0)
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(f"#lines a[href='/requests/{second}']")).to_be_visible()


def test_a_matrix_shows_what_it_would_change(person: Meet, console: Console, tmp_path: Path) -> None:
    """The release that was blocked for its host would be blocked by governance too; nothing is published."""
    alice = person("alice", viewport=WIDE)
    check_case_c_1(alice, "impact")
    text = (console.config / "compat_matrix.yaml").read_text()
    (tmp_path / "new.yaml").write_text(re.sub(r'("?)2026\.11-1\1', '"2026.11-2"', text))
    page = alice.open("/matrix")
    expect(page.get_by_role("cell", name="governance", exact=True)).to_be_visible()
    page.set_input_files("input[name=matrix]", tmp_path / "new.yaml")
    page.get_by_role("button", name="Show what it would change").click()
    expect(page.get_by_role("status")).to_contain_text("were asked again")
    picture(page, "impact")
    (tmp_path / "bad.yaml").write_text("version: 1\nsource: [")
    page = alice.open("/matrix")
    page.set_input_files("input[name=matrix]", tmp_path / "bad.yaml")
    page.get_by_role("button", name="Show what it would change").click()
    expect(page.get_by_role("heading", name="It must not be published")).to_be_visible()


def test_every_page_can_be_read_by_everybody(person: Meet) -> None:
    """No violation of WCAG 2.2 AA that axe finds, narrow and light or wide and dark."""
    alice = person("alice", viewport=NARROW, bypass_csp=True)
    report = f"/requests/{check_case_c_1(alice, 'axe')}"
    ada = person("ada", viewport=NARROW, bypass_csp=True)
    asking = f"{report}/exception"
    for path in ("/", "/check", report, asking, f"{report}/asked", *PAGES):
        audit(alice.open(path), path)
    page = alice.open(asking)
    page.locator("textarea[name=risk]").first.fill("short")
    page.get_by_role("button", name="Ask for the exception").click()
    audit(page, "refused form")
    page.locator("textarea[name=risk]").first.fill(RISK)
    page.get_by_role("button", name="Ask for the exception").click()
    expect(page.get_by_text("You cannot decide this step")).to_be_visible()
    exception = re.findall(r"exceptions/([^?]+)", page.url)[0]
    petra = person("petra", viewport=NARROW, bypass_csp=True)
    audit(petra.open("/"), "start of who decides")
    page = petra.open(f"/exceptions/{exception}")
    audit(page, "exception to decide")
    page.get_by_role("button", name="Approve").click()
    audit(page, "what is signed")
    for path in ("/ledger", f"/ledger?exception_id={exception}", f"/ledger/cases/{exception}", "/deliveries"):
        audit(ada.open(path), path)
    page = ada.open("/ledger")
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("status")).to_contain_text("rows and")
    audit(page, "verified")


def audit(page: Page, path: str) -> None:
    """By axe, in both widths and schemes, and its size. A page is loaded once: style sheets alone differ."""
    assert len(page.content().encode()) < LARGEST_PAGE
    page.evaluate(AXE_SCRIPT)
    for scheme, size in LOOKS.items():
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        picture(page, f"{path}-{scheme}")
        found = AxeResults(page.evaluate("options => axe.run(options)", AXE))
        assert not found.response["violations"], f"{path}, {scheme}: {found.generate_report()}"


def test_a_login_that_is_about_to_end_says_so_and_can_be_kept(person: Meet) -> None:
    """In words that a screen reader speaks, by mouse or keyboard, and without leaving what is being typed."""
    alice = person("alice", viewport=WIDE)
    alice.page.clock.install()
    page = alice.open("/check")
    page.get_by_label("Environment").fill("half typed")
    warning = page.get_by_role("alert")
    with page.expect_response("**/session") as asked:
        page.clock.fast_forward("26:00")
    assert asked.value.json()["left"] > 25 * 60  # this clock runs ahead: the gateway says that there is time
    expect(warning).to_be_hidden()

    alice.context.set_offline(True)
    page.clock.fast_forward("26:00")
    page.clock.run_for(2_000)
    expect(warning).to_contain_text("You are logged out in 4 min, unless you stay")
    picture(page, "session")
    alice.context.set_offline(False)
    page.get_by_role("button", name="Stay logged in").press("Enter")
    expect(warning).to_be_hidden()
    expect(page.get_by_label("Environment")).to_have_value("half typed")

    alice.context.set_offline(True)
    page.clock.fast_forward("31:00")
    page.clock.run_for(2_000)
    expect(warning).to_contain_text("You are logged out. What you have typed is still here")
    expect(page.get_by_role("link", name="Log in again, in a new tab")).to_be_visible()
    alice.faults.clear()  # the browser says of itself that it was offline


def test_without_script_the_end_of_a_login_stands_on_the_page(person: Meet) -> None:
    page = person("alice", viewport=WIDE, java_script_enabled=False).open("/check")

    expect(page.get_by_role("contentinfo")).to_contain_text("You stay logged in until")


def test_a_second_click_on_the_same_form_asks_nothing_twice(person: Meet, console: Console) -> None:
    """And who goes back and changes an answer asks something else."""
    page = person("alice", viewport=WIDE).open("/check")
    manifest = (PLUGINS / "inventory-sync-1.5.0.yaml").read_text("utf-8")
    fields = {"key": page.locator("input[name=key]").get_attribute("value") or "", "manifest": manifest,
              "host": "corex@1.9.0", "runtimes": "go@1.22", "environment": "twice"}  # fmt: skip

    def asked(target: str) -> str:
        answer = page.context.request.post(
            f"{console.url}/check",
            multipart={**fields, "target": target},
            headers={"Origin": console.url},
            max_redirects=0,
        )
        assert answer.status == 303, answer.text()
        return answer.headers["location"]

    assert asked("cluster-1") == asked("cluster-1") != asked("cluster-2")


def test_a_form_from_another_site_does_nothing(console: Console) -> None:
    """Without a browser: what one says of where a form came from decides."""
    address = f"{console.url}/logout"
    foreign = ({}, *({"Sec-Fetch-Site": site} for site in ("cross-site", "same-site", "none")),
               *({"Origin": origin} for origin in ("https://attacker.example", "null")))  # fmt: skip
    for headers in foreign:
        assert web.post(address, headers=headers).status_code == 403, headers
    assert web.post(address, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303
    assert web.post(address, headers={"Origin": console.url}).status_code == 303


def test_a_login_that_was_not_begun_here_logs_nobody_in(console: Console) -> None:
    for query in ("", "?state=x&code=y", "?state=x&error=access_denied"):
        answer = web.get(f"{console.url}/login/done{query}")
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers or "guard-session" not in answer.headers["set-cookie"]


def test_the_way_back_from_a_login_is_ours_alone(console: Console) -> None:
    for back in ("https://attacker.example", "//attacker.example", "/ledger"):
        sent = web.get(f"{console.url}/login", params={"back": back})
        assert sent.headers["location"].startswith(console.provider.url)
    page = web.get(f"{console.url}/ledger?plugin_id=x")
    assert page.headers["location"].startswith("/login?back=")
