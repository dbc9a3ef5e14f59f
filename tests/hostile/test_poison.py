"""Records on which our own code fails in a way that nobody foresaw: the guard goes on, and a bad release cannot
drain a topic into the dead letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from examples.counting import Counting
from examples.ground import Ground, eventually

from processors.embedded import Addresses
from processors.errors import BreakerOpen
from processors.stream.loop.dead_letters import Letter, read_letter
from processors.stream.loop.judge import MOST, POISON
from processors.stream.loop.trials import GIVEN_UP
from processors.stream.types import Inbound, Outcome, View

pytestmark = pytest.mark.stack


class Crash(BaseException):
    """Ends a process as a crash below Python does: nothing in the loop gets to see it."""


class Fragile(Counting):
    """Counting, with bugs: `boom` fails one record, `bang` the whole batch, `crash` the process."""

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        words = {record.value for record in batch}
        if b"crash" in words:
            raise Crash
        if b"bang" in words:
            raise ZeroDivisionError("nobody foresaw this")
        outcome = super().handle([record for record in batch if record.value != b"boom"], view)
        for record in batch:
            with outcome.rejecting(record):
                if record.value == b"boom":
                    raise KeyError("nor this")
        return outcome


@pytest.fixture
def ground(stack: Addresses) -> Iterator[Ground]:
    ground = Ground(stack.bootstrap, stack.registry)
    yield ground
    ground.close()


def handed_in(ground: Ground, *words: bytes) -> Fragile:
    fragile = Fragile(ground.name)
    ground.for_processor(fragile, partitions=1)
    ground.write(fragile.inputs[0], [(b"k", word) for word in words])
    return fragile


def letters(ground: Ground) -> list[Letter]:
    return [letter for record in ground.read(ground.settings.dead_letters) if (letter := read_letter(record))]


def ends(ground: Ground, fragile: Fragile) -> BaseException | None:
    """What a process ends with that is started now."""
    with ground.running(fragile, fails=True) as worker:
        return worker.wait()


def test_what_opened_the_breaker_is_quarantined_by_the_next_process_and_the_rest_goes_on(ground: Ground) -> None:
    """Every restart opened it again, until somebody moved offsets by hand."""
    fragile = handed_in(ground, b"x", *[b"boom"] * 8, b"x")

    assert isinstance(ends(ground, fragile), BreakerOpen)
    assert ground.values(fragile.output) in ([], [b"1"])
    with ground.running(fragile):
        eventually(lambda: ground.values(fragile.output) == [b"1", b"2"])

    assert [letter.offset for letter in letters(ground)] == list(range(1, 9))
    assert {letter.reason for letter in letters(ground)} == {POISON}


def test_a_process_that_has_worked_for_a_while_leaves_its_mark_as_well(ground: Ground) -> None:
    """Only the first records after a takeover are handled under a mark that stands before."""
    fragile = handed_in(ground, b"x")
    with ground.running(fragile, fails=True) as worker:
        eventually(lambda: ground.values(fragile.output) == [b"1"])
        ground.write(fragile.inputs[0], [(b"k", b"boom")] * 8)
        assert isinstance(worker.wait(), BreakerOpen)

    with ground.running(fragile):
        eventually(lambda: len(letters(ground)) == 8)
    assert {letter.reason for letter in letters(ground)} == {POISON}


def test_a_record_that_fails_a_whole_batch_is_found_alone(ground: Ground) -> None:
    """Whatever was in the batch with it is answered, once."""
    fragile = handed_in(ground, b"x", b"x", b"bang", b"x")

    assert isinstance(ends(ground, fragile), ZeroDivisionError)
    with ground.running(fragile):
        eventually(lambda: ground.values(fragile.output) == [b"1", b"2", b"3"])

    assert [(letter.offset, letter.reason) for letter in letters(ground)] == [(2, POISON)]


def test_a_bad_release_cannot_drain_a_topic_faster_than_it_is_started_again(ground: Ground) -> None:
    """Each process quarantines a few records and stops; the repaired release answers what is left."""
    fragile = handed_in(ground, *[b"boom"] * 60)

    for _ in range(3):
        before = len(letters(ground))
        assert isinstance(ends(ground, fragile), BreakerOpen)
        assert len(letters(ground)) - before <= MOST

    with ground.running(Counting(ground.name)):
        eventually(lambda: len(ground.values(fragile.output)) + len(letters(ground)) == 60)


def test_a_record_that_ends_every_process_is_given_up(ground: Ground) -> None:
    """No process can say so itself, since it is gone: the mark that it left does."""
    fragile = handed_in(ground, b"x", b"crash", b"x")

    deaths = 0
    while not letters(ground) and deaths < 3 * GIVEN_UP:
        with ground.running(fragile, fails=True) as worker:
            eventually(lambda worker=worker: letters(ground) or worker.failure)
        deaths += worker.failure is not None

    assert GIVEN_UP <= deaths < 2 * GIVEN_UP
    with ground.running(fragile):
        eventually(lambda: ground.values(fragile.output) == [b"1", b"2"])
    assert [(letter.offset, letter.reason) for letter in letters(ground)] == [(1, POISON)]


def test_a_process_that_is_killed_for_another_reason_leaves_no_record_behind(ground: Ground) -> None:
    """Its mark makes the next one slow for a batch, and nothing worse: good records are answered alone as well."""
    fragile = handed_in(ground, b"x", b"crash")
    assert isinstance(ends(ground, fragile), Crash)

    with ground.running(Counting(ground.name)):
        eventually(lambda: ground.values(fragile.output) == [b"1", b"2"])
    assert letters(ground) == []
