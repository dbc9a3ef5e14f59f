from __future__ import annotations

from collections.abc import Iterator

import pytest
from examples import commands
from examples.consoles import CHROMIUM, NO_CHROMIUM, Console, Person, chromium
from examples.gateways import ROOT
from playwright.sync_api import Browser

from processors.embedded import Addresses

PROCESSORS = ("checker", "exception-workflow", "ledger")


@pytest.fixture(scope="module")
def console(guarded: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """The guard with a gateway that people log in to, and the sample matrix made one's own."""
    console = Console(guarded, tmp_path_factory.mktemp("console"))
    for words in (
        ("ledger", "migrate"),
        ("ledger", "keys"),
        ("matrix", "publish", str(console.config / "compat_matrix.yaml")),
    ):
        done = commands.run(*words, environment=console.environment)
        assert done.returncode == 0, done.stderr
    with (console.folder / "processors.log").open("ab") as log:
        started = [
            commands.start("run", name, environment=console.environment, log=log, cwd=ROOT) for name in PROCESSORS
        ]
        try:
            with console.running():
                yield console
        finally:
            for process in started:
                process.terminate()
            for process in started:
                process.wait(60)
            console.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    with chromium() as browser:
        yield browser


@pytest.fixture
def person(console: Console, browser: Browser) -> Iterator[type]:
    """People in browsers of their own, none of which may have met anything that was refused or foreign."""
    met: list[Person] = []

    def meet(subject: str, **options: object) -> Person:
        met.append(Person(console, browser, subject, **options))
        return met[-1]

    yield meet  # pyright: ignore[reportReturnType]
    for one in met:
        faults = one.faults
        one.close()
        assert not faults
