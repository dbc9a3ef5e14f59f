"""Each processor of the table is watched before it calls anybody who may not answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from processors.bootstrap import processors
from processors.bootstrap.processors import PROCESSORS
from processors.configuration.settings import Settings
from processors.stream.loop.health import Vitals


class Begun(Exception):
    """The watchdog was started."""


class Watchdog:
    """Ends what would run under it."""

    def __init__(self, health: Vitals, stop: threading.Event, heartbeat: Callable[[], None]) -> None:
        self.health, self.stop, self.heartbeat = health, stop, heartbeat

    def start(self) -> None:
        assert self.health.alive
        self.heartbeat()
        raise Begun


@pytest.mark.parametrize("name", PROCESSORS)
def test_a_processor_runs_under_a_watchdog_that_its_supervisor_hears(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing else ends one that hangs in a call."""
    beats, stop = list[str](), threading.Event()
    stop.set()  # so that one without a watchdog ends
    monkeypatch.setenv("GUARD_DEVELOPMENT", str(tmp_path))
    monkeypatch.setattr(processors, "Watchdog", Watchdog)
    monkeypatch.setattr(processors, "heartbeat", lambda: lambda: beats.append(name))

    with pytest.raises(Begun):
        PROCESSORS[name](name, Settings(), stop)
    assert beats == [name]
