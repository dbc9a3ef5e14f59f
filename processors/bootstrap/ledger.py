"""How the ledger's sink is put together: the processor, and its transaction in Postgres."""

from __future__ import annotations

from contextlib import ExitStack

from confluent_kafka import Consumer

from processors.bootstrap.clients import stream_settings
from processors.configuration.settings import Settings
from processors.contracts.files import load_topics
from processors.events.topics import LEDGER_ANCHORS
from processors.ledger.anchoring import Anchoring, holding
from processors.ledger.database import connect, require_migrated
from processors.ledger.keys import read_keys
from processors.ledger.processor import Ledger
from processors.ledger.transaction import Committed, PostgresTransaction
from processors.masking.masker import Masker
from processors.stream.io.publish import Publisher
from processors.stream.loop.health import Health
from processors.stream.loop.lag import commit_positions
from processors.stream.loop.loop import OpenTransaction
from processors.stream.wire.codec import Codec


def ledger(of: Settings, events: Codec) -> Ledger:
    """Every declared topic whose records say something is read, so that a new one cannot be forgotten."""
    topics = load_topics(of.config / "topics.yaml").telling
    compacted = [topic.name for topic in topics if topic.retention == "compacted"]
    masker = Masker(read_keys(of.ledger.keys).pseudonyms)
    return Ledger(events, {topic.name: topic.event for topic in topics}, masker, compacted)


def transaction(of: Settings, events: Codec, stack: ExitStack) -> OpenTransaction:
    """A transaction that also tells Kafka the positions, and publishes anchors. The last ones go out at the end."""
    engine = connect(of.postgres.url.get_secret_value(), "guard_sink")
    stack.callback(engine.dispose)
    require_migrated(engine)
    publisher = Publisher(stream_settings(of))
    stack.callback(publisher.close)
    encode = events.encoder(LEDGER_ANCHORS, "LedgerAnchored")
    keys = read_keys(of.ledger.keys)
    anchoring = Anchoring(holding(engine), encode, publisher, keys.anchors[-1], of.ledger.anchor_every)
    stack.callback(anchoring.publish_now)

    def opened(consumer: Consumer, health: Health) -> PostgresTransaction:  # noqa: ARG001 - as every transaction
        tell = commit_positions(consumer)

        def after_commit(committed: Committed) -> None:
            tell(committed.positions)
            anchoring(committed)

        return PostgresTransaction(engine, after_commit, keys=keys.pseudonyms)

    return opened
