"""Numbers and texts of any length are judged by their length before anybody reads them."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from contract.case import NOON, record
from contract.test_processors import CASES
from examples.checkers import a_request, a_subject
from examples.matrices import HOUR, a_document, a_rule
from examples.mutations import TEXTS
from examples.trust import signed_parts

from processors.configuration.settings import shipped
from processors.errors import MatrixRefused, RangeInvalid, VersionInvalid
from processors.events.subject import Subject
from processors.events.topics import INSTALL_REQUESTS, MATRIX_REFRESHES, RESULTS
from processors.events.vocabulary import Code
from processors.matrix.merged import Matrix
from processors.matrix.parts import read_part
from processors.stream.types import Outcome
from processors.stream.wire.schema import Schemas
from processors.versions import Dialect, Range, Version, between, parse_range, parse_version
from processors.versions.parse import EXAMPLES

BEYOND_PYTHON = "1." + "9" * 4400 + ".0"
"""Python refuses to read more than 4,300 digits as a number."""

SCHEMAS = Schemas.load(shipped("schemas"))
VERSIONS = ("1.2.3", "2.0.0", "1.10.0-rc.1")
ALPHABET = "0123456789.,-+*xXvV^~<>=|()[] !abrcSNPHOTdevpost1_²٣\u00a0"


def random_text(rng: random.Random, *honest: str) -> str:
    """A hostile text, a random one, or an honest one with a few characters changed."""
    match rng.randrange(4):
        case 0:
            return rng.choice(TEXTS)
        case 1:
            return "".join(rng.choices(ALPHABET, k=rng.choice((1, 3, 8, 30, 250, 300))))
        case _:
            text = list(rng.choice(honest))
            for _ in range(rng.randrange(3)):
                at = rng.randrange(len(text) + 1)
                text[at : at + rng.randrange(2)] = rng.choices(ALPHABET, k=rng.choice((0, 1, 1, 200)))
            return "".join(text)


@pytest.mark.parametrize("dialect", list(Dialect))
def test_any_text_is_a_version_or_refused_and_nothing_else_happens(dialect: Dialect) -> None:
    """What two of them have to do with each other can be asked without failing, too."""
    rng = random.Random(f"versions {dialect}")
    found: list[Version] = []
    for _ in range(3000):
        try:
            found.append(parse_version(random_text(rng, *VERSIONS), dialect))
        except VersionInvalid:
            continue

    assert len(found) > 50
    assert all(isinstance(one < other, bool) for one, other in pairwise(found))


@pytest.mark.parametrize("dialect", list(Dialect))
def test_any_text_is_a_range_or_refused_and_nothing_else_happens(dialect: Dialect) -> None:
    """Every question to such a range has an answer, also between two bounds that are written apart."""
    rng = random.Random(f"ranges {dialect}")
    version = parse_version("2.0.0", dialect)
    found: list[Range] = []
    for _ in range(3000):
        try:
            lowest, highest = (random_text(rng, EXAMPLES[dialect], *VERSIONS) for _ in range(2))
            apart = rng.random() < 0.5
            found.append(between(lowest, highest, dialect) if apart else parse_range(lowest, dialect))
        except (RangeInvalid, VersionInvalid):
            continue

    assert len(found) > 20
    for demand in found:
        assert isinstance(demand.explain(), str)
        assert demand.distance(version) is not None
        assert demand.intersect(found[0]).admits(version) in {True, False}


def asked(*subjects: Subject, rules: tuple[dict[str, Any], ...] = ()) -> Outcome:
    """What the checker makes of requests for these subjects, under a matrix of these rules."""
    case = next(case for case in CASES if case.name == "checker")
    head = (case.records[0].value or b"")[:5]
    requests = [
        record(INSTALL_REQUESTS, n, "a", head + SCHEMAS["InstallRequested"].encode(a_request(subject)))
        for n, subject in enumerate(subjects)
    ]
    matrix = Matrix.of([(a_document(*rules), NOON - HOUR, NOON + HOUR)])
    tables = {**case.tables, MATRIX_REFRESHES: matrix}
    return case.processor().handle(requests, replace(case, tables=tables).view())


def codes(outcome: Outcome) -> list[set[str]]:
    """The codes of the findings in each result."""
    decode = SCHEMAS["CompatibilityChecked"].decode
    results = [decode((sent.value or b"")[5:]) for sent in outcome.outputs if sent.topic == RESULTS]
    return [{finding["code"] for finding in result["report"]["findings"]} for result in results]


@pytest.mark.parametrize("bound", ["min_host", "max_host"])
def test_a_bound_of_4400_digits_in_a_request_is_a_finding_and_stops_nobody(bound: str) -> None:
    """Eight such requests opened the breaker."""
    outcome = asked(*(a_subject("com.acme.crm", **{bound: BEYOND_PYTHON}) for _ in range(8)))

    assert outcome.rejects == []
    assert all(Code.CONSTRAINT_INVALID in found for found in codes(outcome))
    assert len(codes(outcome)) == 8


@pytest.mark.parametrize("bound", ["min_version", "max_version"])
def test_a_bound_of_4400_digits_in_a_row_blocks_that_plugin_alone(bound: str) -> None:
    """One such row killed every request."""
    rows = (a_rule("com.acme.crm", "allow", **{bound: BEYOND_PYTHON}), a_rule("com.acme.chat", "allow"))
    outcome = asked(a_subject("com.acme.crm"), a_subject("com.acme.chat"), rules=rows)

    broken, honest = codes(outcome)
    assert outcome.rejects == []
    assert Code.CONSTRAINT_INVALID in broken
    assert Code.CONSTRAINT_INVALID not in honest


@pytest.mark.parametrize(
    "change",
    [
        {"revision": "r" * 300_000},
        {"notes": "n" * 5000},
        {"docs": "d" * 5000},
        {"plugin": "p" * 300},
        {"host": "h" * 300},
    ],
    ids=lambda change: next(iter(change)),
)
def test_texts_longer_than_a_file_may_have_them_are_refused_in_a_refresh(change: dict[str, str]) -> None:
    """A revision of 300,000 characters in every finding made every answer larger than a topic takes."""
    part = dict(next(iter(signed_parts(a_document(a_rule("com.acme.crm", "warn")), NOON))))
    if "revision" in change:
        part |= change
    else:
        part["rules"] = [{**part["rules"][0], **change}]

    with pytest.raises(MatrixRefused):
        read_part(part)
