"""Security policies on their topic, as the commands read and write them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from processors.bootstrap.clients import codec, stream_settings
from processors.configuration.settings import Settings
from processors.errors import OutputTooLarge
from processors.events.ids import minted
from processors.events.topics import SECURITY_POLICIES
from processors.policies import Policies, SecurityPolicy
from processors.policies.fold import PolicyFold
from processors.policies.record import policy_to_record
from processors.stream.io.atomically import publish_atomically
from processors.stream.io.clients import reader
from processors.stream.loop.table import Table
from processors.stream.types import LARGEST_VALUE, Outbound, Reject
from processors.stream.wire.codec import Codec, Encoder
from processors.stream.wire.headers import event_headers

EVENT: Final = "SecurityPolicyPublished"
SOURCE: Final = "/compat-guard/cli"

_PATIENCE: Final = 30.0
"""Seconds without a record after which the broker counts as unavailable."""

_TRANSACTIONAL_ID: Final = "policies-publish"


class Published(NamedTuple):
    """What publishing did to one component. `before` is what was in force; None if it had no policy."""

    policy: SecurityPolicy
    before: SecurityPolicy | None

    @property
    def is_changed(self) -> bool:
        return self.policy is not self.before

    @property
    def dropped(self) -> tuple[str, ...]:
        """Advisories that were in force and are no longer named."""
        named = {advisory.id for advisory in self.policy.advisories}
        held = self.before.advisories if self.before else ()
        return tuple(advisory.id for advisory in held if advisory.id not in named)


def read_policies(of: Settings) -> tuple[Policies, Sequence[Reject]]:
    """The policies in force, and the records of the topic that were refused.

    Raises BrokerUnavailable, RegistryUnavailable, or SettingsInvalid where there is no such topic.
    """
    with codec(of) as events:
        return _read(of, events)


def publish_policies(of: Settings, policies: Iterable[SecurityPolicy], now: int) -> list[Published]:
    """Put policies in force, all of them in one transaction. One that says nothing new is not written.

    A policy without a time of its own is stamped with `now`. Raises OutputTooLarge for one that no record could
    hold, having written nothing; Unavailable and Fatal as `publish_atomically` does.
    """
    with codec(of) as events:
        held, _ = _read(of, events)
        done = [_against(policy, held.about(policy.component_id), now) for policy in policies]
        encode = events.encoder(SECURITY_POLICIES, EVENT)
        records = [_record(one.policy, encode, now) for one in done if one.is_changed]
        if records:
            publish_atomically(stream_settings(of), _TRANSACTIONAL_ID, records)
        return done


def withdraw_policy(of: Settings, component: str) -> None:
    """Take a component's policy out of force, whether there is one or not."""
    tombstone = Outbound(SECURITY_POLICIES, component.encode(), None)
    publish_atomically(stream_settings(of), _TRANSACTIONAL_ID, [tombstone])


def _against(policy: SecurityPolicy, before: SecurityPolicy | None, now: int) -> Published:
    """A time alone is nothing new: reports name policies by their digest, and should stay what they are."""
    if before is not None and replace(policy, published_at=before.published_at) == before:
        return Published(before, before)
    return Published(policy if policy.published_at else replace(policy, published_at=now), before)


def _record(policy: SecurityPolicy, encode: Encoder, now: int) -> Outbound:
    value = encode(policy_to_record(policy))
    if len(value) > LARGEST_VALUE:
        raise OutputTooLarge(
            f"the policy of `{policy.component_id}` has {len(value)} bytes, at most {LARGEST_VALUE} fit a record; "
            "leave out advisories that are withdrawn"
        )
    id = minted("policy", policy.component_id, policy.digest)
    headers = event_headers(id=id, type="compat.policy.published", source=SOURCE, time=now)
    return Outbound(SECURITY_POLICIES, policy.component_id.encode(), value, headers)


def _read(of: Settings, events: Codec) -> tuple[Policies, Sequence[Reject]]:
    fold = PolicyFold(events.decoder(SECURITY_POLICIES, EVENT))
    table = Table(reader(stream_settings(of), "policies"), fold)
    try:
        rejects = table.load(_PATIENCE)
        return fold.snapshot(), rejects
    finally:
        table.close()
