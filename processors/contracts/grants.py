"""What a broker grants, compared with the table of roles: what is too much, and who may do something at all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from processors.contracts.access import EVERY_TOPIC, EVERYWHERE, ROLES, Operation, Resource, Rule, rules_of


def excess(found: Iterable[Rule], wanted: Collection[Rule]) -> frozenset[Rule]:
    """What a broker grants to the principals of `wanted` beyond that.

    What it should grant from any host is no excess where it grants it from one.
    """
    ours = {rule.principal for rule in wanted}
    return frozenset(r for r in found if r.principal in ours and r._replace(host=EVERYWHERE) not in wanted)


def foreign(found: Iterable[Rule], wanted: Collection[Rule]) -> frozenset[Rule]:
    """What a broker grants to other principals and reaches our topics, groups or transactional ids.

    Permissions on the cluster are left out: its administrators have them.
    """
    ours = {rule.principal for rule in wanted}
    return frozenset(rule for rule in found if rule.principal not in ours and _reaches(rule))


def _reaches(rule: Rule) -> bool:
    """Whether a rule covers a topic, a group with offsets, or a transactional id of the guard."""
    return any(_overlap(rule, name) for name in _OURS.get(rule.resource, ()))


def holders(resource: Resource, name: str, operation: Operation) -> Sequence[str]:
    """The roles that may do this, in the order of the table."""
    return [
        role.name
        for role in ROLES
        if any(
            r.operation == operation and r.resource == resource and _overlap(r, name) for r in rules_of(role, "")
        )
    ]


def _overlap(rule: Rule, name: str) -> bool:
    """Whether a rule covers any of these names; a trailing `*` makes `name` a prefix."""
    if rule.pattern == "LITERAL" and rule.name == "*":
        return True
    covers, prefix = rule.pattern == "PREFIXED", name.endswith("*")
    one, other = rule.name, name.removesuffix("*")
    return one == other or (covers and other.startswith(one)) or (prefix and one.startswith(other))


_OURS: Final[Mapping[str, Collection[str]]] = {
    "TOPIC": (EVERY_TOPIC,),
    "GROUP": {group for role in ROLES for group in role.groups},
    "TRANSACTIONAL_ID": {role.transactions for role in ROLES if role.transactions},
}
