"""The table of security policies: compat.security-policies, read completely; only signed policies count."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from processors.errors import Refused
from processors.events.topics import SECURITY_POLICIES
from processors.matrix.floors import Floor, Floors
from processors.policies.document import NO_POLICIES, UNUSABLE, Advisory, Policies, SecurityPolicy
from processors.policies.record import SECURITY, floor_name, policy_from_record, statement_from_record
from processors.stream.types import Inbound, Reject
from processors.trust.signatures import verify
from processors.trust.sources import NOBODY, Trust
from processors.trust.statements import Untrusted


class PolicyFold:
    """The newest policy of each component. A refused record leaves the previous one in force.

    `floors` gives what is known from the topic of floors, which must be loaded first. A component whose policy is
    missing gets one that affects every version: its content is unknown, so nothing passes.
    """

    topic = SECURITY_POLICIES

    def __init__(
        self,
        decode: Callable[[bytes | None], Mapping[str, Any]],
        trust: Trust = NOBODY,
        floors: Callable[[], Floors] = dict[str, Floor],
    ) -> None:
        self._decode, self._trust, self._beside = decode, trust, floors
        self._policies: dict[str, SecurityPolicy] = {}
        self._floors: dict[str, Floor] = {}
        self._snapshot = NO_POLICIES

    def snapshot(self) -> Policies:
        return self._snapshot

    def floor(self, component: str) -> Floor | None:
        """The highest serial of a component; None if there was no statement about it."""
        name = floor_name(component)
        known = [floor for floor in (self._floors.get(name), self._beside().get(name)) if floor is not None]
        return max(known, default=None)

    def apply(self, records: Sequence[Inbound]) -> Sequence[Reject]:
        rejects = [reject for record in records if (reject := self._judged(record)) is not None]
        unusable = self._unusable()
        if len(rejects) < len(records) or unusable.keys() - self._snapshot.by_component.keys():
            self._snapshot = Policies.of((unusable | self._policies).values(), self._floors)
        return rejects

    def _judged(self, record: Inbound) -> Reject | None:
        try:
            if record.value is not None:  # a tombstone only cleans up; only a signed withdrawal ends a policy
                self._take(record, self._decode(record.value))
        except Refused as error:
            return Reject(record, error.reason, str(error), getattr(error, "stage", "table"))
        return None

    def _take(self, record: Inbound, stated: Mapping[str, Any]) -> None:
        policy = policy_from_record(stated)
        if policy.component_id != (record.key or b"").decode("utf-8", "replace"):
            raise _Misplaced(f"a policy of `{policy.component_id}` under another key")
        if policy.valid_until is not None and policy.valid_until <= policy.published_at:
            raise _NeverInForce(f"the policy of `{policy.component_id}` is over before it begins")
        statement, name = statement_from_record(stated), floor_name(policy.component_id)
        verify(statement, stated["signature"], self._trust.of(SECURITY).keys, record.timestamp)
        floor = Floor(statement.serial, statement.digest, stated["withdrawn"])
        if (held := self._floors.get(name)) is not None and not held.admits(floor):
            raise Untrusted(f"serial {floor.serial} of `{policy.component_id}` comes after serial {held.serial}")
        if (beside := self._beside().get(name)) is not None and not beside.admits(floor):
            return  # an old one, which the topic still holds
        self._floors[name] = floor
        if floor.withdrawn:
            self._policies.pop(policy.component_id, None)
        else:
            self._policies[policy.component_id] = policy

    def _unusable(self) -> dict[str, SecurityPolicy]:
        prefix = floor_name("")
        expected = {name.removeprefix(prefix) for name in self._beside() if name.startswith(prefix)}
        return {
            component: _unusable(component)
            for component in expected - self._policies.keys()
            if (last := self.floor(component)) is not None and not last.withdrawn
        }


class _Misplaced(Refused):
    reason = "key_mismatch"


class _NeverInForce(Refused):
    """Its signature would also be valid for one without an end."""

    reason = "never_in_force"


def _unusable(component: str) -> SecurityPolicy:
    every = Advisory(
        id=UNUSABLE,
        summary="what security last said about it is not to be had; let it publish the policy again",
        severity="critical",
        affected=("*",),
    )
    return SecurityPolicy(component_id=component, policy_id=UNUSABLE, published_at=0, advisories=(every,))
