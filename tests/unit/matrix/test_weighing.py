"""Which row decides: the most specific of each source, and the strictest source; only governance loosens."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from examples.matrices import HOUR, NOON, a_document, a_release, a_rule, documents, ids, patterns
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.errors import VersionInvalid
from processors.matrix.document import STRICTEST_FIRST, MatrixDocument, Override, strictness
from processors.matrix.index import matches
from processors.matrix.merged import Matrix
from processors.matrix.weighing import MOST_ROWS, Weighing, weigh

VENDOR_AGREED = Override("vendor", "the vendor agreed", NOON + HOUR)


def merged(*documents: MatrixDocument) -> Matrix:
    return Matrix.of((document, NOON, NOON + HOUR) for document in documents)


def asked(matrix: Matrix, plugin: str = "com.acme.crm", version: str = "1.2.0", host: str = "1.9.0") -> Weighing:
    return weigh(matrix, "corex", host, "npm", plugin, version, NOON)


def deciding(weighing: Weighing) -> list[tuple[str, int]]:
    return [(rule.source, rule.row) for rule in weighing.decisive]


@pytest.mark.parametrize(
    ("rules", "row"),
    [
        pytest.param([a_rule("*"), a_rule("com.acme.*")], 1, id="the longer glob"),
        pytest.param([a_rule("com.acme.crm", "allow"), a_rule("com.acme.cr*")], 0, id="an id before any glob"),
        pytest.param([a_rule(), a_rule(min_version="1.0.0")], 1, id="bounded before unbounded"),
        pytest.param(
            [a_rule(min_version="1.0.0", max_version="1.5.0"), a_rule(min_version="1.1.0", max_version="1.3.0")],
            1,
            id="the inner of two intervals",
        ),
        pytest.param([a_rule(host_range=">=1.0.0"), a_rule(host_range=">=1.8.0")], 1, id="the inner host range"),
        pytest.param(
            [
                a_rule(min_version="1.0.0", max_version="2.0.0", host_range=">=1.8.0 <2.0.0", action="allow"),
                a_rule(max_version="1.5.0", action="warn"),
            ],
            1,
            id="of two that merely overlap, the stricter one, however closed the other is",
        ),
        pytest.param(
            [
                a_rule(action="block"),
                a_rule(min_version="1.0.0", max_version="1.5.0", action="allow"),
                a_rule(min_version="1.1.0", action="warn"),
            ],
            2,
            id="and so of two that lie inside a third",
        ),
        pytest.param(
            [a_rule(min_version="1.0.0", host_range=">=1.0.0"), a_rule(max_version="1.5.0", action="allow")],
            0,
            id="narrower in plugins and wider in hosts is not narrower",
        ),
        pytest.param(
            [a_rule(host_range="<1.0.0 || >=1.5.0"), a_rule(action="allow", host_range=">=1.6.0 <1.7.0 || >1.8.0")],
            1,
            id="several stretches inside another one",
        ),
        pytest.param(
            [a_rule(host_range="<1.0.0 || >=1.5.0"), a_rule(action="allow", host_range=">=0.9.0 <1.1.0 || >1.8.0")],
            0,
            id="of several stretches one sticks out",
        ),
        pytest.param([a_rule(action="allow"), a_rule(action="warn"), a_rule(action="block")], 2, id="block first"),
        pytest.param([a_rule(action="allow"), a_rule(action="warn")], 1, id="then warn"),
        pytest.param([a_rule("com.acme.*", "block"), a_rule(action="allow")], 1, id="specific before strict"),
        pytest.param([a_rule(), a_rule(min_version="1.2.0", action="allow")], 1, id="narrow before strict"),
        pytest.param([a_rule(), a_rule()], 0, id="the first of two equal ones"),
    ],
)
def test_one_row_speaks_for_its_source(rules: list[dict[str, Any]], row: int) -> None:
    """Specific id, then narrow range, then strict action."""
    assert deciding(asked(merged(a_document(*rules)))) == [("governance", row)]


@pytest.mark.parametrize(
    ("rule", "version", "host", "applies"),
    [
        pytest.param(a_rule(min_version="1.2.0"), "1.2.0", "1.9.0", True, id="the lower bound itself"),
        pytest.param(a_rule(max_version="1.2.0"), "1.2.0", "1.9.0", True, id="the upper bound itself"),
        pytest.param(a_rule(min_version="1.2.1"), "1.2.0", "1.9.0", False, id="below"),
        pytest.param(a_rule(max_version="1.1.9"), "1.2.0", "1.9.0", False, id="above"),
        pytest.param(a_rule(host_range=">=2.0.0"), "1.2.0", "1.9.0", False, id="another host version"),
        pytest.param(a_rule(host="other"), "1.2.0", "1.9.0", False, id="another host"),
        pytest.param(a_rule("com.acme.chat"), "1.2.0", "1.9.0", False, id="another plugin"),
        pytest.param(a_rule(min_version="1.0.0"), "1.2.0-rc.1", "1.9.0", True, id="a candidate between the bounds"),
        pytest.param(a_rule(host_range=">=1.0.0"), "1.2.0", "1.9.0-rc.1", True, id="a block meets it"),
        pytest.param(
            a_rule(action="allow", host_range=">=1.0.0"), "1.2.0", "1.9.0-rc.1", False, id="an allow does not"
        ),
    ],
)
def test_a_row_applies_to_what_it_is_about(rule: dict[str, Any], version: str, host: str, applies: bool) -> None:
    """Bounds are inclusive; a candidate slips neither past a block nor in under an allow."""
    weighing = asked(merged(a_document(rule)), version=version, host=host)

    assert (weighing.count == 1, weighing.listed) == (applies, applies)


def test_every_source_binds_and_the_strictest_wins() -> None:
    """One decisive row per source, sources by name."""
    matrix = merged(a_document(a_rule(action="allow")), a_document(a_rule(action="block"), source="vendor"))

    weighing = asked(matrix)

    assert deciding(weighing) == [("governance", 0), ("vendor", 0)]
    assert weighing.action == "block"


def test_a_release_makes_a_version_listed() -> None:
    """Also under another spelling of the same version."""
    matrix = merged(a_document(releases=(a_release("com.acme.crm", "v1.2.0"),)))

    assert asked(matrix).listed
    assert not asked(matrix, version="1.2.1").listed


@pytest.mark.parametrize("broken", [{"min_version": "one"}, {"max_version": "1.2.3.4"}, {"host_range": ">=1 <="}])
def test_an_unreadable_row_is_a_block_and_not_a_no(broken: dict[str, str]) -> None:
    """Whether it applies is unknown, so it counts, and the rest is weighed as well."""
    weighing = asked(merged(a_document(a_rule(action="allow", **broken), a_rule(action="warn"))))

    assert [rule.row for rule, _ in weighing.broken] == [0]
    assert (weighing.action, weighing.listed) == ("block", True)
    assert deciding(weighing) == [("governance", 1)]


def test_an_unreadable_question_is_refused() -> None:
    """The caller must have said so before."""
    with pytest.raises(VersionInvalid):
        asked(merged(a_document(a_rule())), version="one")


STORIES: dict[str, tuple[Callable[[], Matrix], str]] = {
    "governance overrides a source": (
        lambda: merged(a_document(a_rule(action="allow", overrides=VENDOR_AGREED)), _vendor()),
        "allow",
    ),
    "governance overrides one row of it": (
        lambda: merged(a_document(a_rule(action="allow", overrides=_over("vendor#0"))), _vendor()),
        "allow",
    ),
    "and the next row of that source decides": (
        lambda: merged(a_document(a_rule(action="warn", overrides=_over("vendor#0"))), _vendor(a_rule("com.*"))),
        "block",
    ),
    "another row is not touched": (
        lambda: merged(a_document(a_rule(action="allow", overrides=_over("vendor#1"))), _vendor()),
        "block",
    ),
    "an override that ended this very moment": (
        lambda: merged(a_document(a_rule(action="allow", overrides=_over("vendor", until=NOON))), _vendor()),
        "block",
    ),
    "a vendor that overrides itself": (
        lambda: merged(_vendor(a_rule(action="allow", overrides=VENDOR_AGREED))),
        "block",
    ),
    "a security team that overrides the vendor": (
        lambda: merged(a_document(a_rule(action="allow", overrides=VENDOR_AGREED), source="security"), _vendor()),
        "block",
    ),
    "a source that is called almost like governance": (
        lambda: merged(a_document(a_rule(action="allow", overrides=VENDOR_AGREED), source="governanc"), _vendor()),
        "block",
    ),
    "a row of governance without an override": (
        lambda: merged(a_document(a_rule(action="allow")), _vendor()),
        "block",
    ),
    "governance blocks by a more specific row": (
        lambda: merged(a_document(a_rule("com.*", "allow", overrides=VENDOR_AGREED), a_rule()), _vendor()),
        "block",
    ),
    "governance cannot override itself": (
        lambda: merged(a_document(a_rule(action="allow", overrides=_over("governance#1")), a_rule())),
        "block",
    ),
}


def _vendor(*more: dict[str, Any]) -> MatrixDocument:
    return a_document(a_rule(), *more, source="vendor")


def _over(what: str, until: int = NOON + HOUR) -> Override:
    return Override(what, "the vendor agreed", until)


@pytest.mark.parametrize(("story", "action"), STORIES.values(), ids=STORIES)
def test_stories_of_overrides(story: Callable[[], Matrix], action: str) -> None:
    """Only governance loosens, what it names, until it said."""
    assert asked(story()).action == action


def test_what_was_overridden_and_what_was_ignored_is_shown() -> None:
    """With the row that did it, or the reason why it did not."""
    matrix = merged(
        a_document(a_rule(action="allow", overrides=VENDOR_AGREED)),
        a_document(a_rule(action="warn", overrides=VENDOR_AGREED), source="security"),
        _vendor(),
    )

    shown = {row.source: row.why for row in asked(matrix).rows}

    assert shown == {
        "governance": "overrides vendor until 2026-11-24 13:00 UTC: the vendor agreed",
        "security": "its override of vendor is ignored, because only governance can loosen",
        "vendor": "overridden by governance matrix[0]",
    }


def test_an_override_beside_a_stricter_row_is_shown_as_ignored() -> None:
    """Governance does not contradict itself."""
    matrix = merged(a_document(a_rule("com.*", "allow", overrides=VENDOR_AGREED), a_rule()), _vendor())

    (why,) = (row.why for row in asked(matrix).rows if (row.source, row.row) == ("governance", 0))

    assert "ignored, because a stricter row of governance decides" in why


def test_a_finding_code_can_be_overridden() -> None:
    """What that means is the check's affair; here it is only found."""
    weighing = asked(merged(a_document(a_rule(action="allow", overrides=_over("HOST_TOO_OLD")))))

    found = weighing.override_of("HOST_TOO_OLD", "vendor")
    assert found is not None
    assert found[1].what == "HOST_TOO_OLD"
    assert weighing.override_of("HOST_TOO_NEW") is None


