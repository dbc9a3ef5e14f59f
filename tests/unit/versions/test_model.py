"""Questions about a range, in every dialect the same: too old or too new, how far, which one, in which words."""

from __future__ import annotations

import pytest

from processors.errors import VersionInvalid
from processors.versions import Dialect, Distance, between, parse_range, parse_version


@pytest.mark.parametrize(
    ("text", "version", "distance"),
    [
        (">=2.0.0", "1.9.0", Distance.MAJOR),
        (">=1.9.0", "1.8.7", Distance.MINOR),
        (">=1.9.3", "1.9.0", Distance.PATCH),
        (">=2.0.0", "2.0.0-rc.1", Distance.PRERELEASE),
        (">=2.0.0", "2.1.0-rc.1", Distance.PRERELEASE),
        ("<2.0.0", "2.0.0", Distance.MAJOR),
        ("<2.0.0", "2.3.1", Distance.MAJOR),
        ("<1.5.0", "1.5.0", Distance.MINOR),
        ("<1.5.3", "1.5.3", Distance.PATCH),
        ("<=1.5.3", "1.5.4", Distance.PATCH),
        ("<2.0.0-rc.1", "2.0.0", Distance.PRERELEASE),
        (">1.2.3", "1.2.3", Distance.PATCH),
        ("1.x || 3.x", "2.9.0", Distance.MAJOR),
        ("1.2.x || 3.x", "1.3.0", Distance.MINOR),
        ("<1.0.0 >2.0.0", "1.5.0", Distance.MAJOR),
        ("^1.2.0", "1.9.0", Distance.NONE),
    ],
)
def test_distance_names_the_part_that_must_change(text: str, version: str, distance: Distance) -> None:
    """The nearer end counts; an end that is left out counts with its own last part."""
    assert parse_range(text).distance(parse_version(version)) is distance


@pytest.mark.parametrize(
    ("text", "version", "above", "below"),
    [
        (">=2.0.0", "1.9.0", True, False),
        (">=2.0.0", "2.0.0-rc.1", True, False),
        ("^1.2.0", "2.0.0", False, True),
        ("1.x || 3.x", "2.0.0", False, False),
        ("^1.2.0", "1.2.0", False, False),
        (">=2.0.0", "2.1.0-rc.1", False, False),
        ("<1.0.0 >2.0.0", "1.5.0", False, False),
    ],
)
def test_a_version_is_too_old_or_too_new_or_neither(text: str, version: str, above: bool, below: bool) -> None:
    """Too old is what every admitted version is newer than; a gap and an empty range are neither."""
    demand, found = parse_range(text), parse_version(version)

    assert (demand.lies_above(found), demand.lies_below(found)) == (above, below)


def test_only_the_prerelease_rule_keeps_a_candidate_out() -> None:
    """In order it fits; told apart from what is too old, because another remedy helps."""
    demand = parse_range(">=2.0.0")

    assert demand.excludes_only_as_prerelease(parse_version("2.1.0-rc.1"))
    assert not demand.excludes_only_as_prerelease(parse_version("2.0.0-rc.1"))
    assert not demand.excludes_only_as_prerelease(parse_version("2.1.0"))


@pytest.mark.parametrize(
    ("text", "to", "nearest"),
    [
        (">=1.8.0 <2.0.0", "2.0.0", "1.9.5"),
        (">=2.0.0", "1.9.0", "2.0.0"),
        ("<1.9.0 || >=2.0.0", "1.9.5", "1.8.0"),
        ("1.8.0", "1.8.0", "1.8.0"),
        (">=3.0.0", "1.8.0", None),
    ],
)
def test_the_nearest_release_is_fewest_steps_away(text: str, to: str, nearest: str | None) -> None:
    """A minor step down beats a major step up."""
    releases = [parse_version(release) for release in ("1.7.0", "1.8.0", "1.9.5", "2.0.0", "2.1.0", "3.0.0-rc.1")]
    found = parse_range(text).nearest(releases, parse_version(to))

    assert nearest == (str(found) if found else None)


