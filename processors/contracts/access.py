"""The access rules for the broker, generated from one table of roles.

What is not in the table is denied. Only the administrator of topics has a permission on the cluster, and nobody
needs IdempotentWrite (brokers from 2.8 on). Reading or writing a topic includes the permission to describe it.

A rule names a topic and not a key: a writer of a topic may write any key. What a record claims beyond that, such as
the source of a matrix, must be proved by its value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from processors.errors import SettingsInvalid, nearest
from processors.events.topics import (
    APPROVAL_DECISIONS,
    BLOCKS,
    CLOCK,
    DEAD_LETTERS,
    EXCEPTION_DECISIONS,
    EXCEPTION_REQUESTS,
    EXCEPTION_STATE,
    EXCEPTION_USES,
    INSTALL_OUTCOMES,
    INSTALL_REQUESTS,
    LEDGER_ANCHORS,
    MATRIX_FLOORS,
    MATRIX_REFRESHES,
    NOTIFICATIONS,
    RELAY_STATE,
    RESULTS,
    SECURITY_POLICIES,
    STALENESS_STATE,
)

PREFIX: Final = "compat."
"""The prefix of the names of the guard's topics."""

EVERYWHERE: Final = "*"
"""The host of a rule that applies from any host."""

Resource = Literal["TOPIC", "GROUP", "TRANSACTIONAL_ID"]
Pattern = Literal["LITERAL", "PREFIXED"]
Operation = Literal["READ", "WRITE", "CREATE", "DESCRIBE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS"]


class Rule(NamedTuple):
    """One permission, as the broker stores it. One that a broker holds may have another operation, such as ALL."""

    principal: str
    """With its type: `User:checker`."""
    resource: Resource
    name: str
    pattern: Pattern
    operation: Operation
    host: str = EVERYWHERE
    """The address from which it applies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A principal of the broker, and what it needs."""

    name: str
    who: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """Consumer groups that it joins, or in which it keeps offsets; a trailing `*` makes it a prefix."""

    looks: tuple[str, ...] = ()
    """Names under which it reads without joining a group.

    The client queries them nevertheless, and without the permission would be denied once a second, in the broker's
    log.
    """

    transactions: str = ""
    """Transactional id; a trailing `*` makes it a prefix."""

    describes: tuple[str, ...] = ()
    """Topics of which it compares the ids, beside those that it reads or writes."""

    administers: str = ""
    """The prefix of the topics that it may create, describe and configure."""


_INPUTS: Final = (EXCEPTION_REQUESTS, APPROVAL_DECISIONS, EXCEPTION_USES, INSTALL_OUTCOMES)
EVERY_TOPIC: Final = f"{PREFIX}*"
"""As names are written in the table: a trailing `*` makes a prefix."""

