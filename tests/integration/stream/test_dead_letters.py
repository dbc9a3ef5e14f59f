"""The way into the dead letters and back."""

import json
from collections.abc import Sequence

import pytest
from examples.counting import Counting
from examples.ground import Ground, eventually
from typer.testing import CliRunner

from processors.cli.root import app
from processors.configuration.settings import settings as product_settings
from processors.errors import SettingsInvalid
from processors.stream.io.replay import Wanted, letters, newest, replay
from processors.stream.types import Inbound, Outcome, View

pytestmark = pytest.mark.stack


class Repaired(Counting):
    """The release in which `bad` is a word like any other."""

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        return super().handle(
            [Inbound(r.topic, r.partition, r.offset, r.timestamp, r.key, b"x") for r in batch], view
        )


@pytest.fixture
def counting(ground: Ground) -> Counting:
    """A processor that has quarantined one of three records."""
    counting = Counting(ground.name)
    ground.for_processor(counting)
    ground.write(
        counting.inputs[0], [(b"k", b"x"), (b"k", b"bad"), (b"k", b"x")], headers=[("traceparent", b"00-3")]
    )
    with ground.running(counting):
        eventually(lambda: len(ground.values(counting.output)) == 2)
    return counting


def test_a_replayed_record_is_what_it_was(ground: Ground, counting: Counting) -> None:
    """Same topic, key, bytes and headers, and a mark that it was sent again."""
    found = list(letters(ground.settings, Wanted(reason="unreadable")))

    assert replay(ground.settings, found, {counting.inputs[0]}) == 1

    [*_, again] = [r for r in ground.read(counting.inputs[0]) if r.value == b"bad"]
    assert (again.key, again.value) == (b"k", b"bad")
    assert again.headers == (("traceparent", b"00-3"), ("guard.replayed", b"0:0"))


def test_a_repaired_release_answers_what_is_replayed(ground: Ground, counting: Counting) -> None:
    with ground.running(Repaired(ground.name)):
        replay(ground.settings, letters(ground.settings, Wanted()), {counting.inputs[0]})
        eventually(lambda: ground.values(counting.output) == [b"1", b"2", b"3"])


def test_what_still_fails_comes_back_with_its_mark(ground: Ground, counting: Counting) -> None:
    """So nobody replays it for ever without noticing."""
    replay(ground.settings, letters(ground.settings, Wanted()), {counting.inputs[0]})
    with ground.running(counting):
        eventually(lambda: len(ground.read(ground.settings.dead_letters)) == 2)

    assert ("guard.replayed", b"0:0") in ground.read(ground.settings.dead_letters)[1].headers
    assert [letter.again for letter in newest(letters(ground.settings, Wanted()))] == ["0:0"]


def test_sending_all_of_them_again_and_again_sends_each_once(ground: Ground, counting: Counting) -> None:
    """What came back stands for what was sent; else the topic would double each time."""
    for times in range(2, 5):
        chosen = newest(letters(ground.settings, Wanted()))
        assert replay(ground.settings, chosen, {counting.inputs[0]}) == 1
        with ground.running(counting):
            eventually(lambda times=times: len(ground.read(ground.settings.dead_letters)) == times)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (Wanted(), 1),
        (Wanted(reason="internal"), 0),
        (Wanted(topic="elsewhere"), 0),
        (Wanted(processor="somebody"), 0),
        (Wanted(since=2**50), 0),
        (Wanted(since=1), 1),
        (Wanted(ids={"0:0"}), 1),
        (Wanted(ids={"0:1"}), 0),
    ],
)
def test_dead_letters_are_picked_by_what_they_say(
    ground: Ground, counting: Counting, wanted: Wanted, count: int
) -> None:
    assert len(list(letters(ground.settings, wanted))) == count


def test_a_forged_dead_letter_cannot_write_where_it_likes(ground: Ground, counting: Counting) -> None:
    """Where a letter came from is its own word, so only declared topics are written to."""
    with pytest.raises(SettingsInvalid, match="nobody declares"):
        replay(ground.settings, letters(ground.settings, Wanted()), {"another"})


def test_a_record_too_large_to_copy_is_fetched_from_where_it_lay(ground: Ground) -> None:
    """The dead letter keeps its beginning, the replay sends all of it, with its headers."""
    counting = Counting(ground.name)
    ground.for_processor(counting, partitions=1)
    large = b"bad".ljust(900_000, b".")

    class Strict(Counting):
        def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
            bad = [Inbound(r.topic, r.partition, r.offset, r.timestamp, r.key, b"bad", r.headers) for r in batch]
            outcome = super().handle(bad, view)
            outcome.rejects = [reject._replace(record=r) for reject, r in zip(outcome.rejects, batch, strict=True)]
            return outcome

    ground.write(counting.inputs[0], [(b"k", large)], headers=[("big", b"h" * 120_000)])
    with ground.running(Strict(ground.name)):
        eventually(lambda: ground.read(ground.settings.dead_letters))

    [letter] = letters(ground.settings, Wanted())
    assert letter.truncated
    assert len(letter.record.value or b"") == 1000
    replay(ground.settings, [letter], {counting.inputs[0]})
    [_, again] = ground.read(counting.inputs[0])
    assert again.value == large
    assert again.headers == (("big", b"h" * 120_000), ("guard.replayed", b"0:0"))


def test_the_command_lists_shows_and_rehearses(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the topic that the configuration names; a rehearsal sends nothing."""
    monkeypatch.setenv("GUARD_KAFKA__BOOTSTRAP", ground.settings.bootstrap)
    product_settings.cache_clear()
    if "compat.dead-letters" not in ground.names():
        ground.topics("compat.dead-letters", partitions=1)
    headers = {
        "__streams.errors.topic": "compat.install-requests",
        "__streams.errors.partition": "0",
        "__streams.errors.offset": "7",
        "__streams.errors.message": "the word is bad",
        "guard.errors.processor": ground.name,
        "guard.errors.reason": "unreadable",
        "guard.errors.stage": "body",
    }
    ground.write("compat.dead-letters", [(b"k", b"bad")], headers=headers)

    run = CliRunner().invoke
    listed = run(app, ["dead-letters", "list", "--processor", ground.name, "-o", "json"])
    [facts] = json.loads(listed.stdout)
    none = run(app, ["dead-letters", "list", "--processor", ground.name, "--reason", "nonsense"])
    shown = json.loads(run(app, ["dead-letters", "show", facts["id"]]).stdout)
    rehearsed = run(app, ["dead-letters", "replay", "--processor", ground.name, "--dry-run"])
    product_settings.cache_clear()

    assert facts["from"] == "compat.install-requests/0@7"
    assert (none.exit_code, none.stdout.startswith("none of these; there ")) == (0, True)
    assert (shown["key"], shown["bytes"]) == ("k", 3)
    assert shown["headers"]["guard.errors.stage"] == "body"
    assert rehearsed.stdout == f"{facts['id']} to compat.install-requests\n"
