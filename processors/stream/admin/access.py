"""The access rules that a broker keeps: read and changed by the client's admin interface."""

# The client's admin module re-exports its classes and returns bare futures, which strict checking cannot follow.
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, cast

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from processors.contracts.access import Rule
from processors.errors import BrokerUnavailable, GuardError, SettingsInvalid

ANSWER_WITHIN: Final = 10.0
"""Seconds."""

_REFUSED: Final = {
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "this principal may not change access rules",
    KafkaError.SECURITY_DISABLED: "this broker has no authorizer, so every principal may do everything",
}


class AccessRules:
    """The permissions that a broker grants to principals."""

    def __init__(self, admin: AdminClient) -> None:
        self._admin = cast(Any, admin)  # its futures are untyped

    def read(self) -> frozenset[Rule]:
        """Every permission of every principal, from any host. What a principal is denied is left out.

        Raises:
            SettingsInvalid: this principal may not see access rules (a broker answers with an empty list instead of
                an error), or the broker has no authorizer.
            BrokerUnavailable: no broker answers.
        """
        self._refuse_hidden_rules()
        try:
            found = self._admin.describe_acls(_everything(), request_timeout=ANSWER_WITHIN).result()
        except KafkaException as error:
            raise _ours(error) from error
        bindings = cast("list[AclBinding]", found)
        return frozenset(_rule(b) for b in bindings if b.permission_type is AclPermissionType.ALLOW)

    def add(self, rules: Collection[Rule]) -> None:
        """Returns when the broker has all of them. May be repeated. Raises as `read`."""
        if rules:
            self._await(self._admin.create_acls([_binding(rule) for rule in rules], request_timeout=ANSWER_WITHIN))

    def remove(self, rules: Collection[Rule]) -> None:
        """Returns when the broker has none of them. May be repeated. Raises as `read`."""
        if rules:
            filters = [_filter(rule) for rule in rules]
            self._await(self._admin.delete_acls(filters, request_timeout=ANSWER_WITHIN))

    def _await(self, futures: dict[Any, Any]) -> None:
        for future in futures.values():
            try:
                future.result()
            except KafkaException as error:
                raise _ours(error) from error

    def _refuse_hidden_rules(self) -> None:
        """A broker answers a principal that may not see its rules with an empty list."""
        asked = self._admin.describe_cluster(include_authorized_operations=True, request_timeout=ANSWER_WITHIN)
        try:
            may = cast("list[AclOperation] | None", asked.result().authorized_operations)
        except KafkaException as error:
            raise _ours(error) from error
        if not may or AclOperation.DESCRIBE not in may:
            raise SettingsInvalid(
                "this principal may not see the broker's access rules; it needs Describe on the cluster to compare "
                "them, and Alter to change them"
            )


def _binding(rule: Rule) -> AclBinding:
    return cast(Any, AclBinding)(*_place(rule), AclPermissionType.ALLOW)


def _filter(rule: Rule) -> AclBindingFilter:
    return cast(Any, AclBindingFilter)(*_place(rule), AclPermissionType.ALLOW)


def _place(rule: Rule) -> tuple[Any, ...]:
    return (
        ResourceType[rule.resource],
        rule.name,
        ResourcePatternType[rule.pattern],
        rule.principal,
        rule.host,
        AclOperation[rule.operation],
    )


def _rule(binding: AclBinding) -> Rule:
    found: Any = binding
    kind, pattern, operation = found.restype.name, found.resource_pattern_type.name, found.operation.name
    return Rule(found.principal, kind, found.name, pattern, operation, found.host)


def _everything() -> AclBindingFilter:
    return cast(Any, AclBindingFilter)(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )


def _ours(error: KafkaException) -> GuardError:
    cause: KafkaError = error.args[0]
    why = _REFUSED.get(cause.code())
    return (
        SettingsInvalid(why)
        if why
        else BrokerUnavailable(f"the broker does not list its access rules: {cause.str()}")
    )
