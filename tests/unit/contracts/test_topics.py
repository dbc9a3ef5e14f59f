"""The topics file: what may stand in it, and what the broker is told because of it."""

from __future__ import annotations

import pytest

from processors.contracts.topics import read_topics
from processors.errors import DocumentRefused

DEFAULTS = "defaults: {partitions: 6, compatibility: FULL_TRANSITIVE}\n"


def a_file(*topics: str, defaults: str = DEFAULTS) -> str:
    return defaults + "topics:\n" + "".join(f"  - {{{topic}}}\n" for topic in topics)


def a_topic(name: str = "compat.results", more: str = "retention: 400d") -> str:
    return f"name: {name}, key: request id, written_by: [checker], owner: guard, {more}"


def test_a_retention_in_days_deletes_by_age_alone() -> None:
    """Kept for days means: neither compaction nor a size limit takes a record before its time."""
    file = read_topics(a_file(a_topic(more="retention: 400d")))

    config = file.config(file.topics[0])

    assert config["cleanup.policy"] == "delete"
    assert config["retention.ms"] == str(400 * 24 * 3600 * 1000)
    assert config["retention.bytes"] == "-1"


def test_a_compacted_topic_keeps_the_newest_of_each_key_and_tombstones_for_a_week() -> None:
    """A table must be compacted soon, and a reader that was away for days must still see what was deleted."""
    file = read_topics(a_file(a_topic(more="retention: compacted")))

    config = file.config(file.topics[0])

    assert config["cleanup.policy"] == "compact"
    assert "retention.ms" not in config
    assert int(config["delete.retention.ms"]) >= 7 * 24 * 3600 * 1000
    assert float(config["min.cleanable.dirty.ratio"]) < 0.5


def test_a_topic_overrides_the_defaults_and_values_are_written_as_the_broker_writes_them() -> None:
    """A number, a truth value and a text of the file are all text to the broker."""
    config = "config: {max.message.bytes: 1, preallocate: true}"
    defaults = f"defaults: {{partitions: 6, compatibility: FULL_TRANSITIVE, {config}}}\n"
    file = read_topics(
        a_file(a_topic(more="retention: 1d, partitions: 3, config: {max.message.bytes: 2}"), defaults=defaults)
    )

    topic = file.topics[0]

    assert file.partitions(topic) == 3
    assert file.config(topic)["max.message.bytes"] == "2"
    assert file.config(topic)["preallocate"] == "true"


def test_a_topic_of_empty_records_tells_nothing() -> None:
    """The ledger keeps what tells something: processors write empty records every few seconds, for ever."""
    file = read_topics(a_file(a_topic("a.x"), a_topic("a.clock", "retention: 1h, empty: true")))

    assert [topic.name for topic in file.telling] == ["a.x"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(a_file(a_topic(more="retention: 1d, retension: 2d")), "did you mean `retention`", id="a typo"),
        pytest.param(
            a_file(a_topic(more="retention: 1d, zzz: 2d")), "known are config, empty, event", id="an unknown key"
        ),
        pytest.param(
            a_file(a_topic(), defaults=DEFAULTS + "tpoics: []\n"), "did you mean `topics`", id="at the top"
        ),
        pytest.param(a_file(a_topic(more="retention: 3 days")), "such as `400d`", id="not a duration"),
        pytest.param(a_file(a_topic(more="retention: 0d")), "such as `400d`", id="no time at all"),
        pytest.param(a_file(a_topic(more="retention: 400")), "such as `400d`", id="a duration without its unit"),
        pytest.param(a_file(a_topic("-x")), r"topics\[0\].name", id="a name that no topic has"),
        pytest.param(a_file(a_topic(more="retention: 1d, partitions: 0")), "partitions", id="no partitions"),
        pytest.param(a_file(a_topic(more="retention: 1d, partitions: true")), "partitions", id="not a count"),
        pytest.param(a_file(a_topic(), a_topic()), "declared twice", id="the same topic again"),
        pytest.param(
            a_file(a_topic(more="retention: 1d, config: {retention.ms: 5}")),
            "follows from `retention`",
            id="said twice",
        ),
        pytest.param(
            a_file(
                a_topic("a.x", "retention: 1d, group: g, partitions: 3"), a_topic("a.y", "retention: 1d, group: g")
            ),
            "has 6 partitions, and a.x has 3",
            id="a group of unequal counts",
        ),
        pytest.param(
            a_file(a_topic(), defaults="defaults: {partitions: 6, compatibility: NONE}\n"),
            "FULL_TRANSITIVE",
            id="weaker",
        ),
        pytest.param("- a list", "expected a mapping", id="not a mapping"),
    ],
)
def test_a_topics_file_that_cannot_be_is_refused(text: str, says: str) -> None:
    """Nothing unknown, twice said or impossible gets through, and the message says where and what would do."""
    with pytest.raises(DocumentRefused, match=says):
        read_topics(text)
