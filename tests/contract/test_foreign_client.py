"""A client that shares nothing with us but the contract gets its answer from a checker in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from examples import commands
from examples.foreign_client import ForeignClient, Listener

from processors.embedded import Addresses

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def guard(guarded: Addresses) -> Iterator[None]:
    """A checker that runs."""
    environment = {
        **os.environ,
        "GUARD_KAFKA__BOOTSTRAP": guarded.bootstrap,
        "GUARD_REGISTRY__URL": guarded.registry,
    }
    checker = commands.start("run", "checker", environment=environment)
    yield
    checker.terminate()
    assert checker.wait(60) == 0


@pytest.fixture
def client(guarded: Addresses, guard: None) -> ForeignClient:
    return ForeignClient(ROOT, guarded.bootstrap, guarded.registry)


@pytest.fixture
def listener(client: ForeignClient) -> Iterator[Listener]:
    found = client.listen("CompatibilityChecked", "InstallBlocked")
    yield found
    found.close()


def a_request(plugin: str, **subject: Any) -> dict[str, Any]:
    """Only what the schema has no default for, and what the test is about."""
    host = {"name": "corex", "version": "1.9.0"}
    manifest = {"id": plugin, "version": "1.5.0", "host_range": ">=2.0.0"}
    return {
        "request_id": str(uuid.uuid4()),
        "requested_at": int(time.time() * 1000),
        "action": "INSTALL",
        "subject": {"manifest": manifest, "host": host, **subject},
    }


def results(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [answer for answer in answers if "result_id" in answer]


def blocks(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [answer for answer in answers if "block_id" in answer]


def test_a_request_is_answered_whatever_partition_it_was_put_on(client: ForeignClient, listener: Listener) -> None:
    """Each request gets its verdict and its block, though its key hashes to another partition than with us."""
    requests = [a_request(f"plugin-{number}") for number in range(8)]
    for request in requests:
        client.publish("InstallRequested", request["subject"]["manifest"]["id"], request)

    for request in requests:
        answers = listener.answers(request["request_id"], count=2)
        (result,), (block,) = results(answers), blocks(answers)
        assert result["verdict"] == "BLOCK"
        assert result["plugin_id"] == request["subject"]["manifest"]["id"]
        assert "HOST_TOO_OLD" in {finding["code"] for finding in result["report"]["findings"]}
        assert block["report_digest"] == result["report_digest"]


def test_the_digest_of_a_report_can_be_recomputed_from_the_contract(
    client: ForeignClient, listener: Listener
) -> None:
    """An approval names the digest, so whoever approves must be able to check what it stands for."""
    request = a_request("a-plugin")
    client.publish("InstallRequested", "a-plugin", request)

    (result,) = results(listener.answers(request["request_id"], count=2))

    assert client.digest("CompatibilityChecked", "report", result) == result["report_digest"]


def test_a_request_that_is_sent_again_has_the_same_answer(client: ForeignClient, listener: Listener) -> None:
    """A sender that heard nothing may repeat itself: consumers keep one, by its id."""
    request = a_request("a-plugin")
    for _ in range(2):
        client.publish("InstallRequested", "a-plugin", request)

    answers = listener.answers(request["request_id"], count=4)

    assert len(results(answers)) == len(blocks(answers)) == 2
    assert len({result["result_id"] for result in results(answers)}) == 1
    assert len({block["block_id"] for block in blocks(answers)}) == 1


def test_the_client_of_the_page_runs_as_it_stands(guarded: Addresses, guard: None, tmp_path: Path) -> None:
    """It needs two libraries and the addresses, and nothing of ours."""
    (script,) = re.findall(r"```python\n(.*?)```", (ROOT / "schemas" / "CLIENT.md").read_text("utf-8"), re.DOTALL)
    (tmp_path / "ask.py").write_text(script, "utf-8")

    done = subprocess.run(
        [sys.executable, "ask.py", guarded.bootstrap, guarded.registry],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": "", "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stdout.split()[0]) == (1, "BLOCK"), done.stderr
