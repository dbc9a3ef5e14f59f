"""A refresh is taken whole or not at all, in whatever order, size and company its parts come."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from examples.matrices import HOUR, NOON, a_document, a_rule, documents
from examples.trust import TRUST, as_signed, signed_parts
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.configuration.settings import shipped
from processors.errors import RegistryUnavailable
from processors.matrix.document import MatrixDocument
from processors.matrix.fold import MOST_AHEAD, UNUSABLE, MatrixFold
from processors.matrix.merged import Matrix
from processors.matrix.parts import TOPIC, key_of, withdrawal, withdrawal_of
from processors.stream.types import Inbound, Reject
from processors.stream.wire.schema import Schema

SCHEMA = Schema.read((Path(shipped("schemas")) / "MatrixRefreshed.avsc").read_text("utf-8"))
LARGE = a_document(*[a_rule(notes="x" * 100)] * 40)
OTHER = a_document(*[a_rule(notes="y" * 100)] * 40, revision="2")
SMALL = a_document(a_rule(), revision="3")


def parts(
    document: MatrixDocument, issued_at: int = NOON, largest: int = 2_500, taken_at: int | None = None
) -> list[Inbound]:
    """A refresh as records of the topic, which the broker took when they were issued unless told otherwise."""
    at = issued_at if taken_at is None else taken_at
    return [
        Inbound(TOPIC, 0, 0, at, key_of(document.source, part["part"]), SCHEMA.encode(part))
        for part in signed_parts(document, issued_at, largest=largest)
    ]


def tombstones(source: str, numbers: Iterable[int]) -> list[Inbound]:
    return [Inbound(TOPIC, 0, 0, 0, key_of(source, number), None) for number in numbers]


def a_withdrawal(at: int) -> Inbound:
    """What the source signs to be taken out of effect."""
    record = withdrawal(*as_signed(withdrawal_of("governance", at, at)))
    return Inbound(TOPIC, 0, 0, at, key_of("governance", 1), SCHEMA.encode(record))


def compacted(records: Sequence[Inbound]) -> list[Inbound]:
    """What is left of a log when it has been compacted: the newest record of each key, in its place."""
    newest = {record.key: n for n, record in enumerate(records)}
    return [record for n, record in enumerate(records) if newest[record.key] == n and record.value is not None]


def folded(*records: Sequence[Inbound]) -> tuple[Matrix, list[Reject]]:
    """Each argument is one drain."""
    fold = MatrixFold(SCHEMA.decode, TRUST)
    rejects = [reject for drain in records for reject in fold.apply(drain)]
    return fold.snapshot(), rejects


def standing(matrix: Matrix) -> list[tuple[str, str]]:
    return [(source.name, source.revision) for source in matrix.sources]


@settings(max_examples=30, deadline=None)
@given(documents(), st.randoms(use_true_random=False))
def test_the_order_of_parts_does_not_matter(document: MatrixDocument, random: st.DataObject) -> None:
    """Any permutation, in any number of drains, gives the same matrix."""
    records = parts(document)
    shuffled = list(records)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    one, _ = folded(shuffled)
    many, _ = folded(*[[record] for record in records])

    assert one.document(document.source) == many.document(document.source)
    assert (one.digest, one.sources) == (many.digest, many.sources)


def test_the_order_of_sources_does_not_matter() -> None:
    """Nor does it how their parts are mixed."""
    vendor = a_document(*[a_rule(notes="z" * 100)] * 40, source="vendor")
    ours, theirs = parts(LARGE), parts(vendor)

    after, _ = folded(ours, theirs)
    mixed, _ = folded([record for pair in zip(theirs, ours, strict=True) for record in pair])

    assert standing(after) == standing(mixed) == [("governance", "1"), ("vendor", "1")]
    assert after.digest == mixed.digest


@pytest.mark.parametrize("missing", range(len(parts(LARGE))))
def test_a_refresh_without_one_part_changes_nothing(missing: int) -> None:
    """Whichever part it is, the matrix before it stays in effect until the part comes."""
    refresh = parts(OTHER, NOON + HOUR)
    late = refresh.pop(missing)

    matrix, rejects = folded(parts(LARGE), refresh)
    assert (standing(matrix), rejects) == ([("governance", "1")], [])

    matrix, _ = folded(parts(LARGE), refresh, [late])
    assert standing(matrix) == [("governance", "2")]
    assert len(matrix.rules("corex", "com.acme.crm")) == 40


def test_parts_of_two_refreshes_never_mix() -> None:
    """All numbers are there, but not of one refresh."""
    first, second = parts(LARGE), parts(OTHER, NOON + HOUR)

    matrix, _ = folded([first[0], *second[1:]])

    assert matrix.rules("corex", "com.acme.crm") == []


def test_a_bad_refresh_is_refused_and_the_active_one_stays() -> None:
    """An altered row gives another digest."""
    record = next(signed_parts(SMALL, NOON + HOUR))
    record["rules"][0]["action"] = "allow"
    bad = Inbound(TOPIC, 0, 9, NOON + HOUR, key_of("governance", 1), SCHEMA.encode(record))

    matrix, rejects = folded(parts(LARGE), [bad])

    assert standing(matrix) == [("governance", "1")]
    assert [(reject.record, reject.reason) for reject in rejects] == [(bad, "matrix_refused")]


REFUSED = {
    "bytes that are no event": (key_of("governance", 1), b"\x01\x02"),
    "nothing at all": (key_of("governance", 1), b""),
    "a key that is no part": (b"governance", parts(SMALL)[0].value),
    "no key": (None, parts(SMALL)[0].value),
    "another source's key": (key_of("vendor", 1), parts(SMALL)[0].value),
    "another part's key": (key_of("governance", 2), parts(SMALL)[0].value),
    "a time that no calendar has": (
        key_of("governance", 1),
        SCHEMA.encode({**next(signed_parts(SMALL, NOON)), "issued_at": 2**63 - 1}),
    ),
}


@pytest.mark.parametrize(("key", "value"), REFUSED.values(), ids=REFUSED)
def test_an_unreadable_record_is_one_reject_and_changes_nothing_else(key: bytes | None, value: bytes) -> None:
    """What came before and what comes after is taken."""
    poison = Inbound(TOPIC, 0, 7, 0, key, value)

    matrix, rejects = folded(parts(LARGE), [poison, *parts(a_document(a_rule(), source="security"))])

    assert ("governance", "1") in standing(matrix)
    assert ("security", "1") in standing(matrix)
    assert [reject.record for reject in rejects] == [poison]


def test_a_refresh_from_the_future_is_refused_and_does_not_shut_out_its_correction() -> None:
    """It would be the newest for years. What was good stays, and what corrects it is taken."""
    wrong = parts(OTHER, NOON + 9 * HOUR, taken_at=NOON + HOUR)

    matrix, rejects = folded(parts(LARGE), wrong)
    assert standing(matrix) == [("governance", "1")]
    assert {(reject.reason, "issued at" in reject.message) for reject in rejects} == {("matrix_refused", True)}

    matrix, _ = folded(parts(LARGE), wrong, parts(OTHER, NOON + 2 * HOUR))
    assert standing(matrix) == [("governance", "2")]


def test_a_publisher_whose_clock_is_a_little_ahead_is_believed() -> None:
    """Clocks differ."""
    matrix, rejects = folded(parts(LARGE, NOON + MOST_AHEAD, taken_at=NOON))

    assert (standing(matrix), rejects) == ([("governance", "1")], [])


def test_an_older_refresh_is_refused() -> None:
    """A replayed or late one takes nothing back, and is seen."""
    matrix, rejects = folded(parts(OTHER, NOON + HOUR), parts(LARGE, NOON))

    assert standing(matrix) == [("governance", "2")]
    assert {reject.reason for reject in rejects} == {"untrusted"}


def test_the_same_content_again_renews_the_expiry() -> None:
    """The digest is the same; the times are not."""
    matrix, _ = folded(parts(LARGE), parts(LARGE, NOON + HOUR))

    assert [source.issued_at for source in matrix.sources] == [NOON + HOUR]
    assert len(matrix.rules("corex", "com.acme.crm")) == 40


def test_duplicates_do_not_matter() -> None:
    """The same records again give the same matrix, with all its rows."""
    once, _ = folded(parts(LARGE))
    twice, _ = folded(parts(LARGE), parts(LARGE))

    assert once.document("governance") == twice.document("governance")


def test_a_smaller_refresh_and_its_tombstones_leave_the_smaller_one() -> None:
    """Surplus parts of the larger one before it go away."""
    surplus = tombstones("governance", range(2, len(parts(LARGE)) + 1))

    matrix, rejects = folded(parts(LARGE), [*parts(SMALL, NOON + HOUR), *surplus])

    assert (standing(matrix), rejects) == ([("governance", "3")], [])


def test_tombstones_take_nothing_out_of_effect() -> None:
    """Nobody has signed them."""
    matrix, rejects = folded(parts(LARGE), tombstones("governance", range(1, len(parts(LARGE)) + 1)))

    assert (standing(matrix), rejects) == ([("governance", "1")], [])


def test_a_source_is_withdrawn_by_its_own_word() -> None:
    """It may come back later."""
    surplus = tombstones("governance", range(2, len(parts(LARGE)) + 1))

    withdrawn, rejects = folded(parts(LARGE), [a_withdrawal(NOON + 1), *surplus])
    assert (standing(withdrawn), rejects) == ([], [])

    again, _ = folded(parts(LARGE), [a_withdrawal(NOON + 1), *surplus], parts(SMALL, NOON + 2))
    assert standing(again) == [("governance", "3")]


def test_tombstones_of_nothing_are_nothing() -> None:
    assert standing(folded(tombstones("governance", [1, 2]))[0]) == []


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from([LARGE, OTHER, SMALL]), min_size=1, max_size=4))
def test_a_fresh_process_sees_what_a_running_one_sees(history: list[MatrixDocument]) -> None:
    """The compacted log of good refreshes, each with its tombstones, gives the same matrix as living through it."""
    log: list[Inbound] = []
    for n, document in enumerate(history):
        refresh = parts(document, NOON + n * HOUR)
        log += [*refresh, *tombstones("governance", range(len(refresh) + 1, len(parts(LARGE)) + 1))]

    running, _ = folded(*[[record] for record in log])
    fresh, _ = folded(compacted(log))

    assert (running.digest, running.sources) == (fresh.digest, fresh.sources)
    assert running.document("governance") == fresh.document("governance")


def test_a_source_without_a_whole_refresh_is_shown_as_expired() -> None:
    """After a bad refresh overwrote parts of the good one, a fresh process must not take the source for absent:
    its blocks would be gone without a word."""
    log = [*parts(LARGE), *parts(OTHER, NOON + HOUR)[:2]]

    running, _ = folded(log)
    fresh, _ = folded(compacted(log))

    assert standing(running) == [("governance", "1")]
    assert standing(fresh) == [("governance", UNUSABLE)]
    assert [source.name for source in fresh.expired(NOON)] == ["governance"]


def test_a_source_whose_only_record_is_unreadable_is_shown_as_expired() -> None:
    poison = Inbound(TOPIC, 0, 7, 0, key_of("vendor", 1), b"\x00")

    matrix, rejects = folded([poison])

    assert len(rejects) == 1
    assert standing(matrix) == [("vendor", UNUSABLE)]


def test_a_source_whose_only_record_was_tidied_away_is_absent() -> None:
    """Whatever that record was: nothing is left of which somebody could say that it was in effect."""
    poison = Inbound(TOPIC, 0, 7, 0, key_of("vendor", 1), b"\x00")

    matrix, _ = folded([poison, *tombstones("vendor", [1])])

    assert standing(matrix) == []


def test_a_first_refresh_on_its_way_is_not_there_yet() -> None:
    """A drain may end in the middle of a transaction's records."""
    first, *rest = parts(LARGE)

    assert standing(folded([first])[0]) == []
    assert standing(folded([first], rest)[0]) == [("governance", "1")]