@pytest.mark.parametrize(
    ("dialect", "text", "words"),
    [
        (Dialect.NPM, ">=2.0.0", "2.0.0 or newer"),
        (Dialect.NPM, ">=1.8.0 <2.0.0", "from 1.8.0 up to, but not including, 2.0.0"),
        (Dialect.NPM, "1.2.x || 2.x", "1.2.x or 2.x"),
        (Dialect.NPM, "*", "any version"),
        (Dialect.NPM, "1.2.3", "exactly 1.2.3"),
        (Dialect.NPM, "<=1.2.3", "1.2.3 or older"),
        (Dialect.NPM, "<1.0.0", "a version older than 1.0.0"),
        (Dialect.NPM, ">1.2.3 <=2.0.0", "newer than 1.2.3, up to 2.0.0"),
        (Dialect.NPM, ">=1.0.0 || >=2.0.0", "1.0.0 or newer"),
        (Dialect.NPM, "<1.0.0 >2.0.0", "a version that cannot exist"),
        (Dialect.MASTERMINDS, ">=1.2.0 !=1.5.0", "1.2.0 or newer except 1.5.0"),
        (Dialect.PEP440, "!=1.5", "any version except 1.5"),
        (Dialect.PEP440, ">=2.16", "2.16 or newer"),
        (Dialect.MAVEN, "[1.20,1.21)", "from 1.20 up to, but not including, 1.21"),
        (Dialect.JETBRAINS, "since=231 until=241.*", "from 231 up to 241.*"),
        (Dialect.MINIMUM, ">=2.190.1", "2.190.1 or newer"),
    ],
)
def test_a_range_explains_itself(dialect: Dialect, text: str, words: str) -> None:
    """The words stand after "it needs"."""
    assert parse_range(text, dialect).explain() == words


@pytest.mark.parametrize(
    ("text", "lowest"),
    [(">=1.8.0 <2.0.0", "1.8.0"), ("^2 || ^1.4", "1.4.0"), ("<2.0.0", None), (">1.0.0", None)],
)
def test_the_lowest_version_that_a_range_names(text: str, lowest: str | None) -> None:
    """Only an inclusive lower end can be named as the version to upgrade to."""
    found = parse_range(text).lowest()

    assert lowest == (str(found) if found else None)


@pytest.mark.parametrize(
    ("low", "high", "version", "inside"),
    [
        ("1.0.0", "1.5.0", "1.0.0", True),
        ("1.0.0", "1.5.0", "1.5.0", True),
        ("1.0.0", "1.5.0", "1.5.1", False),
        ("1.0.0", None, "9.0.0", True),
        (None, "1.5.0", "0.1.0", True),
        (None, None, "0.1.0", True),
        ("1.0.0", "1.5.0", "1.2.0-rc.1", True),
        ("0.6", "1.5", "1.5.9", True),
        ("0.6", "1.5", "1.6.0-rc.1", False),
        ("1.0.0", "*", "9.0.0", True),
        ("2.0.0", "1.0.0", "1.5.0", False),
    ],
)
def test_bounds_are_both_included(low: str | None, high: str | None, version: str, inside: bool) -> None:
    """The bounds of a matrix row are places in the order, so that pre-releases between them are inside."""
    assert between(low, high).admits(parse_version(version)) is inside


def test_a_bound_that_is_no_version_is_refused() -> None:
    """A range in the place of a bound must not be taken for one."""
    for text in ("1 || 2", ">=1.0.0", "", "1.x.3"):
        with pytest.raises(VersionInvalid):
            between(text, None)


def test_versions_of_two_dialects_do_not_mix() -> None:
    """Comparing keys of two orders would give an answer without meaning."""
    npm, maven = parse_version("1.0.0"), parse_version("1.0.0", Dialect.MAVEN)

    assert npm != maven
    with pytest.raises(TypeError):
        assert npm < maven
    with pytest.raises(TypeError):
        parse_range("*").admits(maven)
    with pytest.raises(TypeError):
        parse_range("*").intersect(parse_range("[1,)", Dialect.MAVEN))


def test_build_metadata_does_not_make_another_version() -> None:
    """Equality, hash and order agree; the text stays as written."""
    plain, built = parse_version("1.0.0"), parse_version("v1.0.0+build.7")

    assert plain == built
    assert len({plain, built}) == 1
    assert str(built) == "v1.0.0+build.7"
