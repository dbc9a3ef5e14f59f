"""What is believed of a changelog, and what is written over the rest."""

from __future__ import annotations

from collections.abc import Sequence

from processors.stream.loop.restore import Restored
from processors.stream.loop.state import MOST_REPAIRED, KeyedState, changelog_records
from processors.stream.seals import Seals
from processors.stream.types import Inbound, Outbound, Outcome, StateSpec, Write

SPEC = StateSpec("log", encode=str.encode, decode=bytes.decode)
SEALS = Seals("k1", {"k1": b"1" * 32})
ROTATED = Seals("k2", {**SEALS.keys, "k2": b"2" * 32})
JUNK = b"\xde\xad\xbe\xef"


class Changelog:
    """A partition of a changelog, and the process that writes it."""

    def __init__(self, seals: Seals = SEALS) -> None:
        self.records: list[Inbound] = []
        self.restart(seals)

    def restart(self, seals: Seals = SEALS) -> Restored:
        """What a process that starts now believes."""
        restored = Restored()
        for record in self.records:
            restored.take(record, SPEC, seals)
        self.state, self.seals = KeyedState(), seals
        self.state.take(0, restored)
        return restored

    def write(self, *writes: tuple[str, str | None]) -> None:
        """One transaction of the process."""
        outcome = Outcome(writes=[Write(0, *write) for write in writes])
        self.commit(outcome)

    def commit(self, outcome: Outcome) -> None:
        self.append(changelog_records(SPEC, outcome.writes, self.seals, self.state))
        self.state.apply(outcome.writes)

    def append(self, records: Sequence[Outbound]) -> None:
        self.records += [
            Inbound("log", 0, len(self.records) + n, 0, r.key, r.value, r.headers) for n, r in enumerate(records)
        ]

    def forge(self, key: bytes, value: bytes | None) -> None:
        self.append([Outbound("log", key, value)])

    def compact(self) -> None:
        last = {record.key: record for record in self.records}
        self.records = list(last.values())

    def repair(self) -> Outcome:
        outcome = Outcome()
        self.state.repair(outcome)
        self.commit(outcome)
        return outcome


def test_a_forged_state_changes_nothing_and_is_written_over() -> None:
    """After that, not even compaction leaves anything of it."""
    log = Changelog()
    log.write(("a", "PENDING"), ("b", "USED"))
    log.forge(b"a", b"APPROVED")

    assert log.restart().values == {"a": "PENDING", "b": "USED"}
    outcome = log.repair()
    assert [reject.reason for reject in outcome.rejects] == ["seal_refused"]
    assert outcome.writes == [Write(0, "a", "PENDING")]
    log.compact()
    assert log.restart().values == {"a": "PENDING", "b": "USED"}


def test_junk_under_any_key_is_quarantined_once() -> None:
    """Also under a key that is no text. A second restart finds nothing to do."""
    log = Changelog()
    log.write(("a", "1"))
    for key in (b"a", b"new", JUNK):
        log.forge(key, JUNK)

    assert log.restart().values == {"a": "1"}
    assert {reject.record.key for reject in log.repair().rejects} == {b"a", b"new", JUNK}
    assert log.restart().unsound == {}
    assert log.repair() == Outcome()


def test_a_forged_tombstone_deletes_nothing() -> None:
    log = Changelog()
    log.write(("a", "USED"))
    log.forge(b"a", None)

    assert log.restart().values == {"a": "USED"}


def test_a_state_of_the_past_does_not_come_back() -> None:
    """Its seal is good, and it was sealed before the state that stands."""
    log = Changelog()
    log.write(("a", "APPROVED"))
    approved = log.records[-1]
    log.write(("a", "USED"))
    log.append([Outbound("log", approved.key, approved.value, approved.headers)])

    restored = log.restart()
    assert restored.values == {"a": "USED"}
    assert "number 2 stands before it" in log.repair().rejects[0].message


def test_a_forgery_that_was_written_over_since_is_nobodys_business() -> None:
    log = Changelog()
    log.forge(b"a", JUNK)
    log.write(("a", "1"))

    assert log.restart().unsound == {}


def test_a_key_written_in_the_same_transaction_is_not_written_twice() -> None:
    log = Changelog()
    log.write(("a", "1"))
    log.forge(b"a", JUNK)
    log.restart()

    outcome = Outcome(writes=[Write(0, "a", "2")])
    log.state.repair(outcome)

    assert outcome.writes == [Write(0, "a", "2")]
    assert len(outcome.rejects) == 1


def test_an_aborted_transaction_is_mended_again() -> None:
    """Nothing is forgotten before it is committed."""
    log = Changelog()
    log.forge(b"a", JUNK)
    log.restart()

    for _ in range(2):
        outcome = Outcome()
        log.state.repair(outcome)
        assert (len(outcome.rejects), len(outcome.writes)) == (1, 1)


def test_many_forgeries_are_written_over_a_portion_at_a_time() -> None:
    log = Changelog()
    for number in range(MOST_REPAIRED + 1):
        log.forge(str(number).encode(), JUNK)
    log.restart()

    assert [len(log.repair().rejects) for _ in range(3)] == [MOST_REPAIRED, 1, 0]


def test_after_a_rotation_state_is_sealed_anew() -> None:
    """Then the old key can be dropped."""
    log = Changelog()
    log.write(("a", "1"), ("gone", "2"))
    log.write(("gone", None))

    assert log.restart(ROTATED).values == {"a": "1"}
    outcome = log.repair()
    assert (outcome.rejects, outcome.writes) == ([], [Write(0, "a", "1")])
    log.compact()
    assert log.restart(Seals("k2", {"k2": ROTATED.keys["k2"]})).values == {"a": "1"}


def test_without_its_key_nothing_is_believed() -> None:
    log = Changelog()
    log.write(("a", "1"))

    assert log.restart(Seals("k1", {"k1": b"x" * 32})).values == {}