ROLES: Final[tuple[Role, ...]] = (
    Role(
        name="checker",
        who="the processor that answers install requests",
        reads=(INSTALL_REQUESTS, MATRIX_REFRESHES, MATRIX_FLOORS, SECURITY_POLICIES),
        writes=(RESULTS, BLOCKS, NOTIFICATIONS, EXCEPTION_USES, DEAD_LETTERS, CLOCK),
        groups=("checker", "checker-reader"),
        looks=("contact-reader",),
        transactions="checker-*",
    ),
    Role(
        name="exception-workflow",
        who="the processor that holds exceptions; it also forwards their events to the right partition",
        reads=(*_INPUTS, EXCEPTION_STATE, MATRIX_REFRESHES),
        writes=(
            *_INPUTS,
            EXCEPTION_STATE,
            EXCEPTION_DECISIONS,
            NOTIFICATIONS,
            RESULTS,
            BLOCKS,
            INSTALL_REQUESTS,
            DEAD_LETTERS,
            CLOCK,
        ),
        groups=("exception-workflow", "exception-workflow-reader"),
        looks=("contact-reader",),
        transactions="exception-workflow-*",
    ),
    Role(
        name="ledger",
        who="the sink that stores every event in Postgres",
        reads=(EVERY_TOPIC,),
        writes=(LEDGER_ANCHORS, CLOCK),
        groups=("ledger",),
        looks=("ledger-reader", "contact-reader"),
    ),
    Role(
        name="staleness",
        who="the monitor that warns when a matrix becomes stale",
        reads=(MATRIX_REFRESHES, MATRIX_FLOORS, SECURITY_POLICIES, STALENESS_STATE),
        writes=(MATRIX_FLOORS, STALENESS_STATE, NOTIFICATIONS, DEAD_LETTERS, CLOCK),
        groups=("staleness", "staleness-reader"),
        looks=("contact-reader",),
        transactions="staleness-*",
    ),
    Role(
        name="gateway",
        who="the HTTP interface, also for browsers",
        reads=(
            INSTALL_REQUESTS,
            RESULTS,
            APPROVAL_DECISIONS,
            EXCEPTION_DECISIONS,
            EXCEPTION_STATE,
            DEAD_LETTERS,
            MATRIX_REFRESHES,
            MATRIX_FLOORS,
            RELAY_STATE,
            LEDGER_ANCHORS,
            SECURITY_POLICIES,
        ),
        writes=(INSTALL_REQUESTS, EXCEPTION_REQUESTS, APPROVAL_DECISIONS, RELAY_STATE),
        looks=(
            "contact-reader",
            "gateway-reader",
            "gateway-missed-reader",
            "request-reader",
            "report-reader",
            "exceptions-reader",
            "matrix-reader",
            "deliveries-reader",
            "ledger-anchors-reader",
            "policies-reader",
            "replay-reader",
        ),
        transactions="gateway-deliveries-*",
    ),
    Role(
        name="relay",
        who="the processor that delivers events to other systems",
        reads=(NOTIFICATIONS, RESULTS, BLOCKS, EXCEPTION_DECISIONS, INSTALL_OUTCOMES, RELAY_STATE),
        writes=(RELAY_STATE, DEAD_LETTERS, CLOCK),
        groups=("relay-*",),
        looks=("contact-reader",),
        transactions="relay-*",
    ),
    Role(
        name="security-context",
        who="the processor that asks a security service about components",
        reads=(MATRIX_REFRESHES, MATRIX_FLOORS, SECURITY_POLICIES),
        writes=(SECURITY_POLICIES, NOTIFICATIONS, DEAD_LETTERS, CLOCK),
        groups=("security-context", "security-context-reader"),
        looks=("contact-reader",),
        transactions="security-context-*",
    ),
    Role(
        name="deployer",
        who="people and systems that install plugins, with `compat-guard request`, `report` and `watch`",
        reads=(RESULTS, EXCEPTION_STATE, DEAD_LETTERS),
        writes=(INSTALL_REQUESTS,),
        looks=("request-reader", "report-reader", "watch-reader", "exceptions-reader"),
    ),
    Role(
        name="requester",
        who="people who request exceptions, with `compat-guard exception`",
        reads=(INSTALL_REQUESTS, RESULTS, EXCEPTION_DECISIONS, EXCEPTION_STATE, DEAD_LETTERS),
        writes=(EXCEPTION_REQUESTS,),
        looks=("exceptions-reader", "report-reader"),
    ),
    Role(
        name="approval-tool",
        who="the service in which people approve; its records are signed",
        reads=(EXCEPTION_STATE, EXCEPTION_DECISIONS, DEAD_LETTERS),
        writes=(APPROVAL_DECISIONS,),
        looks=("exceptions-reader",),
    ),
    Role(
        name="rollout",
        who="the system that installs plugins and reports outcomes",
        reads=(RESULTS, EXCEPTION_DECISIONS),
        writes=(INSTALL_OUTCOMES,),
        looks=("rollout-reader",),
    ),
    Role(
        name="matrix-publisher",
        who="CI and vendors, with `compat-guard matrix publish` and `sync`",
        reads=(MATRIX_REFRESHES, MATRIX_FLOORS),
        writes=(MATRIX_REFRESHES,),
        looks=("matrix-reader",),
        transactions="matrix-publish-*",
    ),
    Role(
        name="policy-publisher",
        who="the security team, with `compat-guard policies publish`",
        reads=(SECURITY_POLICIES, MATRIX_REFRESHES, MATRIX_FLOORS),
        writes=(SECURITY_POLICIES,),
        looks=("policies-reader", "matrix-reader"),
        transactions="policies-publish",
    ),
    Role(
        name="reader",
        who="dashboards, auditors (`compat-guard ledger verify`) and autoscalers; uses its own group",
        reads=(RESULTS, BLOCKS, EXCEPTION_DECISIONS, EXCEPTION_STATE, INSTALL_REQUESTS, LEDGER_ANCHORS),
        groups=("reader-*",),
        looks=(
            "checker",
            "exception-workflow",
            "ledger",
            "watch-reader",
            "exceptions-reader",
            "ledger-anchors-reader",
        ),
        describes=(EVERY_TOPIC,),
    ),
    Role(
        name="operator",
        who="operators, with `compat-guard dead-letters`, `deliveries`, `recheck`, `replay` and `ledger reconcile`",
        reads=(EVERY_TOPIC,),
        writes=(INSTALL_REQUESTS, *_INPUTS, RELAY_STATE, LEDGER_ANCHORS),
        looks=(
            "dead-letters-reader",
            "deliveries-reader",
            "recheck-reader",
            "replay-reader",
            "matrix-reader",
            "policies-reader",
            "ledger-anchors-reader",
            "ledger-reconcile-reader",
        ),
        transactions="deliveries-replay",
    ),
    Role(
        name="recovery",
        who="operators, with `compat-guard exception rebuild`, after a loss of the state of exceptions",
        reads=(*_INPUTS, EXCEPTION_DECISIONS, EXCEPTION_STATE),
        writes=(EXCEPTION_STATE,),
        looks=("rebuild-reader", "exception-workflow"),
        transactions="exception-rebuild",
    ),
    Role(name="topics-admin", who="`compat-guard topics diff` and `apply`", administers=PREFIX),
)


