"""`compat-guard topics` against a real broker and a real registry, as an operator runs it."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)
from examples import commands

from processors.embedded import Addresses

pytestmark = pytest.mark.stack

SCHEMA = {
    "type": "record",
    "name": "Result",
    "namespace": "compat",
    "doc": "d",
    "fields": [{"name": "id", "type": "string", "doc": "d"}],
}


@dataclass
class Desk:
    """An operator with topics of a prefix that nobody else has, their files, and the command line."""

    prefix: str
    folder: Path
    stack: Addresses

    def declare(self, *, results: str = "retention: 400d", schema: dict[str, Any] = SCHEMA) -> None:
        """Write topics.yaml and the one schema."""
        (self.folder / "topics.yaml").write_text(
            "defaults: {partitions: 3, compatibility: FULL_TRANSITIVE, config: {max.message.bytes: 100000}}\n"
            "topics:\n"
            f"  - {{name: {self.results}, event: Result, key: k, written_by: [x], owner: o, {results}}}\n"
            f"  - {{name: {self.state}, key: k, written_by: [x], owner: o, retention: compacted}}\n"
        )
        (self.folder / "Result.avsc").write_text(json.dumps(schema))

    @property
    def results(self) -> str:
        return f"{self.prefix}.results"

    @property
    def state(self) -> str:
        return f"{self.prefix}.state"

    def topics(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `compat-guard topics ...` and wait for it."""
        surroundings = {
            **os.environ,
            "GUARD_KAFKA__BOOTSTRAP": self.stack.bootstrap,
            "GUARD_REGISTRY__URL": self.stack.registry,
            "GUARD_CONFIG": str(self.folder),
            "GUARD_SCHEMAS": str(self.folder),
            "COLUMNS": "200",
            **environment,
        }
        return commands.run("topics", *words, environment=surroundings)

    def plan(self, *words: str) -> dict[str, Any]:
        return json.loads(self.topics("diff", "--output", "json", *words).stdout)

    @cached_property
    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.stack.bootstrap})

    def config(self, topic: str) -> dict[str, str]:
        resource = ConfigResource(ResourceType.TOPIC, topic)
        (future,) = self.admin.describe_configs([resource]).values()
        return {key: entry.value for key, entry in future.result(30).items()}

    def set_by_hand(self, topic: str, key: str, value: str) -> None:
        entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        (future,) = self.admin.incremental_alter_configs([resource]).values()
        future.result(30)

    def create_by_hand(self, topic: str, partitions: int, **config: str) -> None:
        (future,) = self.admin.create_topics([NewTopic(topic, partitions, 1, config=config)]).values()
        future.result(30)

    @property
    def registry(self) -> httpx.Client:
        return httpx.Client(base_url=self.stack.registry, trust_env=False, timeout=30)


@pytest.fixture
def desk(stack: Addresses, tmp_path: Path) -> Iterator[Desk]:
    found = Desk(f"t{uuid.uuid4().hex[:12]}", tmp_path, stack)
    found.declare()
    yield found
    mine = [name for name in found.admin.list_topics(timeout=30).topics if name.startswith(found.prefix)]
    for future in found.admin.delete_topics(mine).values() if mine else ():
        future.result(30)


def test_apply_on_an_empty_cluster_makes_all_that_is_declared(desk: Desk) -> None:
    """Topics with their settings, the schema, its level; and a producer may start at once."""
    done = desk.topics("apply")

    assert done.returncode == 0, done.stderr
    assert len(desk.admin.list_topics(timeout=30).topics[desk.results].partitions) == 3
    assert desk.config(desk.results)["retention.ms"] == str(400 * 86_400_000)
    assert desk.config(desk.results)["max.message.bytes"] == "100000"
    assert desk.config(desk.state)["cleanup.policy"] == "compact"
    with desk.registry as registry:
        assert registry.get(f"/subjects/{desk.results}-value/versions").json() == [1]
        assert registry.get(f"/config/{desk.results}-value").json() == {"compatibilityLevel": "FULL_TRANSITIVE"}
    assert desk.topics("diff").returncode == 0


def test_a_second_apply_has_nothing_to_do(desk: Desk) -> None:
    """Deployments run it every time."""
    desk.topics("apply")

    again = desk.topics("apply")

    assert (again.returncode, again.stdout) == (0, "nothing to do\n")


def test_diff_changes_nothing_and_ends_with_1_where_something_is_to_be_done(desk: Desk) -> None:
    """A pipeline that only looks can tell by the exit code."""
    looked = desk.topics("diff")

    assert looked.returncode == 1
    assert f"create   │ {desk.results}" in looked.stdout
    assert desk.results not in desk.admin.list_topics(timeout=30).topics


