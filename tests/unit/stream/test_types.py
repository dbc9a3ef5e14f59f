"""A record's answers go out all together or not at all."""

import pytest

from processors.errors import EventUnreadable, Fatal, RegistryUnavailable
from processors.stream.types import LARGEST_VALUE, Inbound, Outbound, Outcome

RECORD = Inbound("in", 0, 0, 0, b"k", b"v")
ANSWER = Outbound("out", b"k", b"v")


def half_done(outcome: Outcome, error: Exception) -> None:
    with outcome.rejecting(RECORD):
        outcome.publish(ANSWER)
        outcome.put(0, "k", 2)
        raise error


@pytest.mark.parametrize(
    ("error", "reason", "stage"),
    [
        (EventUnreadable("wire", "short"), "unreadable", "wire"),
        (KeyError("x"), "internal", "handle"),
    ],
)
def test_a_record_that_fails_leaves_only_its_reject(error: Exception, reason: str, stage: str) -> None:
    """What the records before it did stays, also under the same key."""
    outcome = Outcome()
    outcome.publish(ANSWER)
    outcome.put(0, "k", 1)

    half_done(outcome, error)

    assert outcome.outputs == [ANSWER]
    assert outcome.overlay == {(0, "k"): 1}
    assert [(r.record, r.reason, r.stage) for r in outcome.rejects] == [(RECORD, reason, stage)]


@pytest.mark.parametrize("error", [RegistryUnavailable("away"), Fatal("gone")])
def test_what_the_record_is_not_to_blame_for_passes_through(error: Exception) -> None:
    with pytest.raises(type(error)):
        half_done(Outcome(), error)


@pytest.mark.parametrize("part", ["key", "value"])
def test_an_answer_that_no_topic_takes_makes_a_dead_letter(part: str) -> None:
    """Found before the transaction: a broker's refusal would come back for ever."""
    outcome = Outcome()
    with outcome.rejecting(RECORD):
        outcome.publish(ANSWER._replace(**{part: b"v" * (LARGEST_VALUE + 1)}))

    assert outcome.outputs == []
    assert outcome.rejects[0].reason == "output_too_large"
