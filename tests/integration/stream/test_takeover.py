"""Partitions that are taken over while the database of their offsets is away wait for it, and nothing ends."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import pytest
from examples.ground import Ground, eventually

from processors.embedded import Addresses
from processors.errors import DatabaseUnavailable
from processors.stream.loop.transaction import At
from processors.stream.types import Inbound, Outbound, Outcome, View

pytestmark = pytest.mark.stack


class Keeping:
    """Keeps what it reads of two topics."""

    tables = ()
    state = None

    def __init__(self, name: str) -> None:
        self.name, self.inputs = name, (f"{name}-a", f"{name}-b")
        self.kept: list[tuple[str, bytes | None]] = []

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        self.kept += [(record.topic, record.value) for record in batch]
        return Outcome()

    def tick(self, now: int, view: View) -> Outcome:
        return Outcome()


class Away:
    """The transaction of a database that is away as often as `times` says when it is asked for offsets."""

    def __init__(self, times: int, known: Mapping[At, int]) -> None:
        self.left, self.known = times, known

    def committed(self, partitions: Sequence[At]) -> Mapping[At, int]:
        if not partitions:
            return {}
        self.left -= 1
        if self.left >= 0:
            raise DatabaseUnavailable("no answer")
        return {at: self.known[at] for at in partitions if at in self.known}

    def given_up(self, partitions: Collection[At]) -> Mapping[At, int]:
        return {}

    def way_on(self, partitions: Collection[At], to: str) -> str:
        raise AssertionError(f"nothing is lost of {partitions}, and nobody asks how to go on from the {to}")

    def begin(self) -> None: ...
    def write(self, outcome: Outcome, records: Sequence[Outbound]) -> None: ...
    def advance(self, positions: Mapping[At, int]) -> None: ...
    def commit(self) -> None: ...
    def abort(self) -> None: ...


@pytest.mark.parametrize("protocol", ["consumer", "classic"])
def test_partitions_wait_for_the_database_of_their_offsets(
    stack: Addresses, protocol: Literal["consumer", "classic"]
) -> None:
    """Each is read from where it stood, and nothing before: what is paused is not read from its beginning."""
    ground = Ground(stack.bootstrap, stack.registry, protocol=protocol)
    keeping = Keeping(ground.name)
    ground.topics(*keeping.inputs, partitions=1)
    for topic in keeping.inputs:
        ground.write(topic, [(b"k", b"old"), (b"k", b"new")])
    away = Away(4, {(topic, 0): 1 for topic in keeping.inputs})

    def opened(*_: Any) -> Away:
        return away

    with ground.running(keeping, transaction=opened) as worker:
        eventually(lambda: len(keeping.kept) >= 2)
        eventually(lambda: worker.health.ready)
        for topic in keeping.inputs:
            ground.write(topic, [(b"k", b"newer")])
        eventually(lambda: len(keeping.kept) >= 4)

    assert away.left < 0
    wanted = [(topic, value) for topic in keeping.inputs for value in (b"new", b"newer")]
    assert sorted(keeping.kept) == sorted(wanted)
    ground.close()
