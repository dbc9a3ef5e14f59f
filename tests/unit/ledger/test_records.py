from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.configuration.settings import shipped
from processors.documents.canonical import canonical
from processors.ledger.filing import bisect, copy_line
from processors.ledger.records import (
    COLUMNS,
    ID_CONFLICT,
    RECHECK,
    SHAPES,
    UNREADABLE,
    Row,
    as_conflict,
    as_refused,
    canonical_row,
    dead_letter_row,
    row_of,
    unreadable_row,
)
from processors.ledger.samples import Sample, blank, story
from processors.masking.masker import Masker
from processors.masking.pseudonyms import PseudonymKeys
from processors.stream.types import Inbound

MASKER = Masker(PseudonymKeys("k1", {"k1": b"1" * 32}))


def a_row(sample: Sample, value: bytes = b"bytes") -> Row:
    return row_of(Inbound(sample.topic, 0, 7, 1_790_000_000_123, b"k", value), sample.value, sample.event, MASKER)


def the(event: str) -> list[Sample]:
    return [sample for sample in story(1) if sample.event == event]


def test_every_event_of_the_contract_becomes_a_row() -> None:
    """One without a shape is filed all the same; a shape without an event is a misspelt one."""
    events = {path.stem for path in shipped("schemas").glob("*.avsc")}

    assert set(SHAPES) <= events
    for event in events:
        row = row_of(Inbound("t", 0, 0, 0, b"", b""), blank(event, {}), event, MASKER)
        assert row.event_id


def test_what_can_be_searched_is_in_columns() -> None:
    """Plugin, host, operator, band, exception and findings of a block."""
    row = a_row(the("InstallBlocked")[0])

    assert (row.plugin_id, row.host_version, row.band, row.verdict) == ("plugin-1", "1.1.0", "HIGH", "BLOCK")
    assert row.finding_codes == ("HOST_TOO_OLD",)
    assert row.operator == MASKER.pseudonym("alice-1@example.com")


def test_the_approver_is_who_decided_a_step() -> None:
    """A clock that acts is no approver."""
    requested, step, approved, used = map(a_row, the("ExceptionDecided"))

    assert requested.approver is None
    assert step.approver == approved.approver == MASKER.pseudonym("carol-1@example.com")
    assert used.approver is None
    assert (approved.state, approved.approval_id is not None) == ("APPROVED", True)


def test_no_name_is_left_in_a_row() -> None:
    """People are pseudonyms in columns and payload alike."""
    for sample in story(1):
        assert "example.com" not in canonical_row(a_row(sample)).decode()


def test_a_retry_with_another_time_is_the_same_request() -> None:
    """A sender that retries stamps anew; what it asks is what counts."""
    sample = the("InstallRequested")[0]
    later = sample._replace(value={**sample.value, "requested_at": sample.value["requested_at"] + 5})
    other = sample._replace(value={**sample.value, "target": "elsewhere"})

    assert a_row(sample).same == a_row(later, b"other bytes").same != a_row(other).same


def test_an_answer_given_twice_is_the_same_answer() -> None:
    """A request that is published twice is answered twice, at two times and perhaps under a refreshed expiry."""
    told = {"decided_at": 2, "report_url": "https://guard.example/requests/r", "matrix_expires_at": 3}
    for kind in ("CompatibilityChecked", "InstallBlocked"):
        sample = the(kind)[0]
        again = sample._replace(value={**sample.value, **told, "exception_possible": True})
        other = sample._replace(value={**sample.value, "verdict": "WARN"})

        assert a_row(sample).same == a_row(again, b"other bytes").same != a_row(other, b"third").same


def test_a_question_asked_again_by_the_guard_says_so() -> None:
    """Re-checks are no requests of people, and metrics tell them apart."""
    sample = the("InstallRequested")[0]

    assert a_row(sample).state is None
    assert a_row(sample._replace(value={**sample.value, "recheck_of": "r"})).state == RECHECK


def test_an_unreadable_record_leaves_its_address_and_digest_only() -> None:
    """Nobody can mask what nobody can read."""
    headers = [("h", b"password=hunter2"), ("x-password", b"hunter2"), ("token=hunter2", b"")]
    record = Inbound("compat.results", 1, 2, 3, b"canary-key", b"canary-value", headers)
    row = unreadable_row(record, "unreadable", "the first byte is 115")

    assert row.status == UNREADABLE
    assert not any(word in row.payload for word in ("canary", "hunter2"))
    assert json.loads(row.payload)["size"] == 12


def test_a_dead_letter_says_why_and_keeps_no_bytes() -> None:
    """Its headers are words of ours; its bytes may be anything."""
    record = Inbound(
        "compat.dead-letters",
        0,
        2,
        3,
        None,
        b"\xffcanary",
        [("guard.errors.reason", b"unreadable"), ("x", None), ("x-api-key", b"hunter2"), ("pwd=hunter2", b"-")],
    )
    row = dead_letter_row(record)

    assert (row.kind, row.reason) == ("DeadLetter", "unreadable")
    assert not any(word in row.payload for word in ("canary", "hunter2"))


def test_rows_that_differ_have_different_bytes() -> None:
    """Every column is in the hash: a change of any of them is found."""
    row = a_row(the("CompatibilityChecked")[0])
    for name in COLUMNS:
        value = getattr(row, name)
        changed = {int: 99, bytes: b"other", tuple: ("X",)}.get(type(value), "changed")
        assert canonical_row(replace(row, **{name: changed})) != canonical_row(row), name


def test_a_conflict_is_kept_whole_and_a_refusal_is_not() -> None:
    """A conflict is evidence; a row that Postgres refuses would be refused again."""
    row = a_row(the("InstallRequested")[0])

    assert as_conflict(row).payload == row.payload
    assert as_conflict(row).status == ID_CONFLICT
    assert as_refused(row, "why").plugin_id is None
    assert as_refused(row, "why").value_digest == row.value_digest


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_a_copy_line_is_one_line(text: str) -> None:
    """No text breaks out of its column."""
    row = replace(a_row(the("InstallRequested")[0]), tenant=text, payload=canonical({"reason": text}))
    line = copy_line(row)

    assert "\n" not in line
    assert len(line.split("\t")) == len(COLUMNS)


@pytest.mark.parametrize("poison", [set(), {0}, {499}, {250}, {3, 4, 480}])
def test_poison_in_a_batch_is_found_exactly(poison: set[int]) -> None:
    """499 written, one quarantined: never more, never fewer."""
    rows = [replace(a_row(the("InstallRequested")[0]), offset=n) for n in range(500)]

    assert bisect(rows, lambda some: all(row.offset not in poison for row in some)) == sorted(poison)
