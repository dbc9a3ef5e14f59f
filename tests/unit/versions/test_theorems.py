"""What holds for every version and every range."""

from __future__ import annotations

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from processors.errors import RangeInvalid, VersionInvalid
from processors.versions import Dialect, Distance, Range, Version, parse_range, parse_version, scheme_of

Question = tuple[Range, Range, Version, Version, Version]

numbers = st.integers(0, 3)
releases = st.tuples(numbers, numbers, numbers).map(lambda parts: ".".join(map(str, parts)))
suffixes = st.sampled_from(["", "", "", "-0", "-alpha", "-alpha.1", "-rc.1", "-rc.2"])
semver = st.builds("{}{}".format, releases, suffixes)
pep440 = st.builds("{}{}".format, releases, st.sampled_from(["", "", "a1", "rc1", ".post1", ".dev0", "+x"]))
maven = st.builds("{}{}".format, releases, st.sampled_from(["", "", "-alpha", "-rc1", "-SNAPSHOT", "-sp", "-1"]))
builds = st.lists(st.sampled_from(["0", "1", "231", "*", "SNAPSHOT"]), min_size=1, max_size=3).map(".".join)
dotted = st.builds("{}{}".format, releases, st.sampled_from(["", "", "-1", "b", "b1", "-rc1", ".v1", "-2.0"]))


def comparators(operators: list[str], versions: st.SearchStrategy[str], glue: str) -> st.SearchStrategy[str]:
    one = st.builds("{}{}".format, st.sampled_from(operators), versions)
    return st.lists(one, min_size=1, max_size=3).map(glue.join)


def bracketed(low: str, high: str, ends: str) -> str:
    first, last = sorted((low, high), key=lambda text: parse_version(text, Dialect.MAVEN))
    same = parse_version(first, Dialect.MAVEN) == parse_version(last, Dialect.MAVEN)
    return f"[{first}]" if same else f"{ends[0]}{first},{last}{ends[1]}"


generic = st.builds("{}{}".format, releases, st.sampled_from(["", "", ".0", ".1", "a", "-rc1", ".Final", "patch1"]))
named = st.one_of(generic, st.sampled_from(["1", "1.2", "2.x", "1.2.*"]))
generics = comparators(["^", "~", ">", "<", ">=", "<=", "=", "!=", "~=", ""], named, " ")
reported = st.builds("{}{}".format, releases, st.sampled_from(["", "rc1", "-1ubuntu2", "_12", " (Debian 1-1)"]))

npm_sets = comparators(["^", "~", ">", "<", ">=", "<=", "="], semver, " ")
npm = st.lists(npm_sets, min_size=1, max_size=2).map(" || ".join)
LANGUAGES: dict[Dialect, tuple[st.SearchStrategy[str], st.SearchStrategy[str]]] = {
    Dialect.NPM: (npm, semver),
    Dialect.NPM_PRERELEASE: (npm, semver),
    Dialect.MASTERMINDS: (comparators(["^", "~", ">", "<", ">=", "<=", "!=", "!=1.1 ||"], semver, ", "), semver),
    Dialect.VSCODE: (st.builds("{}{}".format, st.sampled_from(["^", ">=", ""]), releases), releases),
    Dialect.PEP440: (comparators([">", "<", ">=", "<=", "!="], pep440.filter(lambda v: "+" not in v), ","), pep440),
    Dialect.MAVEN: (st.builds(bracketed, maven, maven, st.sampled_from(["[)", "(]", "[]"])), maven),
    Dialect.JETBRAINS: (st.builds("since={} until={}".format, builds, builds), builds),
    Dialect.MINIMUM: (st.builds(">={}".format, dotted), dotted),
    Dialect.WORDPRESS: (st.builds(">={}".format, dotted), dotted),
    Dialect.GENERIC: (generics, generic),
    **dict.fromkeys(set(map(scheme_of, Dialect)), (generics, reported)),
}  # fmt: skip


