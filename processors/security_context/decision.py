"""What a reply changes, and when it is not trusted. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final

from processors.matrix.floors import Floors
from processors.policies import Policies, SecurityPolicy
from processors.policies.document import UNUSABLE
from processors.policies.record import floor_name
from processors.security_context.inquiry import PUBLISHER, Page, Reply

BELIEVED: Final = 5
"""A reply that omits more than one in this many of the present advisories and baselines is held."""


_BASELINE: Final = "required baseline"
"""Counts like an advisory: without a baseline, more may be installed. No advisory has a space in its id."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision about a reply. Nothing of a held reply takes effect."""

    changed: tuple[SecurityPolicy, ...] = ()
    confirmed: tuple[SecurityPolicy, ...] = ()
    """Policies without changes that are valid for longer."""
    withdrawn: tuple[str, ...] = ()
    left_alone: tuple[str, ...] = ()
    """Components whose policy has another publisher."""
    dropped: tuple[str, ...] = ()
    """Present advisories and baselines that the reply omits, as `component advisory`."""
    standing: int = 0
    """How many are present."""
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class InForce:
    """What is in force at an instant: `floors` are what is known of each component beside the topic of policies."""

    policies: Policies
    floors: Floors
    now: int


def decided(page: Page, reply: Reply, held: InForce, valid_for: int, accepted: Collection[str] = ()) -> Decision:
    """The decision about a reply for `page`. `accepted` are digests of replies that an operator has approved."""
    ours = [id for id in page if _is_ours(id, reply, held)]
    standing = {(id, advisory) for id in ours for advisory in _standing(held.policies.about(id), held.now)}
    named = {(id, stated) for id, policy in reply.policies.items() for stated in _named(policy)}
    dropped = tuple(f"{id} {advisory}" for id, advisory in sorted(standing - named))
    left_alone = tuple(id for id in page if id in reply.policies and id not in ours)
    facts = Decision(left_alone=left_alone, dropped=dropped, standing=len(standing))
    if len(dropped) * BELIEVED > len(standing) and reply.digest not in accepted:
        return replace(facts, is_held=True)
    changed, confirmed = list[SecurityPolicy](), list[SecurityPolicy]()
    for id in ours:
        if (wanted := reply.policies.get(id)) is None:
            continue
        before, after = held.policies.about(id), _until(wanted, held.now + valid_for)
        if before is None or _said(before) != _said(after) or _is_shorter(after, before):
            changed.append(after)
        elif _is_due(before, after, held.now, valid_for):
            confirmed.append(replace(after, published_at=before.published_at))
    gone = (id for id in ours if id not in reply.policies and held.policies.about(id) is not None)
    return replace(facts, changed=tuple(changed), confirmed=tuple(confirmed), withdrawn=tuple(gone))


def serial(component: str, held: InForce) -> int:
    """The serial of the next statement about a component: the time, or the last serial plus one."""
    name = floor_name(component)
    known = [floors[name].serial for floors in (held.policies.floors, held.floors) if name in floors]
    return max(held.now, *(one + 1 for one in known)) if known else held.now


def _is_ours(id: str, reply: Reply, held: InForce) -> bool:
    """Whether we may publish for a component. A lost policy is ours if the reply equals it."""
    before = held.policies.about(id)
    if before is None or before.publisher == PUBLISHER:
        return True
    wanted, floor = reply.policies.get(id), held.floors.get(floor_name(id))
    lost = before.policy_id == UNUSABLE and before.publisher == ""
    return lost and wanted is not None and floor is not None and floor.digest == wanted.digest


def _named(policy: SecurityPolicy) -> Iterator[str]:
    """Its advisories by their ids, and the baseline that it demands."""
    if policy.required_baseline:
        yield _BASELINE
    yield from (advisory.id for advisory in policy.advisories)


def _standing(policy: SecurityPolicy | None, now: int) -> Iterator[str]:
    """What we have published. The advisory that replaces a lost policy does not count."""
    if policy is None or policy.publisher != PUBLISHER:
        return
    over = {a.id for a in policy.advisories if a.withdrawn_at is not None and a.withdrawn_at <= now}
    yield from (stated for stated in _named(policy) if stated not in over)


def _until(policy: SecurityPolicy, until: int) -> SecurityPolicy:
    """As long as the platform says, and never longer than configured."""
    return replace(policy, valid_until=min(until, until if policy.valid_until is None else policy.valid_until))


def _said(policy: SecurityPolicy) -> SecurityPolicy:
    return replace(policy, published_at=0, valid_until=None)


def _is_shorter(after: SecurityPolicy, before: SecurityPolicy) -> bool:
    return (after.valid_until or 0) < (before.valid_until or 0)


def _is_due(before: SecurityPolicy, after: SecurityPolicy, now: int, valid_for: int) -> bool:
    """Half of its validity has passed, and the platform extends it."""
    until = before.valid_until or 0
    return until - now <= valid_for // 2 and (after.valid_until or 0) > until
