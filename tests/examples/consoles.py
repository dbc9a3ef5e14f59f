"""The console as a person meets it: a gateway with an identity provider, and a real browser in front of it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from examples.gateways import PLUGINS, Replica
from examples.ground import eventually
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from processors.cli.demo.commands import environment_of
from processors.cli.demo.console import PASSWORD, PEOPLE, configure
from processors.configuration.settings import shipped
from processors.embedded import Addresses
from processors.embedded.identity import IdentityProvider
from processors.embedded.ports import free_port

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first has no window to draw, and takes a third of the processor time."""
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
NO_CHROMIUM = "there is no Chromium; `apt-get install chromium-headless-shell` brings one"
expect.set_options(timeout=30_000)  # a busy machine is no fault
RISK = "The warehouse stands still without it, and the host is upgraded on Friday."


class Console:
    """A gateway with pages. `faults` are what browsers reported: refused by policy, foreign, or failed."""

    def __init__(self, stack: Addresses, folder: Path) -> None:
        self._closing = ExitStack()
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.provider = self._closing.enter_context(IdentityProvider(folder, self.url, PEOPLE, PASSWORD))
        self.config = configure(shipped("config"), folder, gateway=self.url, provider=self.provider.url)
        self.environment = {
            **os.environ,
            **environment_of(stack),
            "GUARD_CONFIG": str(self.config),
            "GUARD_HEALTH_PORT": "0",
            "GUARD_DEVELOPMENT": str(folder / "development"),
            "GUARD_GATEWAY__SIGNING_KEYS": str(self.config / "gateway-keys.json"),
            "GUARD_LEDGER__KEYS": str(folder / "ledger-keys.json"),
        }

    @contextmanager
    def running(self) -> Iterator[Console]:
        replica = Replica(self.environment, self.folder / "gateway.log", port=self.port)
        try:
            eventually(replica.ready, 60)
            yield self
        finally:
            code = replica.stop()
        assert code == 0, f"the gateway ended with {code}: {(self.folder / 'gateway.log').read_text()[-4000:]}"

    def close(self) -> None:
        self._closing.close()


class Person:
    """Somebody in a browser of their own. Fails at whatever the browser refuses or fetches from elsewhere."""

    def __init__(self, console: Console, browser: Browser, subject: str, **options: Any) -> None:
        self.console, self.subject = console, subject
        self.context: BrowserContext = browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("console", lambda said: self._said(said.type, said.text))
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("dialog", self._dialog)
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("requestfailed", lambda request: self._failed(request.url, str(request.failure)))

    def open(self, path: str = "/") -> Page:
        """A page of the console, logged in if need be."""
        self.page.goto(self.console.url + path)
        if self.page.url.startswith(self.console.provider.url):
            self.log_in()
        return self.page

    def log_in(self) -> None:
        """What people do at the identity provider: name, password, second factor."""
        self.page.locator(f"input[value={self.subject}]").check()
        self.page.fill("input[name=code]", self.page.locator("small b").inner_text())
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(self.console.url + "/**")

    def close(self) -> None:
        self.context.close()

    def _said(self, kind: str, text: str) -> None:
        if kind == "error" and not re.search("status of (4|503)", text):
            self.faults.append(f"{kind}: {text}")

    def _dialog(self, dialog: Any) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _failed(self, url: str, why: str) -> None:
        if "ERR_ABORTED" not in why:  # the page was left before it had everything
            self.faults.append(f"unanswered: {url}: {why}")

    def _asked(self, url: str) -> None:
        if not url.startswith((self.console.url, self.console.provider.url, "about:", "blob:")):
            self.faults.append(f"foreign: {url}")


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


def fill_in_question(page: Page, *, manifest: Path = PLUGINS / "inventory-sync-1.5.0.yaml", target: str) -> None:
    """Case C-1, as an administrator enters it."""
    page.set_input_files("input[name=manifest_file]", manifest)
    page.get_by_label("Host", exact=True).fill("corex@1.9.0")
    page.get_by_label("Installed plugins, one a line").fill("com.powerx.plugins.crm@0.6.0")
    page.get_by_label("Runtimes, one a line").fill("go@1.22\nnode@20.11")
    page.get_by_label("Installation, such as a cluster").fill(target)


def check_case_c_1(person: Person, environment: str) -> str:
    """Ask by mouse; gives the request's id."""
    page = person.open("/check")
    fill_in_question(page, target="warehouse-1")
    page.get_by_label("Environment").fill(environment)
    page.get_by_role("button", name="Check").click()
    page.wait_for_url("**/requests/*")
    return page.url.rpartition("/")[2]


__all__ = [
    "CHROMIUM",
    "NO_CHROMIUM",
    "RISK",
    "Console",
    "Person",
    "check_case_c_1",
    "chromium",
    "expect",
    "fill_in_question",
]
