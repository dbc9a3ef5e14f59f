"""What leads from a cluster as it is to one as declared, and what must not be done to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from processors.contracts.files import Contract, schema_text
from processors.contracts.plan import (
    Actual,
    ActualSubject,
    ActualTopic,
    Create,
    Plan,
    RegisterSchema,
    SetCompatibility,
    SetConfig,
    diff,
)
from processors.contracts.topics import read_topics

TEXT = """
defaults: {partitions: 6, compatibility: FULL_TRANSITIVE, config: {max.message.bytes: 1000}}
topics:
  - {name: compat.results, event: Result, key: request id, written_by: [checker], owner: guard, retention: 400d}
  - {name: compat.state, key: exception id, written_by: [workflow], owner: guard, retention: compacted}
"""
SCHEMA = {
    "type": "record",
    "name": "Result",
    "namespace": "compat",
    "doc": "d",
    "fields": [{"name": "id", "type": "string", "doc": "d"}],
}
CONTRACT = Contract(read_topics(TEXT), {"Result": SCHEMA}, {"Result": ()})
RESULTS, STATE = CONTRACT.topics.topics


def as_declared() -> Actual:
    """A cluster on which everything is as the contract wants it."""
    return Actual(
        {topic.name: ActualTopic(6, CONTRACT.topics.config(topic)) for topic in (RESULTS, STATE)},
        {RESULTS.subject: ActualSubject((schema_text(SCHEMA),), "FULL_TRANSITIVE", True)},
    )


def with_topic(name: str, *, partitions: int = 6, **config: str) -> Actual:
    """As declared but for one topic; settings are written with _ for a dot."""
    actual = as_declared()
    changed = {key.replace("_", "."): value for key, value in config.items()}
    topic = ActualTopic(partitions, {**actual.topics[name].config, **changed})
    return replace(actual, topics={**actual.topics, name: topic})


def with_subject(*versions: Any, level: str | None = "FULL_TRANSITIVE") -> Actual:
    """As declared but for the subject, where the registry does not find the declared schema."""
    subject = ActualSubject(tuple(map(schema_text, versions)), level, False)
    return replace(as_declared(), subjects={RESULTS.subject: subject})


def a_schema(*fields: dict[str, Any]) -> dict[str, Any]:
    return {**SCHEMA, "fields": [*SCHEMA["fields"], *fields]}


def test_where_all_is_as_declared_there_is_nothing_to_do() -> None:
    """The second apply has an empty plan."""
    assert diff(CONTRACT, as_declared()) == Plan((), (), ())


def test_an_empty_cluster_gets_topics_schemas_and_levels_in_that_order() -> None:
    """Some registries know a subject only once it has a version, so its level comes after the first."""
    plan = diff(CONTRACT, Actual({}, {}))

    assert plan.steps == (
        Create("compat.results", 6, CONTRACT.topics.config(RESULTS)),
        Create("compat.state", 6, CONTRACT.topics.config(STATE)),
        RegisterSchema("compat.results-value", 1, schema_text(SCHEMA)),
        SetCompatibility("compat.results-value", None, "FULL_TRANSITIVE"),
    )
    assert not plan.refusals


def test_a_setting_that_somebody_changed_by_hand_is_set_again() -> None:
    """The file is the truth; a setting that it does not mention is left alone."""
    plan = diff(CONTRACT, with_topic("compat.results", max_message_bytes="5", segment_bytes="77"))

    assert plan.steps == (SetConfig("compat.results", "max.message.bytes", "5", "1000"),)


def test_a_longer_retention_is_simply_set() -> None:
    """Keeping more loses nothing. A topic that the broker created by itself keeps a week."""
    plan = diff(CONTRACT, with_topic("compat.results", retention_ms="604800000"))

    assert [type(step) for step in plan.steps] == [SetConfig]
    assert not plan.refusals


@pytest.mark.parametrize("kept", ["-1", str(401 * 86_400_000)], ids=["without end", "a day longer"])
def test_a_shorter_retention_needs_permission(kept: str) -> None:
    """Records that are kept today would be gone within minutes."""
    actual = with_topic("compat.results", retention_ms=kept)

    refused, allowed = diff(CONTRACT, actual), diff(CONTRACT, actual, allow_shorter_retention=True)

    assert not refused.steps
    assert "--allow-shorter-retention" in refused.refusals[0].way_out
    assert [type(step) for step in allowed.steps] == [SetConfig]
    assert not allowed.refusals


@pytest.mark.parametrize(
    ("topic", "policy", "refused"),
    [
        pytest.param("compat.results", "compact", True, id="compacted to deleted by age"),
        pytest.param("compat.state", "delete", True, id="deleted by age to compacted"),
        pytest.param("compat.results", "compact,delete", False, id="one of two reasons to delete is dropped"),
        pytest.param("compat.state", "delete,compact", False, id="the other one is dropped"),
    ],
)
def test_a_cleanup_policy_may_only_keep_more(topic: str, policy: str, refused: bool) -> None:
    """Each policy deletes what the other keeps: old records the one, earlier records of a key the other."""
    plan = diff(CONTRACT, with_topic(topic, cleanup_policy=policy))

    assert bool(plan.refusals) is refused
    assert bool(plan.steps) is not refused


@pytest.mark.parametrize("partitions", [3, 12])
def test_another_partition_count_moves_keys_and_is_refused(partitions: int) -> None:
    """Kafka could raise the count, and then a key's new records would overtake its old ones."""
    plan = diff(CONTRACT, with_topic("compat.results", partitions=partitions))

    assert not plan.steps
    assert f"declare `partitions: {partitions}`" in plan.refusals[0].way_out


