"""An auditor's search that takes long is ended, says how to narrow it, and keeps nobody else waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from processors.configuration.settings import settings
from processors.errors import QueryTooLong
from processors.gateway.api import ledger
from processors.gateway.auth.principal import Principal
from processors.gateway.desk import MOST_AUDITING_EACH, READERS, Desk
from processors.gateway.mailbox import Crowded
from processors.gateway.problems import Problem

ADA = Principal("issuer", "ada", frozenset({"acme"}), frozenset())


def desk() -> Desk:
    unused = cast(Any, None)
    return Desk(settings=unused, config=unused, events=unused, outbox=unused, gate=unused, keys=unused)


def reads(monkeypatch: pytest.MonkeyPatch, read: Callable[[], Any]) -> None:
    def reading(_: object) -> Any:
        return read()

    monkeypatch.setattr(ledger, "_reading", reading)


def test_a_search_that_takes_too_long_says_how_to_narrow_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> Any:
        raise QueryTooLong("the ledger did not answer within 3 s")

    reads(monkeypatch, read)
    with pytest.raises(Problem, match="a plugin, a request or an exception") as refused:
        asyncio.run(ledger.ledger_events(desk(), ADA, environment="nowhere", limit=50))
    assert (refused.value.kind.name, refused.value.kind.status) == ("too-broad", 422)


def test_a_search_by_name_without_the_keys_asks_for_the_pseudonym(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GUARD_LEDGER__KEYS", str(tmp_path / "none.json"))
    settings.cache_clear()
    try:
        for who in ({"approver": "alice"}, {"operator": "alice"}):
            with pytest.raises(Problem, match="search for the pseudonym") as refused:
                asyncio.run(ledger.ledger_events(desk(), ADA, limit=50, **who))
            assert (refused.value.kind.name, refused.value.kind.status) == ("pseudonym-needed", 422)
    finally:
        settings.cache_clear()


def test_searches_take_no_thread_from_whoever_reads_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def read() -> Any:
        go_on.wait(10)
        return []

    async def scene() -> None:
        at = desk()
        auditors = [replace(ADA, subject=f"auditor-{caller}") for caller in range(READERS)]
        searches = [
            asyncio.ensure_future(ledger.ledger_events(at, who, limit=50))
            for who in auditors
            for _ in range(MOST_AUDITING_EACH)
        ]
        await asyncio.sleep(0.1)
        with pytest.raises(Crowded):
            await ledger.ledger_events(at, replace(ADA, subject="auditor-0"), limit=50)
        assert await asyncio.wait_for(at.read(lambda: "served"), 5) == "served"
        go_on.set()
        await asyncio.gather(*searches)
        at.close()

    reads(monkeypatch, read)
    asyncio.run(asyncio.wait_for(scene(), 20))