NEVER = {("lies_below", Dialect.MINIMUM), ("lies_below", Dialect.WORDPRESS)}
"""A lowest version has nothing above it."""


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Two ranges and three versions of one dialect."""
    dialect = draw(st.sampled_from(list(Dialect)))
    ranges, versions = LANGUAGES[dialect]

    def a_range() -> Range:
        while True:
            try:
                return parse_range(draw(ranges), dialect)
            except RangeInvalid:
                continue

    def a_version() -> Version:
        return parse_version(draw(versions), dialect)

    return a_range(), a_range(), a_version(), a_version(), a_version()


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("outcome", ["admits", "lies_above", "lies_below", "excludes_only_as_prerelease"])
def test_the_questions_reach_every_outcome(dialect: Dialect, outcome: str) -> None:
    """A theorem about questions that are never asked proves nothing."""
    ordered = dialect not in {Dialect.NPM, Dialect.MASTERMINDS}
    if (outcome == "excludes_only_as_prerelease" and ordered) or (outcome, dialect) in NEVER:
        return
    ranges, versions = LANGUAGES[dialect]

    def reaches(pair: tuple[str, str]) -> bool:
        try:
            return bool(getattr(parse_range(pair[0], dialect), outcome)(parse_version(pair[1], dialect)))
        except RangeInvalid:
            return False

    any_will_do = settings(max_examples=2000, phases=[Phase.generate])  # however long it is
    assert find(st.tuples(ranges, versions), reaches, settings=any_will_do)


@given(questions())
def test_order_is_total(question: Question) -> None:
    """Any two versions of a dialect compare; equality and hash agree with the order, and it is transitive."""
    _, _, a, b, c = question

    assert (a < b) + (a == b) + (a > b) == 1
    assert a != b or hash(a) == hash(b)
    assert not (a <= b <= c) or a <= c


@given(questions())
def test_equal_versions_are_admitted_alike(question: Question) -> None:
    """No range can tell two spellings of one version apart."""
    demand, _, a, b, _ = question

    assert a != b or demand.admits(a) == demand.admits(b)


@given(questions())
def test_intersection_admits_exactly_what_both_admit(
    question: Question,
) -> None:
    """In every dialect, whatever its pre-release rule."""
    one, other, version, _, _ = question

    assert one.intersect(other).admits(version) == (one.admits(version) and other.admits(version))


@given(questions())
def test_too_old_and_too_new_exclude_all_on_that_side(
    question: Question,
) -> None:
    """If a range lies above a version, it admits neither that nor any older one; and so below."""
    demand, _, version, other, _ = question

    assert not (demand.lies_above(version) and other <= version and demand.admits(other))
    assert not (demand.lies_below(version) and other >= version and demand.admits(other))
    assert not (demand.lies_above(version) and demand.lies_below(version))


@given(questions())
def test_distance_is_none_exactly_when_admitted(question: Question) -> None:
    """And a version that only the pre-release rule keeps out is a pre-release step away."""
    demand, _, version, _, _ = question

    assert (demand.distance(version) is Distance.NONE) == demand.admits(version)
    assert not demand.excludes_only_as_prerelease(version) or demand.distance(version) is Distance.PRERELEASE


@given(questions())
def test_the_nearest_is_admitted_and_nothing_lies_between(
    question: Question,
) -> None:
    """The one chosen is admitted, and no admitted one of the same side is closer in the order."""
    demand, _, to, *others = question
    nearest = demand.nearest(others, to)
    admitted = [version for version in others if demand.admits(version)]

    assert (nearest is None) == (not admitted)
    assert nearest is None or not any(min(nearest, to) < v < max(nearest, to) for v in admitted)


@given(numbers, numbers, numbers, semver)
def test_a_caret_range_equals_its_spelled_out_interval(major: int, minor: int, patch: int, version: str) -> None:
    """The leftmost part that is not zero may not change."""
    bumped = (major + 1, 0, 0) if major else (0, minor + 1, 0) if minor else (0, 0, patch + 1)
    caret = parse_range(f"^{major}.{minor}.{patch}")
    spelled = parse_range(f">={major}.{minor}.{patch} <{'.'.join(map(str, bumped))}-0")

    assert caret.admits(parse_version(version)) == spelled.admits(parse_version(version))


@given(pep440, st.sampled_from(["==", "!=", ">", "<", ">=", "<=", "~="]), pep440)
def test_packaging_agrees(named: str, operator: str, version: str) -> None:
    """`packaging` is the reference, whatever version of it is installed."""
    text = operator + named
    try:
        expected = SpecifierSet(text).contains(version, prereleases=True)
    except InvalidSpecifier:
        with pytest.raises(RangeInvalid):
            parse_range(text, Dialect.PEP440)
    else:
        assert parse_range(text, Dialect.PEP440).admits(parse_version(version, Dialect.PEP440)) == expected


hostile = st.text(max_size=40) | st.text("0123456789.xX*^~<>=|!, -+vabr[]()\x00\u0661\n", max_size=60)


@settings(max_examples=400)
@given(st.sampled_from(list(Dialect)), hostile, hostile)
def test_any_text_is_refused_or_gives_a_usable_range(dialect: Dialect, text: str, other: str) -> None:
    """No other exception, and every question about what was read has an answer."""
    try:
        version = parse_version(other, dialect)
    except VersionInvalid:
        version = parse_version({Dialect.JETBRAINS: "231"}.get(dialect, "1.0.0"), dialect)
    try:
        demand = parse_range(text, dialect)
    except RangeInvalid:
        return
    assert demand.explain()
    assert (demand.distance(version) is Distance.NONE) == demand.admits(version)
    assert demand.nearest([version], version) in {None, version}
    assert demand.lowest() is None or isinstance(demand.lowest(), Version)


sizes = st.one_of(st.integers(0, 1_001), st.sampled_from([10**15 - 1, 10**15, 2**53 - 1]))


@given(st.sampled_from([Dialect.NPM, Dialect.NPM_PRERELEASE, Dialect.MASTERMINDS]), sizes, sizes, sizes)
def test_numbers_of_any_size_are_read_alike(dialect: Dialect, major: int, minor: int, patch: int) -> None:
    """Small numbers are read by another road than large ones, in versions and in comparators."""
    version = parse_version(f"{major}.{minor}.{patch}", dialect)

    assert version.release == (major, minor, patch)
    assert parse_range(f"={version}", dialect).lowest() == version
    assert parse_range(f">=0.0.1 <={version}", dialect).admits(version) == (version.release > (0, 0, 0))


@given(st.sampled_from(list(Dialect)), hostile)
def test_a_second_reading_gives_the_first_answer(dialect: Dialect, text: str) -> None:
    """What is remembered, a refusal included, is what reading afresh would give."""

    def outcome() -> str:
        try:
            return repr(parse_range(text, dialect).intervals)
        except RangeInvalid as refusal:
            return str(refusal)

    assert outcome() == outcome()
