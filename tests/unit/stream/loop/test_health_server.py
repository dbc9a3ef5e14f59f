"""What probes and scrapes are answered, whoever else is connected."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack

import pytest
from examples import web

from processors.stream.loop import health_server
from processors.stream.loop.health import Health
from processors.stream.loop.health_server import HealthServer


@pytest.mark.parametrize(
    ("path", "status"),
    [("/healthz", 200), ("/readyz", 503), ("/metrics", 200), ("/", 404), ("/../etc/passwd", 404)],
)
def test_health_is_served_on_loopback(path: str, status: int) -> None:
    with HealthServer(Health("checker"), "127.0.0.1", 0) as server:
        answer = web.get(f"http://127.0.0.1:{server.port}{path}")

    assert answer.status_code == status


def test_a_probe_shows_what_is_missing() -> None:
    health = Health("checker")
    health.waiting = "BrokerUnavailable"
    with HealthServer(health, "127.0.0.1", 0) as server:
        facts = web.get(f"http://127.0.0.1:{server.port}/readyz").json()

    assert facts["waiting"] == "BrokerUnavailable"
    assert facts["tables_loaded"] is False


def test_a_client_that_is_silent_is_let_go(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """And is no fault of ours that anybody has to read about."""
    monkeypatch.setattr(health_server._Handler, "timeout", 0.2)
    with (
        HealthServer(Health("checker"), "127.0.0.1", 0) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=30) as silent,
    ):
        silent.send(b"GET /healthz")
        assert silent.recv(1) == b""

    assert capfd.readouterr().err == ""


def test_a_probe_is_answered_beside_any_number_of_silent_clients() -> None:
    """The oldest makes room, long before its time is over."""
    with HealthServer(Health("checker"), "127.0.0.1", 0) as server, ExitStack() as connected:
        began, address = time.monotonic(), ("127.0.0.1", server.port)
        silent = [
            connected.enter_context(socket.create_connection(address, timeout=30))
            for _ in range(3 * health_server.MOST)
        ]
        assert web.get(f"http://127.0.0.1:{server.port}/healthz").status_code == 200
        assert silent[0].recv(1) == b""
        assert time.monotonic() < began + health_server.PATIENCE


def test_health_is_served_over_ip_version_6() -> None:
    with HealthServer(Health("checker"), "::1", 0) as server:
        assert web.get(f"http://[::1]:{server.port}/healthz").status_code == 200
