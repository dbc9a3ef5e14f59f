"""A process whose clock is wrong: it passes nothing that has expired, and ends nothing whose time has not come."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import httpx
import pytest
from examples import web
from examples.checkers import Desk, a_request
from examples.exceptions import BOB, DAY, HOUR, SABINE, SCOPE, public_jwk
from examples.ground import eventually
from examples.guard import Guard, now
from examples.matrices import a_document, a_rule
from examples.trust import said

from processors.bootstrap.trust import signer
from processors.cli.demo.commands import environment_of
from processors.client.matrix_topic import refresh_records
from processors.embedded import Addresses
from processors.embedded.ports import HOST, ports_of
from processors.events.exceptions import Scope
from processors.events.topics import APPROVAL_DECISIONS, EXCEPTION_REQUESTS, MATRIX_REFRESHES

pytestmark = pytest.mark.stack

HERE = Path(__file__).parent
WORKER = HERE.parent / "chaos" / "exception_worker.py"


@pytest.fixture(scope="module")
def guard(guarded: Addresses) -> Iterator[Guard]:
    guard = Guard(guarded)
    yield guard
    guard.close()


def test_an_hour_behind_an_expired_matrix_still_blocks(guard: Guard, guarded: Addresses, tmp_path: Path) -> None:
    """It expired seconds ago, by the broker's clock; by the checker's it has most of an hour left."""
    desk = Desk(guard)
    issued = now() - DAY + 1000
    document = a_document(a_rule("com.acme.crm", "allow"))
    encode = guard.codec.encoder(MATRIX_REFRESHES, "MatrixRefreshed")
    signed = said(document, issued, serial=now(), by=signer(guard.of))
    guard.ground.write(MATRIX_REFRESHES, [(r.key, r.value) for r in refresh_records(document, signed, encode)])
    eventually(lambda: now() > issued + DAY)

    with wrong(-HOUR, ["-m", "processors.cli", "run", "checker"], guarded, tmp_path) as port:
        answers = desk.ask(a_request())
        skew = skew_of(port)
    desk.close()

    assert answers.result["verdict"] == "BLOCK"
    assert "MATRIX_EXPIRED" in answers.codes
    assert skew == pytest.approx(-3600, abs=30)


def test_eight_days_ahead_nothing_lapses_or_expires(guard: Guard, guarded: Addresses, tmp_path: Path) -> None:
    """One exception waits for its approvers, and one is approved. Once the clock is right both are as they were."""
    waiting, approved = (SCOPE._replace(tenant=uuid.uuid4().hex[:8]) for _ in range(2))
    with guard.answering(), guard.workflow():
        for scope in (waiting, approved):
            guard.send(EXCEPTION_REQUESTS, scope.exception_id, guard.events.command(scope))
        for person in (BOB, SABINE):
            decision = guard.events.decision(person, now(), approved)
            guard.send(APPROVAL_DECISIONS, approved.exception_id, decision)
        eventually(lambda: "review_opened" in events(guard, waiting) and "approved" in events(guard, approved))
    before = events(guard, waiting), events(guard, approved)

    keys = json.dumps({"keys": [public_jwk("tool-1")]})
    port = ports_of(tmp_path / "ports.json").kafka
    settings = replace(guard.ground.settings, seals=None, health_port=port)
    with wrong(8 * DAY, [str(WORKER), json.dumps(asdict(settings)), keys], guarded, tmp_path, port):
        eventually(lambda: skew_of(port) > 7 * DAY / 1000)
        bystander = SCOPE._replace(tenant=uuid.uuid4().hex[:8])
        guard.send(EXCEPTION_REQUESTS, bystander.exception_id, guard.events.command(bystander))
        eventually(lambda: events(guard, bystander))

    assert (events(guard, waiting), events(guard, approved)) == before


def events(guard: Guard, scope: Scope) -> list[str]:
    return [decided["event"] for decided in guard.decided(scope.exception_id)]


@contextmanager
def wrong(
    ahead: int, command: Sequence[str], addresses: Addresses, folder: Path, port: int | None = None
) -> Iterator[int]:
    """A process whose clock is so many milliseconds ahead, once it is ready; gives the port of its health."""
    port = port or ports_of(folder / "ports.json").kafka
    path = os.pathsep.join([str(HERE.parent), str(HERE.parents[1])])
    variables = {**environment_of(addresses), "GUARD_HEALTH_PORT": str(port), "PYTHONPATH": path}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(HERE / "wrong_clock.py"), str(ahead), *command],
            env=os.environ | variables,
            stdout=log,
            stderr=log,
        )
        try:
            eventually(lambda: answers(port, "readyz"))
            yield port
        finally:
            process.terminate()
            process.wait(60)


def answers(port: int, page: str) -> str:
    """What a page of its health says; empty as long as it does not answer with 200."""
    try:
        answer = web.get(f"http://{HOST}:{port}/{page}", trust_env=False, timeout=5)
    except httpx.HTTPError:
        return ""
    return answer.text if answer.status_code == 200 else ""


def skew_of(port: int) -> float:
    """By how many seconds the process says that its clock is ahead of the broker's."""
    found = re.search(r"^compat_stream_clock_skew_seconds\{.*\} (\S+)$", answers(port, "metrics"), re.M)
    assert found is not None
    return float(found[1])
