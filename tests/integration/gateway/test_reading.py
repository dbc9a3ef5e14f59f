"""What readers and auditors see over HTTP: the matrix, results as they come, and the ledger with its proofs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from examples import web
from examples.gateways import Edge, Replica, ask, bearer
from examples.ground import eventually
from examples.guard import Guard
from examples.issuers import claims, token
from sqlalchemy import text

from processors.bootstrap.clients import stream_settings
from processors.events.topics import EXCEPTION_DECISIONS
from processors.ledger.database import connect, reading
from processors.ledger.samples import story
from processors.stream.io.publish import send
from processors.stream.types import Outbound

pytestmark = pytest.mark.stack

AUDITOR = bearer(token(claims("aude", roles=("auditor",))))
READER = bearer(token(claims("rita", roles=("reader",))))
FOREIGN_AUDITOR = bearer(token(claims("ines", roles=("auditor",), tenant="globex")))


@pytest.fixture(scope="module")
def gateway(audited: Edge) -> Iterator[Replica]:
    with audited.gateways() as (replica,):
        yield replica


def get(gateway: Replica, path: str, who: dict[str, str], **query: Any) -> httpx.Response:
    address = f"{gateway.url}/internal/{path}"
    return web.patiently(lambda: web.get(address, headers=who, params=query, timeout=60))


def test_a_reader_sees_how_fresh_the_matrix_is(gateway: Replica) -> None:
    shown = get(gateway, "matrix/status", READER)

    assert shown.status_code == 200, shown.text
    assert [source["source"] for source in shown.json()] == ["governance"]
    assert get(gateway, "matrix/status", AUDITOR).status_code == 403


def test_results_come_as_they_are_made_and_only_to_their_tenant(gateway: Replica) -> None:
    address, patience = f"{gateway.url}/internal/events", httpx.Timeout(10, read=60)
    with web.stream("GET", address, headers=READER, timeout=patience) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        assert next(lines).startswith(":")
        foreign = ask(gateway.url, headers=bearer(token(claims("gus", tenant="globex"))))
        asked = ask(gateway.url).json()
        data = next(line for line in lines if line.startswith("data: "))

    assert foreign.status_code == 200
    assert json.loads(data.removeprefix("data: "))["result"]["request_id"] == asked["request_id"]


def test_an_auditor_finds_a_case_and_takes_its_proof_along(audited: Edge, gateway: Replica, tmp_path: Path) -> None:
    asked = ask(gateway.url).json()

    def rows() -> list[dict[str, Any]]:
        found = get(gateway, "ledger/events", AUDITOR, request_id=asked["request_id"])
        assert found.status_code == 200, found.text
        return found.json()["events"]

    eventually(lambda: {"InstallRequested", "CompatibilityChecked"} <= {row["kind"] for row in rows()}, 60)
    story = get(gateway, f"ledger/cases/{asked['request_id']}", AUDITOR)
    assert story.status_code == 200, story.text
    assert all(event["story"] for event in story.json()["events"])
    (result,) = [row for row in rows() if row["kind"] == "CompatibilityChecked"]

    proofs: list[httpx.Response] = []

    def proved() -> bool:
        proofs.append(get(gateway, f"ledger/proof/{result['event_id']}", AUDITOR))
        assert proofs[-1].status_code in {200, 409}, proofs[-1].text
        if proofs[-1].status_code == 409:
            ask(gateway.url)  # a quiet ledger has an anchor only once a minute
        return proofs[-1].status_code == 200

    eventually(proved, 120)
    for waiting in proofs[:-1]:
        assert waiting.json()["type"].endswith("/not-anchored")
        assert 1 <= int(waiting.headers["retry-after"]) <= 60
        assert datetime.fromisoformat(waiting.json()["next_anchor"])
    (tmp_path / "proof.json").write_text(proofs[-1].text)
    checked = audited.run("ledger", "verify-proof", str(tmp_path / "proof.json"))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_text_that_no_row_can_have_is_refused_everywhere(audited: Edge, gateway: Replica) -> None:
    """It is the question that is wrong: neither the database nor the gateway."""
    for field in ("plugin_id", "host_version", "approver", "operator", "request_id", "exception_id", "approval_id"):
        refused = get(gateway, "ledger/events", AUDITOR, **{field: "a\0b"})
        assert refused.status_code == 422, (field, refused.text)
        assert "U+0000" in refused.json()["detail"]
    assert get(gateway, "ledger/cases/a%00b", AUDITOR).status_code == 404
    assert get(gateway, "ledger/proof/a%00b", AUDITOR).status_code == 404
    for words in (("search", "--plugin"), ("search", "--approver"), ("search", "--after"), ("show",), ("prove",)):
        done = audited.run("ledger", *words, os.fsdecode(b"a\xffb"))
        assert (done.returncode, done.stdout) == (2, ""), (words, done.stderr)
        assert "U+DCFF" in done.stderr


def test_a_number_that_no_column_holds_stops_no_ledger(audited: Edge, gateway: Replica) -> None:
    """Whoever may write the topic can make one: Avro writes numbers of 32 and of 64 bits alike."""
    guard, engine = Guard(audited.stack), connect(audited.stack.postgres, "guard_auditor")
    decided = next(sample for sample in story(1) if sample.topic == EXCEPTION_DECISIONS)
    huge = guard.codec.encoder(EXCEPTION_DECISIONS, decided.event)({**decided.value, "round": 2**40})
    at = send(stream_settings(guard.of), Outbound(EXCEPTION_DECISIONS, b"huge", huge))._asdict()
    where = 'topic = :topic AND partition = :partition AND "offset" = :offset'

    def refused() -> bool:
        with reading(engine) as connection:
            found = connection.execute(text(f"SELECT reason FROM ledger.quarantine WHERE {where}"), at)  # noqa: S608
            return found.scalars().all() == ["unreadable_body"]

    try:
        asked = ask(gateway.url).json()
        eventually(refused, 30)
        eventually(lambda: get(gateway, f"ledger/cases/{asked['request_id']}", AUDITOR).status_code == 200, 30)
    finally:
        guard.ground.forget_below(EXCEPTION_DECISIONS, at["partition"], at["offset"] + 1)
        guard.close()
        engine.dispose()


def test_the_ledger_is_for_auditors_of_the_tenant(gateway: Replica) -> None:
    asked = ask(gateway.url).json()

    assert get(gateway, "ledger/events", READER).status_code == 403
    assert get(gateway, f"ledger/cases/{asked['request_id']}", FOREIGN_AUDITOR).status_code == 404
    assert get(gateway, "ledger/events", FOREIGN_AUDITOR, tenant="acme").status_code in {403, 404}
    assert get(gateway, "ledger/events", AUDITOR, cursor="forged").status_code == 400