def test_a_schema_that_grew_is_registered_as_the_next_version() -> None:
    """The level is set before, so that the registry judges the new version by it."""
    contract = replace(
        CONTRACT, schemas={"Result": a_schema({"name": "x", "type": "int", "doc": "d", "default": 0})}
    )

    plan = diff(contract, with_subject(SCHEMA, level="BACKWARD"))

    assert [type(step) for step in plan.steps] == [SetCompatibility, RegisterSchema]
    assert plan.steps[1] == RegisterSchema("compat.results-value", 2, schema_text(contract.schemas["Result"]))


def test_a_schema_that_breaks_a_reader_is_refused_before_the_registry_is_asked() -> None:
    """It is judged against every version, not only against the last."""
    contract = replace(CONTRACT, schemas={"Result": a_schema({"name": "x", "type": "int", "doc": "d"})})

    plan = diff(contract, with_subject(SCHEMA))

    assert not plan.steps
    assert "x: is not written and has no default" in plan.refusals[0].why


def test_only_the_registry_says_whether_a_schema_is_another_version() -> None:
    """Reworded docs are a version to one registry and none to another, and processors look up what they have."""
    plan = diff(CONTRACT, with_subject({**SCHEMA, "doc": "in other words"}))

    assert plan.steps == (RegisterSchema("compat.results-value", 2, schema_text(SCHEMA)),)


def test_a_subject_that_holds_something_unreadable_is_left_alone() -> None:
    """Somebody else uses this registry for something else; going on would mix the two."""
    recursive = {**SCHEMA, "fields": [{"name": "self", "type": ["null", "Result"]}]}

    plan = diff(CONTRACT, with_subject(recursive))

    assert "contains itself" in plan.refusals[0].why


def test_a_topic_that_nobody_declared_is_reported_and_left_alone() -> None:
    """Only topics of our own prefix are anybody's business here."""
    actual = as_declared()
    strangers = {name: ActualTopic(1, {}) for name in ("compat.forgotten", "orders", "__consumer_offsets")}

    plan = diff(CONTRACT, replace(actual, topics={**actual.topics, **strangers}))

    assert plan.unknown == ("compat.forgotten",)
    assert plan.is_empty


@pytest.mark.parametrize(
    ("replicas", "in_sync", "outlives"),
    [
        pytest.param(3, "2", True, id="two of three"),
        pytest.param(3, "1", False, id="one alone may have it"),
        pytest.param(3, "3", False, id="nobody can write while one is away"),
        pytest.param(2, "2", False, id="two of two"),
        pytest.param(1, "1", False, id="one"),
        pytest.param(0, "2", False, id="no partition"),
    ],
)
def test_a_topic_outlives_a_broker_where_two_of_three_have_each_record(
    replicas: int, in_sync: str, outlives: bool
) -> None:
    assert ActualTopic(6, {"min.insync.replicas": in_sync}, replicas).outlives_a_broker is outlives
