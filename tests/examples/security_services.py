"""A small platform that is asked for security policies, and misbehaves as it is told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from examples.platform import Answer, Platform, Received

Stated = Mapping[str, Sequence[str]]
"""Ids of advisories by component."""


def a_policy(component: str, advisories: Sequence[str], **more: Any) -> dict[str, Any]:
    named = [{"id": id, "severity": "critical", "affected": ["<2.0.0"]} for id in advisories]
    return {"component": component, "policy_id": f"SEC-{component}", "advisories": named} | more


class SecurityService(Platform):
    """Answers from `stated`, with an entity tag, until `behave` is replaced. Use as a context manager."""

    def __init__(self, stated: Stated | None = None) -> None:
        super().__init__(self.well)
        self.stated: Stated = stated or {}
        self.conditional = 0
        """Requests that were answered with 304."""

    def address(self) -> str:
        return self.url("/internal/security/scan/context")

    def asked(self) -> list[list[str]]:
        """The components of each request."""
        return [json.loads(one.body)["components"] for one in self.received]

    def well(self, received: Received) -> Answer:
        asked = json.loads(received.body)["components"]
        return self.tagged(received, [a_policy(id, names) for id, names in self.stated.items() if id in asked])

    def tagged(self, received: Received, policies: Sequence[Any]) -> Answer:
        body = json.dumps({"policies": policies}).encode()
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if received.headers.get("if-none-match") == tag:
            self.conditional += 1
            return Answer(304, {"etag": tag})
        return Answer(200, {"etag": tag, "content-type": "application/json"}, body)


def once(*behaviours: Callable[[Received], Answer], then: Callable[[Received], Answer]) -> Callable[..., Answer]:
    """Each of them for one request, and `then` for all that follow."""
    left = list(behaviours)

    def behave(received: Received) -> Answer:
        return (left.pop(0) if left else then)(received)

    return behave
