"""A gateway whose broker goes away and comes back: callers are told at once, and answered again by themselves."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from pathlib import Path

import httpx
import pytest
from examples.checkers import Desk
from examples.gateways import Edge, Provider, ask
from examples.ground import eventually

from processors.embedded import Stack

LONG = os.environ.get("GUARD_CHAOS") == "long"
pytestmark = [pytest.mark.stack, pytest.mark.chaos]


@pytest.mark.timeout(300)
def test_a_broker_that_is_away_is_told_within_three_seconds(own: Stack, desk: Desk, tmp_path: Path) -> None:
    """And a caller who comes again under the same key gets the verdict, once it is back."""
    with Provider(tmp_path) as provider:
        edge = Edge(own.addresses, tmp_path, provider)
        done = edge.run("matrix", "publish", shutil.copy("config/compat_matrix.yaml", tmp_path))
        assert done.returncode == 0, done.stderr
        with edge.processor("checker"), edge.gateways() as (gateway,):
            key = str(uuid.uuid4())
            assert ask(gateway.url).status_code == 200
            own.kafka.kill()
            try:
                took, refused = zip(*(timed(gateway.url, key) for _ in range(3)), strict=True)
                eventually(lambda: not gateway.ready(), 60)
            finally:
                own.kafka.start()
            eventually(gateway.ready, 90)
            eventually(lambda: ask(gateway.url, key=key).status_code == 200, 90)
    desk.guard.forget_matrix_and_policies()

    print(f"503 after {', '.join(f'{seconds:.2f} s' for seconds in took)}")
    assert [one.status_code for one in refused] == [503] * 3
    assert all(2 <= int(one.headers["retry-after"]) <= 8 for one in refused)
    assert max(took) < 3 or not LONG


def timed(url: str, key: str) -> tuple[float, httpx.Response]:
    began = time.monotonic()
    answer = ask(url, key=key)
    return time.monotonic() - began, answer