def test_rows_are_shown_up_to_a_limit_decisive_ones_first() -> None:
    """And counted beyond it."""
    weighing = asked(merged(a_document(*[a_rule("com.*", "allow")] * MOST_ROWS, a_rule(notes="decides"))))

    assert (len(weighing.rows), weighing.count) == (MOST_ROWS, MOST_ROWS + 1)
    assert (weighing.rows[0].decisive, weighing.rows[0].why) == (True, "decides")


SOME_DOCUMENTS = st.lists(documents(), max_size=3, unique_by=lambda document: document.source)
QUESTIONS = st.tuples(
    ids, st.sampled_from(["1.2.0", "1.2.0-rc.1", "2.0.0"]), st.sampled_from(["1.9.0", "2.0.0-rc.1"])
)
MODERATE = settings(max_examples=50, deadline=None)


@MODERATE
@given(SOME_DOCUMENTS, QUESTIONS, st.randoms(use_true_random=False))
def test_the_order_of_sources_does_not_matter(some: list[MatrixDocument], question: Any, random: Any) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)
    grown = Matrix.EMPTY
    for document in shuffled:
        grown = grown.add(document, NOON, NOON + HOUR)

    assert asked(grown, *question) == asked(merged(*some), *question)
    assert grown.digest == merged(*some).digest