def rules(names: Mapping[str, str] | None = None) -> frozenset[Rule]:
    """Every rule of the table. `names` are principals by role, for those other than `User:<role>`.

    Raises SettingsInvalid for an unknown role, and for a principal without a type.
    """
    given = names or {}
    for role, principal in given.items():
        if role not in {known.name for known in ROLES}:
            raise SettingsInvalid(f"there is no role `{role}`; {nearest(role, [known.name for known in ROLES])}")
        if ":" not in principal:
            raise SettingsInvalid(f"`{principal}` is no principal; it looks like `User:{role}`")
    return frozenset(rule for role in ROLES for rule in rules_of(role, given.get(role.name, f"User:{role.name}")))


def page(roles: Iterable[Role] = ROLES) -> str:
    """The table as Markdown, for people."""
    lines = [
        "| role | reads | writes | group | transactional id |",
        "|---|---|---|---|---|",
        *(
            f"| **{role.name}**: {role.who} | {_short(role.reads)} | {_short(role.writes)} "
            f"| {_short(role.groups)} | {_short((role.transactions,) if role.transactions else ())} |"
            if not role.administers
            else f"| **{role.name}**: {role.who} | may create, describe and configure `{role.administers}*` | | | |"
            for role in roles
        ),
    ]
    return "\n".join(lines) + "\n"


def document(of: Iterable[Rule]) -> dict[str, object]:
    """The rules as plain data, by principal, in a stable order."""
    grouped: dict[str, dict[tuple[str, str, str], list[str]]] = {}
    for rule in sorted(of):
        at = (rule.resource, rule.pattern, rule.name)
        grouped.setdefault(rule.principal, {}).setdefault(at, []).append(rule.operation)
    return {
        "acls": [
            {
                "principal": principal,
                "allow": [
                    {"resource": resource, "pattern": pattern, "name": name, "operations": operations}
                    for (resource, pattern, name), operations in allowed.items()
                ],
            }
            for principal, allowed in grouped.items()
        ]
    }


def _short(names: tuple[str, ...]) -> str:
    return ", ".join("all" if name == EVERY_TOPIC else name.removeprefix(PREFIX) for name in names) or "-"


def rules_of(role: Role, principal: str) -> Iterable[Rule]:
    """What a role may do, as rules for this principal."""

    def rule(resource: Resource, name: str, operation: Operation) -> Rule:
        pattern: Pattern = "PREFIXED" if name.endswith("*") else "LITERAL"
        return Rule(principal, resource, name.removesuffix("*"), pattern, operation)

    for topic in role.reads:
        yield rule("TOPIC", topic, "READ")
    for topic in role.writes:
        yield rule("TOPIC", topic, "WRITE")
    for topic in role.describes:
        yield rule("TOPIC", topic, "DESCRIBE")
    for group in role.groups:
        yield rule("GROUP", group, "READ")
    for group in role.looks:
        yield rule("GROUP", group, "DESCRIBE")
    if role.transactions:
        yield rule("TRANSACTIONAL_ID", role.transactions, "WRITE")
    if role.administers:
        for operation in _ADMINISTERS:
            yield rule("TOPIC", f"{role.administers}*", operation)


_ADMINISTERS: Final[tuple[Operation, ...]] = ("CREATE", "DESCRIBE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS")
