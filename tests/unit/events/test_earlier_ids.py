"""Ids are made of facts; the ids of reports made before stay valid for those who approved them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from processors.events.earlier_ids import earlier_ids
from processors.events.report import Demand, Finding, finding_id
from processors.events.vocabulary import Code, DemandKind, Dimension, Effect, Severity

PHRASES = [
    (DemandKind.REVERSIBLE, "", "m1", "a migration that can be undone"),
    (DemandKind.WAY_BACK, "", "m1", "a way back over the migrations that have run"),
    (DemandKind.CHECKSUM, "sha256:aa", "m1", "checksum sha256:aa"),
    (DemandKind.MIGRATION_RUN, "3.1.0", "m1", "migration `m1` of 3.1.0 to have run"),
    (DemandKind.NO_CYCLE, "", "b", "no plugin needs itself"),
    (DemandKind.ONE_OF, "postgres >=13 | mysql", "database", "postgres >=13 or mysql"),
    (DemandKind.MATRIX_ROW, "com.a* >=1.0.0 @ corex", "corex", "com.a* >=1.0.0 on corex any version"),
    (DemandKind.MATRIX_ROW, "com.a* @ corex >=2", "corex", "com.a* any version on corex >=2"),
    (DemandKind.BASELINE, "2026.2", "security baseline", "2026.2"),
    (DemandKind.WITHOUT, "ssl", "CVE-1", "ssl without CVE-1"),
]


@pytest.mark.parametrize(("kind", "constraint", "object", "phrase"), PHRASES)
def test_the_id_of_an_earlier_engine_is_known(kind: DemandKind, constraint: str, object: str, phrase: str) -> None:
    """It hashed the phrase that it showed."""
    ids = earlier_ids("CODE", "a", object, kind, constraint)

    assert ids == (finding_id("CODE", "a", object, phrase),)


def test_the_id_of_a_range_has_not_changed() -> None:
    """A range was a fact already."""
    assert earlier_ids("HOST_TOO_OLD", "a", "corex", DemandKind.RANGE, ">=2.0.0") == ()
    assert a_finding(Demand(constraint=">=2.0.0")).id == finding_id("HOST_TOO_OLD", "a", "b", ">=2.0.0")


def a_finding(demand: Demand) -> Finding:
    return Finding(
        code=Code.HOST_TOO_OLD, dimension=Dimension.HOST, effect=Effect.BLOCK, severity=Severity.MAJOR,
        subject="a", object="b", required=demand,
    )  # fmt: skip


def test_no_word_is_in_an_id() -> None:
    """The id knows the sentence, what was found and who states it as little as the revision of the matrix."""
    finding = a_finding(Demand(constraint="", kind=DemandKind.REVERSIBLE))

    reworded = replace(finding, sentence="anything", found="else", required=replace(finding.required, source="s"))

    assert reworded.id == finding.id
