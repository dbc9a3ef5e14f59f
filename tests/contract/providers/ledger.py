"""What the ledger promises: a row for every record, whatever it holds."""

from __future__ import annotations

from contract.case import NOON, Case, record
from contract.providers import checker, staleness
from examples.ledgers import MASKER

from processors.configuration.settings import shipped
from processors.contracts.files import load_topics
from processors.events.topics import MATRIX_REFRESHES
from processors.ledger.processor import Ledger
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas

CODEC = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())
TOPICS = load_topics(shipped("config") / "topics.yaml").topics


def ledger() -> Ledger:
    compacted = [topic.name for topic in TOPICS if topic.retention == "compacted"]
    return Ledger(CODEC, {topic.name: topic.event for topic in TOPICS}, MASKER, compacted)


def cases() -> list[Case]:
    (asked, *_), (refreshed, *_) = checker.cases(), staleness.cases()
    return [
        Case(
            name="ledger",
            processor=ledger,
            records=[*asked.records, *refreshed.records, record(MATRIX_REFRESHES, 99, "vendor", None)],
            topics=frozenset(),
            files_unreadable=True,
            unreadable=[
                b"",
                b"\0\0\0",
                b"\1not an event",
                b"\0\x7f\xff\xff\xff\2a",
            ],
            now=NOON,
        )
    ]
