"""Reads and writes security policies on their topic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from processors.bootstrap.clients import codec, stream_settings
from processors.bootstrap.trust import policy_trust, signer
from processors.client.tables import load
from processors.client.transport import SOURCE
from processors.configuration.settings import Settings
from processors.errors import OutputTooLarge
from processors.events.ids import minted
from processors.events.kinds import POLICY_PUBLISHED, POLICY_WITHDRAWN
from processors.events.topics import MATRIX_FLOORS, SECURITY_POLICIES
from processors.matrix.floors import EVENT as FLOOR
from processors.matrix.floors import FloorFold
from processors.policies import Policies, SecurityPolicy
from processors.policies.fold import PolicyFold
from processors.policies.record import policy_to_record, statement_of, withdrawal_of, withdrawal_to_record
from processors.stream.io.atomically import publish_atomically
from processors.stream.types import LARGEST_VALUE, Outbound, Reject
from processors.stream.wire.codec import Codec, Encoder
from processors.stream.wire.headers import event_headers
from processors.trust.keys import Signer
from processors.trust.signatures import sign

EVENT: Final = "SecurityPolicyPublished"

_TRANSACTIONAL_ID: Final = "policies-publish"


class Published(NamedTuple):
    """What publishing did to one component. `before` was in force; None if it had no policy."""

    policy: SecurityPolicy
    before: SecurityPolicy | None

    @property
    def is_changed(self) -> bool:
        return self.policy is not self.before

    @property
    def dropped(self) -> tuple[str, ...]:
        """Advisories that were in force and are no longer listed."""
        named = {advisory.id for advisory in self.policy.advisories}
        held = self.before.advisories if self.before else ()
        return tuple(advisory.id for advisory in held if advisory.id not in named)


def read_policies(of: Settings) -> tuple[Policies, Sequence[Reject]]:
    """The policies in force, and the refused records of the topic.

    Raises BrokerUnavailable, RegistryUnavailable, or SettingsInvalid if there is no such topic.
    """
    with codec(of) as events:
        fold, rejects = _read(of, events)
        return fold.snapshot(), rejects


def publish_policies(
    of: Settings, policies: Iterable[SecurityPolicy], now: int, *, key: Path | None = None
) -> list[Published]:
    """Sign policies and put them in force, in one transaction. A policy without changes is not written.

    A policy without a time gets `now`. Raises OutputTooLarge, before anything is written, for one that does not fit
    a record; Unavailable and Fatal as `publish_atomically` does.
    """
    with codec(of) as events:
        fold, _ = _read(of, events)
        held = fold.snapshot()
        done = [_against(policy, held.about(policy.component_id), now) for policy in policies]
        encode = events.encoder(SECURITY_POLICIES, EVENT)
        by = signer(of, key) if any(one.is_changed for one in done) else None
        records = [
            _record(one.policy, _serial(fold, one, now), by, encode, now) for one in done if one.is_changed and by
        ]
        if records:
            publish_atomically(stream_settings(of), _TRANSACTIONAL_ID, records)
        return done


def withdraw_policy(of: Settings, component: str, now: int, *, key: Path | None = None) -> None:
    """Withdraw a component's policy, whether there is one or not, by a signed withdrawal."""
    with codec(of) as events:
        fold, _ = _read(of, events)
        floor = fold.floor(component)
        statement = withdrawal_of(component, now, max(now, floor.serial + 1 if floor else 0))
        value = events.encoder(SECURITY_POLICIES, EVENT)(
            withdrawal_to_record(statement, sign(statement, signer(of, key)))
        )
        id = minted("policy-withdrawal", component, str(statement.serial))
        headers = event_headers(id=id, type=POLICY_WITHDRAWN.type, source=SOURCE, time=now)
        record = Outbound(SECURITY_POLICIES, component.encode(), value, headers)
        publish_atomically(stream_settings(of), _TRANSACTIONAL_ID, [record])


def _serial(fold: PolicyFold, one: Published, now: int) -> int:
    """The time, or the last serial plus one: a clock that was wrong once must not prevent later changes."""
    floor = fold.floor(one.policy.component_id)
    return max(now, floor.serial + 1 if floor else 0)


def _against(policy: SecurityPolicy, before: SecurityPolicy | None, now: int) -> Published:
    """A new time alone is not a change: reports name policies by digest, and should stay the same."""
    if before is not None and replace(policy, published_at=before.published_at) == before:
        return Published(before, before)
    return Published(policy if policy.published_at else replace(policy, published_at=now), before)


def _record(policy: SecurityPolicy, serial: int, by: Signer, encode: Encoder, now: int) -> Outbound:
    statement = statement_of(policy, serial)
    value = encode(policy_to_record(policy, statement, sign(statement, by)))
    if len(value) > LARGEST_VALUE:
        raise OutputTooLarge(
            f"the policy of `{policy.component_id}` has {len(value)} bytes, at most {LARGEST_VALUE} fit a record; "
            "leave out advisories that are withdrawn"
        )
    id = minted("policy", policy.component_id, policy.digest, str(serial))
    headers = event_headers(id=id, type=POLICY_PUBLISHED.type, source=SOURCE, time=now)
    return Outbound(SECURITY_POLICIES, policy.component_id.encode(), value, headers)


def _read(of: Settings, events: Codec) -> tuple[PolicyFold, Sequence[Reject]]:
    """A command has no seal keys and accepts the floors without them: nothing is allowed because of that."""
    floors = FloorFold(events.decoder(MATRIX_FLOORS, FLOOR), lambda record: record)
    fold = PolicyFold(events.decoder(SECURITY_POLICIES, EVENT), policy_trust(of), floors.snapshot)
    load(of, floors, "policies")
    return fold, load(of, fold, "policies")
