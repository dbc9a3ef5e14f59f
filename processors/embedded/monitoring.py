"""Prometheus and Alertmanager beside the stack: the rules and consoles of deploy/prometheus, on loopback."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import yaml

from processors.embedded.debian import PrometheusTools
from processors.embedded.part import Part, Recipe
from processors.embedded.ports import HOST, free_port
from processors.embedded.registry import serves

SCRAPED_EVERY: Final = "2s"
"""Short, because a person watches. In production 15 seconds are enough."""


class Watched(NamedTuple):
    """Where a browser finds what is watched."""

    prometheus: str
    alertmanager: str

    def console(self, name: str) -> str:
        return f"{self.prometheus}/consoles/{name}.html"


class Monitoring:
    """Watches processes by job and `host:port`. Use as a context manager, or `start` and `stop` it.

    `rules` are read as they stand; `receiver` is a webhook to which Alertmanager delivers, if there is one. Raises
    StackPartFailed if a server does not come up.
    """

    def __init__(
        self,
        data: Path,
        tools: PrometheusTools,
        targets: Mapping[str, str],
        deploy: Path,
        *,
        rules: Path | None = None,
        receiver: str | None = None,
    ) -> None:
        self._data, self._tools, self._targets = data.resolve(), tools, targets
        self._rules = (rules or deploy / "prometheus" / "alerts.yaml").resolve()
        self._consoles = deploy.resolve() / "prometheus" / "consoles"
        self._alertmanager_file = deploy / "prometheus" / "alertmanager.yaml"
        self._receiver = receiver
        self._spawner = ThreadPoolExecutor(1, "spawner")
        self._parts: list[Part] = []

    def start(self) -> Watched:
        self._data.mkdir(parents=True, exist_ok=True)
        self._prometheus_port, self._alertmanager_port = free_port(), free_port()
        watched = Watched(f"http://{HOST}:{self._prometheus_port}", f"http://{HOST}:{self._alertmanager_port}")
        for recipe in (self._alertmanager(watched.alertmanager), self._prometheus(watched.prometheus)):
            part = Part(recipe, self._data / f"{recipe.name}.log", self._spawner, lambda: None)
            self._parts.append(part)
            part.start()
        return watched

    def stop(self) -> None:
        for part in reversed(self._parts):
            part.stop()
        self._spawner.shutdown()

    def __enter__(self) -> Self:
        self.watched = self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _prometheus(self, url: str) -> Recipe:
        config, home = self._data / "prometheus.yaml", self._data / "prometheus"
        settings: dict[str, Any] = {
            "global": {"scrape_interval": SCRAPED_EVERY, "evaluation_interval": SCRAPED_EVERY},
            "rule_files": [str(self._rules)],
            "alerting": {
                "alertmanagers": [{"static_configs": [{"targets": [f"{HOST}:{self._alertmanager_port}"]}]}]
            },
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": [target]}]}
                for job, target in self._targets.items()
            ],
        }
        config.write_text(json.dumps(settings), "utf-8")  # JSON is YAML
        return Recipe(
            name="prometheus",
            command=(
                self._tools.prometheus,
                f"--config.file={config}",
                f"--storage.tsdb.path={home}",
                f"--web.listen-address={HOST}:{self._prometheus_port}",
                f"--web.console.templates={self._consoles}",
                f"--web.console.libraries={self._consoles}",
            ),
            prepare=lambda _: home.mkdir(parents=True, exist_ok=True),
            is_ready=lambda _pid, _log: serves(f"{url}/-/ready"),
        )

    def _alertmanager(self, url: str) -> Recipe:
        config, home = self._data / "alertmanager.yaml", self._data / "alertmanager"
        settings: dict[str, Any] = yaml.safe_load(self._alertmanager_file.read_text("utf-8"))
        for route in (settings["route"], *settings["route"]["routes"]):
            route |= {"group_wait": "0s", "group_interval": SCRAPED_EVERY}
        hooks = [{"url": self._receiver, "send_resolved": True}] if self._receiver else []
        settings["receivers"] = [{"name": "on-call", "webhook_configs": hooks}]
        config.write_text(json.dumps(settings), "utf-8")
        return Recipe(
            name="alertmanager",
            command=(
                "/usr/bin/env",
                f"--chdir={self._tools.templates}",
                self._tools.alertmanager,
                f"--config.file={config}",
                f"--storage.path={home}",
                f"--web.listen-address={HOST}:{self._alertmanager_port}",
                "--cluster.listen-address=",  # alone, and it would listen everywhere
            ),
            prepare=lambda _: _fresh(home),
            is_ready=lambda _pid, _log: serves(f"{url}/-/ready"),
        )


def _fresh(folder: Path) -> None:
    """What an earlier run has told is of no interest to this one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
