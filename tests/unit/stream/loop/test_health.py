"""What a supervisor is told."""

import time

import pytest
from examples import web
from prometheus_client import REGISTRY

from processors.stream.loop.health import Health, HealthServer


def test_readiness_is_assigned_restored_loaded_and_not_waiting() -> None:
    """Alive is less: a process that waits for its broker must not be restarted."""
    health = Health("checker")
    assert (health.alive, health.ready) == (True, False)

    health.tables_loaded = health.assigned = health.restored = True
    assert not health.ready, "it has not taken a turn yet"

    health.moved()
    assert health.ready

    health.stands_still()
    assert (health.alive, health.ready) == (True, False)

    health.moved()

    health.waiting = "RegistryUnavailable"
    assert (health.alive, health.ready) == (True, False)

    health.waiting = None
    health.beat(-1)  # moved a moment ago, and hangs since
    assert (health.alive, health.moving, health.ready) == (False, True, False)


def test_a_process_that_has_just_started_is_not_stuck() -> None:
    """Its loop has not come round yet, and nobody may take that for a loop that stands still."""
    assert Health("t-young").alive

    beat = REGISTRY.get_sample_value("compat_stream_beat_timestamp_seconds", {"processor": "t-young"})
    assert beat == pytest.approx(time.time(), abs=5)


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
