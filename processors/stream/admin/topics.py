"""The contract on the broker, and the only place that carries out a plan."""

# The client's admin module re-exports its classes and returns bare futures, which strict checking cannot follow.
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from processors.contracts.files import Contract, schema_text
from processors.contracts.plan import (
    Actual,
    ActualTopic,
    Create,
    Plan,
    RegisterSchema,
    SetCompatibility,
    SetConfig,
    Step,
)
from processors.errors import BrokerUnavailable, ContractBroken, GuardError, SettingsInvalid
from processors.stream.admin.subjects import Subjects

ANSWER_WITHIN = 10.0
VISIBLE_WITHIN = 30.0
"""Seconds."""

_Futures = dict[Any, Future[Any]]

_BROKERS_DEFAULT = -1
_INVALID = (
    KafkaError.INVALID_CONFIG,
    KafkaError.INVALID_PARTITIONS,
    KafkaError.INVALID_REPLICATION_FACTOR,
    KafkaError.POLICY_VIOLATION,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TOPIC_EXCEPTION,
)


class Cluster:
    """A broker and a registry whose topics and schemas are compared with the contract."""

    def __init__(self, admin: AdminClient, subjects: Subjects) -> None:
        self._admin, self._subjects = admin, subjects

    def read(self, declared: Contract) -> Actual:
        """The present state. The settings of undeclared topics are left out.

        Raises:
            BrokerUnavailable, RegistryUnavailable: one of them does not answer.
            SettingsInvalid: one of them refuses our credentials.
        """
        file = declared.topics
        listed = _listed(self._admin)
        configs = _configs(self._admin, [topic.name for topic in file.topics if topic.name in listed])
        topics = {name: _actual(topic, configs.get(name, {})) for name, topic in listed.items()}
        texts = {topic.subject: schema_text(declared.schemas[topic.event]) for topic in file.topics if topic.event}
        return Actual(topics, {subject: self._subjects.read(subject, text) for subject, text in texts.items()})

    def apply(self, plan: Plan) -> None:
        """Carry out every step; returns when the broker shows each topic. May be repeated after any failure.

        Raises:
            ContractBroken: the plan has refusals, and nothing was done; or the registry refused a schema.
            SettingsInvalid: the broker refused a setting, or our credentials.
            BrokerUnavailable, RegistryUnavailable: one of them does not answer; the steps before took effect.
        """
        if plan.refusals:
            raise ContractBroken("\n".join(map(str, plan.refusals)))
        _create(self._admin, [step for step in plan.steps if isinstance(step, Create)])
        for step in plan.steps:
            _do(step, self._admin, self._subjects)


def _do(step: Step, admin: AdminClient, subjects: Subjects) -> None:
    match step:
        case Create():
            return  # all at once, before
        case SetConfig():
            _set_config(admin, step)
        case RegisterSchema():
            subjects.register(step.subject, step.text)
        case SetCompatibility():
            subjects.set_compatibility(step.subject, step.wanted)


def _create(admin: AdminClient, steps: Collection[Create]) -> None:
    if not steps:
        return
    topics = [NewTopic(step.topic, step.partitions, _BROKERS_DEFAULT, config=dict(step.config)) for step in steps]
    asked = cast("_Futures", admin.create_topics(topics, request_timeout=ANSWER_WITHIN))
    for _ in _results(asked, "cannot create topic", unless=KafkaError.TOPIC_ALREADY_EXISTS):
        pass  # each is awaited; a topic that exists already was created by a concurrent apply
    _await_visible(admin, {step.topic: step.partitions for step in steps})


def _await_visible(admin: AdminClient, wanted: Mapping[str, int]) -> None:
    """A producer that starts too early would get the error that its topic does not exist."""
    deadline = time.monotonic() + VISIBLE_WITHIN
    while missing := wanted.items() - _led(admin).items():
        if time.monotonic() > deadline:
            names = ", ".join(sorted(name for name, _ in missing))
            raise BrokerUnavailable(
                f"the broker does not show {names} as declared, {VISIBLE_WITHIN:g} s after creation"
            )
        time.sleep(0.1)


def _set_config(admin: AdminClient, step: SetConfig) -> None:
    entry = ConfigEntry(step.key, step.wanted, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, step.topic, incremental_configs=[entry])
    asked = cast("_Futures", admin.incremental_alter_configs([resource], request_timeout=ANSWER_WITHIN))
    list(_results(asked, f"cannot set `{step.key}` of topic"))


def _listed(admin: AdminClient) -> Mapping[str, Any]:
    try:
        return admin.list_topics(timeout=ANSWER_WITHIN).topics
    except KafkaException as error:
        raise _ours(error, "the broker does not list its topics") from error


def _actual(listed: Any, config: Mapping[str, str]) -> ActualTopic:
    partitions = listed.partitions.values()
    return ActualTopic(len(partitions), config, min((len(each.replicas) for each in partitions), default=0))


def _led(admin: AdminClient) -> Mapping[str, int]:
    """For every topic, how many of its partitions can be written to by now."""
    return {name: sum(p.leader >= 0 for p in of.partitions.values()) for name, of in _listed(admin).items()}


def _configs(admin: AdminClient, names: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    if not resources:
        return {}
    asked = cast("_Futures", admin.describe_configs(resources, request_timeout=ANSWER_WITHIN))
    return {
        name: {key: entry.value or "" for key, entry in entries.items()}
        for name, entries in _results(asked, "cannot describe topic")
    }


def _results(futures: _Futures, failing: str, *, unless: int | None = None) -> Iterator[tuple[str, Any]]:
    """Await each response. Yields the topic's name and the broker's result for it."""
    for of, future in futures.items():
        name = of if isinstance(of, str) else of.name
        try:
            yield name, future.result()
        except KafkaException as error:
            if error.args[0].code() != unless:
                raise _ours(error, f"{failing} `{name}`") from error


def _ours(error: KafkaException, what: str) -> GuardError:
    cause: KafkaError = error.args[0]
    return (SettingsInvalid if cause.code() in _INVALID else BrokerUnavailable)(f"{what}: {cause.str()}")
