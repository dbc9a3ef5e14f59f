"""What a test sees of an installation that is watched: Prometheus' answers, and whom Alertmanager told what."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from examples.installation import Installation

from processors.embedded.monitoring import Watched as Urls


@dataclass
class OnCall:
    """Whoever Alertmanager delivers to; every delivery is kept."""

    deliveries: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def heard(self, alert: str, **labels: str) -> list[str]:
        """`firing` and `resolved` of one alert, in the order of their deliveries, repetitions left out."""
        wanted = {"alertname": alert, **labels}.items()
        told = [told for delivery in self.deliveries for told in delivery["alerts"]]
        heard = [(one["status"], one["startsAt"]) for one in told if wanted <= one["labels"].items()]
        return [status for status, _ in dict.fromkeys(heard)]


@dataclass
class Observed:
    """What the tests look at."""

    installation: Installation
    urls: Urls
    on_call: OnCall

    def ask(self, path: str, **query: Any) -> Any:
        return _json(f"{self.urls.prometheus}/api/v1/{path}?{urllib.parse.urlencode(query)}")["data"]

    def values(self, expr: str) -> list[tuple[dict[str, str], float]]:
        return [(found["metric"], float(found["value"][1])) for found in self.ask("query", query=expr)["result"]]

    def value(self, expr: str) -> float:
        """The one value of an expression, 0 if it has none yet."""
        return sum(value for _, value in self.values(expr))


def _json(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - our own Prometheus
        return json.loads(answer.read())