def test_a_setting_changed_by_hand_is_found_and_set_again(desk: Desk) -> None:
    """Drift is seen by diff with both values, and ended by apply."""
    desk.topics("apply")
    desk.set_by_hand(desk.results, "max.message.bytes", "5000")

    assert desk.plan()["steps"] == [
        {
            "step": "SetConfig",
            "topic": desk.results,
            "key": "max.message.bytes",
            "found": "5000",
            "wanted": "100000",
        }
    ]

    assert desk.topics("apply").returncode == 0
    assert desk.config(desk.results)["max.message.bytes"] == "100000"


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        pytest.param(
            lambda desk: desk.create_by_hand(desk.results, 5), "partitions: 5", id="another partition count"
        ),
        pytest.param(
            lambda desk: desk.create_by_hand(desk.results, 3, **{"retention.ms": "-1"}),
            "--allow-shorter-retention",
            id="a shorter retention",
        ),
        pytest.param(
            lambda desk: desk.create_by_hand(desk.results, 3, **{"cleanup.policy": "compact"}),
            "would delete records that it keeps",
            id="another cleanup policy",
        ),
    ],
)
def test_what_would_lose_data_is_refused_and_nothing_at_all_is_done(
    desk: Desk, prepare: Callable[[Desk], None], says: str
) -> None:
    """Half a change is worse than none: the other topic is not created either."""
    prepare(desk)

    refused = desk.topics("apply")

    assert refused.returncode == 2
    assert says in " ".join(refused.stderr.split())
    assert desk.state not in desk.admin.list_topics(timeout=30).topics


def test_a_shorter_retention_is_set_when_it_is_permitted(desk: Desk) -> None:
    """The way out that the refusal names is one."""
    desk.topics("apply")
    desk.declare(results="retention: 30d")

    assert desk.topics("apply").returncode == 2
    assert desk.topics("apply", "--allow-shorter-retention").returncode == 0
    assert desk.config(desk.results)["retention.ms"] == str(30 * 86_400_000)


def test_a_schema_that_grew_becomes_the_next_version(desk: Desk) -> None:
    """And is found there from then on."""
    desk.topics("apply")
    more = {"name": "more", "type": "int", "doc": "d", "default": 0}
    desk.declare(schema={**SCHEMA, "fields": [*SCHEMA["fields"], more]})

    assert desk.plan()["steps"][0]["version"] == 2
    assert desk.topics("apply").returncode == 0
    assert desk.topics("diff").returncode == 0


def test_a_schema_with_other_docs_is_settled_by_one_apply(desk: Desk) -> None:
    """Whether the registry counts it as a version or not."""
    desk.topics("apply")
    desk.declare(schema={**SCHEMA, "doc": "in other words"})

    desk.topics("apply")

    assert desk.topics("diff").returncode == 0


def test_a_schema_that_breaks_a_reader_is_refused(desk: Desk) -> None:
    """The refusal names the field and what to do."""
    desk.topics("apply")
    desk.declare(schema={**SCHEMA, "fields": [{"name": "id", "type": "int", "doc": "d"}]})

    refused = desk.topics("apply")

    assert refused.returncode == 2
    assert "id: string is not readable as int" in " ".join(refused.stderr.split())
    with desk.registry as registry:
        assert registry.get(f"/subjects/{desk.results}-value/versions").json() == [1]


def test_a_contract_that_is_wrong_by_itself_meets_no_server(desk: Desk) -> None:
    """Lint comes first, so that nothing of a broken contract is applied."""
    desk.declare(schema={**SCHEMA, "doc": ""})

    linted = desk.topics("lint")
    refused = desk.topics("apply")

    assert linted.returncode == 1
    assert "has no doc" in linted.stdout
    assert refused.returncode == 2
    assert desk.results not in desk.admin.list_topics(timeout=30).topics


def test_a_setting_that_the_broker_does_not_know_is_named(desk: Desk) -> None:
    """The file cannot know every broker's settings; the broker's word is passed on."""
    desk.declare(results="retention: 1d, config: {no.such.setting: 1}")

    refused = desk.topics("apply")

    assert refused.returncode == 2
    assert "no.such.setting" in refused.stderr


@pytest.mark.parametrize("down", ["GUARD_KAFKA__BOOTSTRAP", "GUARD_REGISTRY__URL"])
@pytest.mark.parametrize("command", ["diff", "apply"])
def test_a_server_that_does_not_answer_ends_with_3(desk: Desk, command: str, down: str) -> None:
    """Not with "nothing to do", and not with a traceback."""
    nobody = {"GUARD_KAFKA__BOOTSTRAP": "127.0.0.1:1", "GUARD_REGISTRY__URL": "http://127.0.0.1:1"}

    failed = desk.topics(command, **{down: nobody[down]})

    assert failed.returncode == 3
    assert "error:" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_topic_of_ours_that_nobody_declared_is_reported_only(desk: Desk) -> None:
    """Deleting is never this command's business."""
    desk.topics("apply")
    stray = f"{desk.prefix}.stray"
    desk.create_by_hand(stray, 1)

    looked = desk.topics("diff")

    assert looked.returncode == 0
    assert stray in looked.stderr
    assert stray in desk.admin.list_topics(timeout=30).topics


def test_a_record_keeps_the_broker_s_time(desk: Desk) -> None:
    """What the file states reaches the log: a client's own clock does not count where LogAppendTime is declared."""
    desk.declare(results="retention: 1d, config: {message.timestamp.type: LogAppendTime}")
    desk.topics("apply")
    producer = Producer({"bootstrap.servers": desk.stack.bootstrap})
    producer.produce(desk.results, b"x", partition=0, timestamp=1)
    producer.flush(30)

    consumer = Consumer({"bootstrap.servers": desk.stack.bootstrap, "group.id": desk.prefix})
    try:
        consumer.assign([TopicPartition(desk.results, 0, 0)])
        (record,) = consumer.consume(1, 30)
    finally:
        consumer.close()

    kind, at = record.timestamp()
    assert kind == 2
    assert at > 1