def test_a_source_recovers_with_the_next_whole_refresh() -> None:
    log = compacted([*parts(LARGE), *parts(OTHER, NOON + HOUR)[:2]])

    matrix, _ = folded(log, parts(OTHER, NOON + HOUR))

    assert standing(matrix) == [("governance", "2")]


def test_records_may_be_handed_in_again_after_an_outage() -> None:
    """The registry was away in the middle of a drain; the same drain later gives the same matrix."""
    answers = iter([True, True, False])

    def decode(value: bytes) -> dict[str, object]:
        if not next(answers, True):
            raise RegistryUnavailable("no schema today")
        return SCHEMA.decode(value)

    fold = MatrixFold(decode, TRUST)
    with pytest.raises(RegistryUnavailable):
        fold.apply(parts(LARGE))

    assert fold.apply(parts(LARGE)) == []
    assert fold.snapshot().document("governance") == folded(parts(LARGE))[0].document("governance")


def test_a_snapshot_does_not_change() -> None:
    """Who holds one goes on with it."""
    fold = MatrixFold(SCHEMA.decode, TRUST)
    fold.apply(parts(LARGE))
    before = fold.snapshot()
    fold.apply(parts(OTHER, NOON + HOUR))

    assert standing(before) == [("governance", "1")]
    assert standing(fold.snapshot()) == [("governance", "2")]


def test_parts_on_the_topic_are_known() -> None:
    """So that a publisher can remove the surplus."""
    fold = MatrixFold(SCHEMA.decode, TRUST)
    fold.apply([*parts(LARGE), *parts(SMALL, NOON + HOUR)])

    assert fold.parts("governance") == frozenset(range(1, len(parts(LARGE)) + 1))
    assert fold.parts("vendor") == frozenset()
