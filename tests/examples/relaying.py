"""A relay on the real topics, with targets of the test's own, and events for it to tell."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from examples.guard import Guard
from examples.platform import SECRET

from processors.bootstrap.relay import run_relay
from processors.events.topics import NOTIFICATIONS
from processors.stream.wire.headers import event_headers


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def target(url: str, **more: Any) -> dict[str, Any]:
    """A platform on loopback that is told of notifications, tried again fast, under a name that nobody had."""
    return {
        "name": f"t{uuid.uuid4().hex[:8]}",
        "kind": "webhook",
        "url": url,
        "networks": ["127.0.0.0/8"],
        "secrets": [{"file": "secret"}],
        "retry": ["200ms"] * 40,
        "breaker": {"first": "200ms", "longest": "500ms"},
    } | more


class Relaying:
    """Writes the configuration, runs the relay, and publishes notifications."""

    def __init__(self, guard: Guard, folder: Path) -> None:
        self.guard, self.folder = guard, folder
        self._encode = guard.codec.encoder(NOTIFICATIONS, "NotificationRequested")
        (folder / "secret").write_text(SECRET + "\n")
        self.tag = uuid.uuid4().hex[:8]

    def configure(self, *targets: dict[str, Any], **more: Any) -> None:
        """Targets that are told of what this test publishes, unless they name other recipients: `since` counts in
        seconds, in which the test before may have published as well."""
        own = [{"recipients": [f"user:{self.tag}-*"]} | target for target in targets]
        (self.folder / "relay.yaml").write_text(json.dumps({"version": 1, "targets": own} | more))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Until the block ends; it must not have ended with an error."""
        stop, failures = threading.Event(), list[BaseException]()
        of = self.guard.of.model_copy(update={"config": self.folder})

        def work() -> None:
            try:
                run_relay(of, stop)
            except BaseException as error:  # noqa: BLE001 - raised below
                failures.append(error)

        thread = threading.Thread(target=work, name="relay")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(60)
        assert not thread.is_alive(), "the relay did not stop"
        if failures:
            raise failures[0]

    def publish(self, count: int = 1, *, keys: int = 1000, kind: str = "blocked", **more: Any) -> list[str]:
        """So many notifications, to at most so many recipients. Returns their ids, in order."""
        ids: list[str] = []
        for n in range(count):
            id, recipient, now = str(uuid.uuid4()), f"user:{self.tag}-{n % keys}", time.time_ns() // 1_000_000
            event: dict[str, Any] = {
                "notification_id": id,
                "at": now,
                "recipient": recipient,
                "kind": kind,
                "urgency": "WARNING",
                "subject": f"number {n}",
                "body": "**What happened:** a test.",
                "link": "",
                "tenant": self.tag,
                "request_id": None,
                "exception_id": None,
                "count": 1,
            } | more
            headers = event_headers(id=id, type="plugin.compat.notification", source="/test", time=now)
            self.guard.send(NOTIFICATIONS, event["recipient"], self._encode(event), headers=list(headers))
            ids.append(id)
        return ids
