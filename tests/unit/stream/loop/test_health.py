"""What a supervisor is told."""

import time

import pytest
from prometheus_client import REGISTRY

from processors.stream.loop.health import Health


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
