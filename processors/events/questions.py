"""Which question a result answers.

The sender chooses a request id, so two people can ask two questions under one id. Readers of results compare the
question as well, and never take the answer to another one for theirs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple


class Question(NamedTuple):
    """All fields of a request that its answer depends on or is for; `input_digest` is of the subject's bytes."""

    request_id: str
    input_digest: str
    tenant: str
    operator: str
    environment: str
    target: str
    action: str
    exception_id: str
    recheck_of: str

    @property
    def name(self) -> str:
        """A short name to distinguish two questions with one id."""
        text = "".join(f"{len(part)}:{part}" for part in self)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def asked_by(request: Mapping[str, Any], subject: bytes) -> Question:
    """The question of an `InstallRequested`, whose subject has these bytes."""
    return _question(request, "sha256:" + hashlib.sha256(subject).hexdigest())


def answered_by(result: Mapping[str, Any]) -> Question:
    """The question that a `CompatibilityChecked` answers."""
    return _question(result, result["report"]["input_digest"])


def _question(event: Mapping[str, Any], input_digest: str) -> Question:
    """Requests and results have the same names for these fields."""
    return Question(
        request_id=event["request_id"],
        input_digest=input_digest,
        tenant=event["tenant"],
        operator=event["operator"],
        environment=event["environment"],
        target=event["target"],
        action=str(event["action"]),
        exception_id=event["exception_id"] or "",
        recheck_of=event["recheck_of"] or "",
    )