@MODERATE
@given(st.lists(st.sampled_from(STRICTEST_FIRST), min_size=1, max_size=4))
def test_block_trumps_allow_within_equal_specificity(actions: list[Any]) -> None:
    """In any order of the rows."""
    weighing = asked(merged(a_document(*[a_rule(action=action) for action in actions])))

    assert weighing.action == max(actions, key=strictness)


@MODERATE
@given(SOME_DOCUMENTS, documents(source="vendor"), QUESTIONS)
def test_only_governance_can_loosen(some: list[MatrixDocument], vendor: MatrixDocument, question: Any) -> None:
    """Whatever another source states beside the rest, nothing becomes more lenient."""
    others = [document for document in some if document.source != "vendor"]

    before, after = asked(merged(*others), *question), asked(merged(*others, vendor), *question)

    assert strictness(after.action) >= strictness(before.action)


@MODERATE
@given(SOME_DOCUMENTS, QUESTIONS)
def test_an_unrelated_plugin_changes_nothing(some: list[MatrixDocument], question: Any) -> None:
    unrelated = a_document(a_rule("net.unrelated"), a_rule("net.*"), source="unrelated")

    assert asked(merged(*some, unrelated), *question) == asked(merged(*some), *question)


@MODERATE
@given(SOME_DOCUMENTS, ids, st.sampled_from(["corex", "other"]))
def test_the_index_finds_what_every_row_looked_at_finds(some: list[MatrixDocument], plugin: str, host: str) -> None:
    """The slower, simpler way judges the quicker one."""
    every = [rule for document in sorted(some, key=lambda d: d.source) for rule in document.rules]

    found = merged(*some).rules(host, plugin)

    assert list(found) == [rule for rule in every if rule.host == host and _fits(rule.plugin, plugin)]


def _fits(pattern: str, plugin: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), plugin, re.DOTALL) is not None


@given(st.text("ab*", max_size=8) | patterns, st.text("ab", max_size=12) | ids)
def test_a_glob_fits_as_its_regular_expression_does(pattern: str, plugin: str) -> None:
    assert matches(pattern, plugin) == _fits(pattern, plugin)


def test_a_hostile_glob_takes_no_time() -> None:
    """A regular expression would backtrack until the end of days."""
    assert not matches("*a" * 100 + "*b", "a" * 250)
