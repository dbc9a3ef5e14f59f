"""Builds the ledger's sink: the processor, and its transaction in Postgres."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import ExitStack

from confluent_kafka import Consumer

from processors.bootstrap.clients import stream_settings
from processors.bootstrap.ledger_watch import Watch
from processors.configuration.settings import Settings
from processors.contracts.files import load_topics
from processors.events.topics import LEDGER_ANCHORS
from processors.ledger.anchoring import Anchoring, holding
from processors.ledger.database import connect, require_migrated
from processors.ledger.filing import At
from processors.ledger.keys import read_keys
from processors.ledger.lives import LivingTransaction
from processors.ledger.losses import Bounds
from processors.ledger.numbering import partition_of
from processors.ledger.origins import Identify, Origin
from processors.ledger.processor import Ledger
from processors.ledger.transaction import Committed, PostgresTransaction
from processors.masking.masker import Masker
from processors.stream.admin.identity import identities
from processors.stream.io.clients import admin
from processors.stream.io.clients import bounds as log_bounds
from processors.stream.io.publish import Publisher
from processors.stream.loop.health import Health
from processors.stream.loop.lag import commit_positions
from processors.stream.loop.loop import OpenTransaction
from processors.stream.loop.transaction import persist
from processors.stream.wire.codec import Codec


def ledger(of: Settings, events: Codec) -> Ledger:
    """Reads every declared topic with meaningful records, so that a new topic cannot be forgotten."""
    topics = load_topics(of.config / "topics.yaml").telling
    compacted = [topic.name for topic in topics if topic.retention == "compacted"]
    masker = Masker(read_keys(of.ledger.keys).pseudonyms)
    return Ledger(events, {topic.name: topic.event for topic in topics}, masker, compacted)


def identify(of: Settings) -> Identify:
    """The origins of topics, according to their broker."""
    client = admin(stream_settings(of))

    def found(topics: Collection[str]) -> Mapping[str, Origin]:
        return {name: Origin(*identity) for name, identity in identities(client, topics).items()}

    return found


def bounds(of: Settings) -> Bounds:
    """The bounds of logs, according to their broker."""
    streams = stream_settings(of)
    client = admin(streams)

    def found(partitions: Collection[At]) -> Mapping[At, tuple[int, int]]:
        topics = identities(client, {topic for topic, _ in partitions}) if partitions else {}
        there = [at for at in partitions if at[0] in topics]
        return persist(lambda: log_bounds(client, there), streams.retry_deadline) if there else {}

    return found


def transaction(of: Settings, events: Codec, stack: ExitStack) -> OpenTransaction:
    """A transaction that also reports positions to Kafka, and publishes anchors.

    The last anchors are published at the end.
    """
    engine = connect(of.postgres.url.get_secret_value(), "guard_sink")
    stack.callback(engine.dispose)
    require_migrated(engine)
    publisher = Publisher(stream_settings(of))
    stack.callback(publisher.close)
    encode = events.encoder(LEDGER_ANCHORS, "LedgerAnchored")
    keys = read_keys(of.ledger.keys)
    anchoring = Anchoring(holding(engine), encode, publisher, keys.anchors[-1], of.ledger.anchor_every)
    stack.callback(anchoring.publish_now)

    if of.ledger.compare_every:
        topics = load_topics(of.config / "topics.yaml").telling
        watch = Watch(engine, stream_settings(of), topics, identify(of), of.ledger.compare_every)
        watch.start()
        stack.callback(watch.stop)

    def opened(consumer: Consumer, health: Health) -> LivingTransaction:  # noqa: ARG001 - as every transaction
        tell = commit_positions(consumer)

        def after_commit(committed: Committed) -> None:
            tell({(topic, partition_of(chain)): offset for (topic, chain), offset in committed.positions.items()})
            anchoring(committed)

        return LivingTransaction(
            PostgresTransaction(engine, after_commit, keys=keys.pseudonyms), engine, identify(of)
        )

    return opened
