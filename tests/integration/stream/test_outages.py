"""Servers go away and come back: everybody waits, nothing is lost, nothing is a dead letter."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from examples.counting import Counting
from examples.ground import Ground, eventually

from processors.embedded import Stack
from processors.stream.admin.subjects import Subjects
from processors.stream.types import Inbound, Outbound, Outcome, View
from processors.stream.wire.codec import Codec, subject_of
from processors.stream.wire.registry import SchemaRegistry
from processors.stream.wire.schema import Schema, Schemas

pytestmark = pytest.mark.stack

TEXT = '{"type":"record","name":"Word","fields":[{"name":"word","type":"string"}]}'
WORD = Schemas({"Word": Schema.read(TEXT)})


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of one's own, to stop."""
    folder: Path = tmp_path_factory.mktemp("own") / "data"
    with Stack(folder) as stack:
        yield stack


@pytest.fixture
def ground(own: Stack) -> Iterator[Ground]:
    ground = Ground(own.addresses.bootstrap, own.addresses.registry, retry_deadline=20)
    yield ground
    ground.close()


def test_a_broker_that_restarts_is_waited_for(own: Stack, ground: Ground) -> None:
    """Stopped under a processor that is at work, and killed the second time; a Fatal end is followed by a start."""
    counting = Counting(ground.name)
    ground.for_processor(counting)
    with ground.running(counting, supervised=True) as worker:
        for n, end in enumerate((own.kafka.stop, own.kafka.kill), start=1):
            eventually(lambda: worker.health.ready, 60)
            ground.write(counting.inputs[0], [(b"k", b"x")] * 500)
            end()
            own.kafka.start()
            ground.reconnect()
            ground.write(counting.inputs[0], [(b"k", b"x")] * 500)
            eventually(lambda n=n: len(ground.values(counting.output)) == n * 1000, 90)

    assert ground.values(counting.output) == [str(n).encode() for n in range(1, 2001)]


class Reading(Counting):
    """Answers each word with itself, as Avro."""

    def __init__(self, name: str, codec: Codec) -> None:
        super().__init__(name)
        self._decode = codec.decoder(self.inputs[0], "Word")
        self._encode = codec.encoder(self.output, "Word")

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        outcome = Outcome()
        for record in batch:
            with outcome.rejecting(record):
                outcome.publish(Outbound(self.output, b"k", self._encode(self._decode(record.value))))
        return outcome


def test_a_registry_that_is_away_is_a_pause_and_never_a_dead_letter(own: Stack, ground: Ground) -> None:
    """The word is fine; it is read once its schema can be looked up."""
    with httpx.Client(base_url=own.addresses.registry, timeout=30) as client:
        reading = Reading(ground.name, Codec(WORD, SchemaRegistry(client)))
        ground.for_processor(reading)
        _register(client, reading)
        value = Codec(WORD, SchemaRegistry(client)).encoder(reading.inputs[0], "Word")({"word": "hello"})
        own.registry.stop()
        ground.write(reading.inputs[0], [(b"k", value)] * 3)

        with ground.running(reading) as worker:
            eventually(lambda: worker.health.waiting == "RegistryUnavailable", 60)
            assert (worker.health.alive, worker.health.ready) == (True, False)
            own.registry.start()
            _register(client, reading)  # the embedded registry keeps everything in memory
            eventually(lambda: ground.values(reading.output) == [value] * 3, 60)
            eventually(lambda: worker.health.ready)

    assert ground.values(ground.settings.dead_letters) == []


def _register(client: httpx.Client, reading: Reading) -> None:
    for topic in (reading.inputs[0], reading.output):
        Subjects(client).register(subject_of(topic), TEXT)
