"""What an inconsistency of the ledger means, for people who do not know how chains are made. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from processors.ledger.verify import Inconsistency, Kind


class Meaning(NamedTuple):
    """What somebody did, or what happened, and what stands on it."""

    what: str
    so: str


MEANINGS: Final[Mapping[Kind, Meaning]] = {
    Kind.GAP: Meaning(
        "Rows are missing", "Somebody has taken them out of the database, or they were lost with it."
    ),
    Kind.BAD_HASH: Meaning(
        "A row was changed", "It does not say what it said when it was filed. Do not rely on what it says now."
    ),
    Kind.BAD_ROOT: Meaning("A sum over rows is wrong", "Proofs of these rows that were made before may not hold."),
    Kind.REORDERED: Meaning("Rows changed places", "Somebody has written into the database past the guard."),
    Kind.EXTRA_ROW: Meaning(
        "Rows were added", "They lie behind the end of the chain, and no record of the guard stands behind them."
    ),
    Kind.TAIL_TRUNCATED: Meaning(
        "The newest rows are missing", "The ledger had been further, as its head or a signed anchor says."
    ),
    Kind.ANCHOR_MISMATCH: Meaning(
        "The record was rewritten",
        "Rows and hashes fit each other, and not what was signed outside of the database.",
    ),
    Kind.ANCHOR_REPLAYED: Meaning(
        "An old anchor was published again",
        "Somebody tries to pass off an older state of the ledger as the newest.",
    ),
    Kind.BAD_SIGNATURE: Meaning(
        "An anchor is not signed by the ledger",
        "It is forged, or the key that signed it is missing from the file of keys.",
    ),
    Kind.PRUNED_EARLY: Meaning("Rows left before a year was over", "No anchor of a year ago says that they might."),
    Kind.SIDE_TABLE: Meaning(
        "Searches leave something out",
        "A table that they use does not say what the rows say; the rows themselves are whole.",
    ),
    Kind.TOPIC_CHANGED: Meaning(
        "A topic is not the one that was filed", "It was made anew, or the guard talks to another cluster."
    ),
    Kind.LATE: Meaning(
        "Rows were filed late, and nobody signed for it", "A repair of the guard signs what it files late."
    ),
}


class Fault(NamedTuple):
    """All that is wrong in one way: what it means, and the places where it is."""

    kind: Kind
    meaning: Meaning
    places: Sequence[Inconsistency]


def in_words(found: Iterable[Inconsistency]) -> list[Fault]:
    """By kind, in the order in which each was found first."""
    by_kind: dict[Kind, list[Inconsistency]] = {}
    for wrong in found:
        by_kind.setdefault(wrong.kind, []).append(wrong)
    return [Fault(kind, MEANINGS[kind], places) for kind, places in by_kind.items()]
