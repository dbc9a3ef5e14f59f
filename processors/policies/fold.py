"""The table of security policies: compat.security-policies, read whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from processors.errors import Refused
from processors.events.topics import SECURITY_POLICIES
from processors.policies.document import NO_POLICIES, Policies, SecurityPolicy
from processors.policies.record import policy_from_record
from processors.stream.types import Inbound, Reject


class PolicyFold:
    """The newest policy of each component. A record that cannot be read leaves the one before it in force."""

    topic = SECURITY_POLICIES

    def __init__(self, decode: Callable[[bytes | None], Mapping[str, Any]]) -> None:
        self._decode = decode
        self._policies: dict[str, SecurityPolicy] = {}
        self._snapshot = NO_POLICIES

    def snapshot(self) -> Policies:
        return self._snapshot

    def apply(self, records: Sequence[Inbound]) -> Sequence[Reject]:
        rejects = [reject for record in records if (reject := self._take(record)) is not None]
        if len(rejects) < len(records):
            self._snapshot = Policies.of(self._policies.values())
        return rejects

    def _take(self, record: Inbound) -> Reject | None:
        key = (record.key or b"").decode("utf-8", "replace")
        if record.value is None:
            self._policies.pop(key, None)
            return None
        try:
            policy = policy_from_record(self._decode(record.value))
        except Refused as error:
            return Reject(record, error.reason, str(error), getattr(error, "stage", "table"))
        if policy.component_id != key:
            return Reject(record, "key_mismatch", f"a policy of `{policy.component_id}` under another key", "table")
        self._policies[key] = policy
        return None
