"""The traps of each dialect, by hand. tests/data/versions holds what the references say about many more rows."""

from __future__ import annotations

import re

import pytest

from processors.errors import RangeInvalid, VersionInvalid
from processors.versions import EXAMPLES, Dialect, parse_range, parse_version, satisfies

SATISFIED = {
    Dialect.NPM: [
        ("^0.2.3", "0.2.9", True),
        ("^0.2.3", "0.3.0", False),
        ("^0.0.3", "0.0.3", True),
        ("^0.0.3", "0.0.4", False),
        (">1.2", "1.2.8", False),
        (">1.2", "1.3.0", True),
        ("1.2 - 2", "2.9.0", True),
        ("1.2 - 2", "3.0.0", False),
        ("= 1.2", "1.2.7", True),
        (">= 1.0", "v1.2.3", True),
        ("v1.2.3", "1.2.3+build.5", True),
        (">1.2.3", "1.2.3+build.5", False),
        ("~1.2.3", "1.2.9", True),
        ("~> 1.2.3", "1.3.0", False),
        (">=2.0.0-0", "2.1.0-rc.1", False),
        (">=2.0.0-rc.1", "2.0.0-rc.2", True),
        ("^2.0.0", "3.0.0-rc.1", False),
        ("1.x || >=2.5.0 || 5.0.0 - 7.2.3", "2.4.0", False),
        ("1.x || >=2.5.0 || 5.0.0 - 7.2.3", "6.0.0", True),
        ("", "1.0.0", True),
        ("* || 1.0.0-rc.1", "1.0.0-rc.1", False),
        ("<*", "1.0.0", False),
        ("1.2.3*", "1.2.3", True),
    ],
    Dialect.NPM_PRERELEASE: [
        (">=2.0.0", "2.0.0-rc.1", False),
        (">=2.0.0", "2.1.0-rc.1", True),
        ("^1", "1.0.0-rc.1", True),
        ("~1.2", "1.2.0-rc.1", True),
        ("1.2.x", "1.2.0-rc.1", True),
        (">=1.2.3", "1.2.3-rc.1", False),
        ("^1", "2.0.0-rc.1", False),
        (">=11.6.11-0 <12 || >=12.0.10-0 <12.1", "12.0.0", False),
    ],
    Dialect.MASTERMINDS: [
        (">=2.0.0-0", "2.1.0-rc.1", True),
        (">=1.19.0-0", "v1.30.0-gke.100", True),
        (">=1.19.0", "v1.30.0-gke.100", False),
        (">=1.2, <2", "1.9.0", True),
        (">=1.2 !=1.5.0", "1.5.0", False),
        ("=> 1.2", "1.2", True),
        ("1.2 - 2", "2.9.0", True),
        ("^*", "1.0.0", False),
        ("!=1.2-a", "1.2.3-b", False),
    ],
    Dialect.VSCODE: [
        ("^1.74.0", "1.104.0", True),
        ("^1.74.0", "1.104.0-insider", True),
        ("^1.74.0", "1.73.9", False),
        ("^1.74.0", "2.0.0", False),
        (">=1.74.0", "2.0.0", True),
        ("1.74.0", "1.74.1", False),
        ("1.x.x", "1.5.3", True),
        ("^0.10.1", "0.10.2", True),
        ("^0.10.1", "0.11.0", False),
        ("^0.10.1", "1.9.0", True),
        ("0.10.1", "1.9.0", False),
        ("x.x.x", "1.9.0", False),
        ("*", "1.9.0", True),
        ("^1.104", "1.104.0", False),
    ],
    Dialect.PEP440: [
        (">=2.18.0", "2.18.1rc1", True),
        (">=2.18.0", "2.18.0rc1", False),
        (">1.2", "1.2.8", True),
        (">1.2", "1.2.post1", False),
        ("<1.2", "1.2rc1", False),
        ("~=1.4.2", "1.4.9", True),
        ("~=1.4.2", "1.5", False),
        ("==1.*", "1.99", True),
        ("!=1.5.*,>=1", "1.5.3", False),
        ("==1.0", "1.0+local", True),
        (">=1!0.1", "999", False),
        ("", "1.0", True),
    ],
    Dialect.MAVEN: [
        ("[1.0,2.0)", "1.9", True),
        ("[1.0,2.0)", "2.0-rc1", True),
        ("[1.0,2.0)", "2.0", False),
        ("[1.0]", "1.0.0", True),
        ("[1.7.3,]", "1.7.3", True),
        ("1.0", "0.5", True),
        ("(,1.0],[1.2,)", "1.1", False),
        ("[1.0-beta,)", "1.0-alpha", False),
        ("[1.0,)", "1.0-SNAPSHOT", False),
        ("(1.0,)", "1.0-sp", True),
    ],
    Dialect.JETBRAINS: [
        ("since=231 until=241.*", "241.14494.240", True),
        ("since=231 until=241.*", "242.1", False),
        ("since=231 until=241.*", "IU-231.1", True),
        ("until=221", "221.5080", False),
        ("since=231", "231.SNAPSHOT", True),
        ("since=242 until=241.*", "241.5", False),
    ],
    Dialect.MINIMUM: [
        ("2.190.1", "2.249", True),
        (">=2.10", "2.9", False),
        (">=4.5.10-1.0", "4.5.10-2.0", True),
        (">=4.5.10", "4.5.10-2.0", True),
        (">=1.4.4", "1.4.4b", True),
        (">=1.4.5", "1.4.4b", False),
        (">=63", "63.v62d2fd4b_4793", True),
        (">=62.v1", "63.v62d2fd4b_4793", True),
        ("6.7", "6.7-RC1", False),
        ("2024.2.0", "2024.2.0b3", False),
        (">= 1.0", "1", True),
    ],
    Dialect.WORDPRESS: [
        ("7.0", "7.0-RC3-62340", True),
        ("7.0.1", "7.0-RC3-62340", False),
        (">=6.4", "6.10", True),
        ("6.2", "6.2-alpha-54642-src", True),
    ],
}

REFUSED = {
    Dialect.NPM: [">=1, <2", "!=1.0.0", ">=1.18-0", "1.2.3.4", "01.2.3", "^9007199254740992.0.0",
                  ">=1.15-alpha.19.39.a", ">=1.21.2- <1.21.3-", "latest", ">", "١.٢.٣", "1.2.3\x00", "||=", "x.1"],
    Dialect.MASTERMINDS: ["", ",1", "1,,2", ">=1 ||", "1.2.3.4", ">= 1.2.3-01", "||".join(["1"] * 33)],
    Dialect.VSCODE: ["latest", "", "x"],
    Dialect.PEP440: ["^1.0", "===1.0", ">=1.0 <2", "1.0", "~=1"],
    Dialect.MAVEN: ["", "[1.0", "(1.0)", "[2,1]", "(1,1]", "[1,3],[2,4]", ">=1.0", "[1,2),3"],
    Dialect.JETBRAINS: ["", "231", "since=", "since=abc", "until=231 since=221", "since=99999999999999999999"],
    Dialect.MINIMUM: ["", "^1.0", ">=", "<2", "latest", ">=1.0 <2.0"],
    Dialect.WORDPRESS: ["", "^6.0", "latest"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("dialect", "text", "version", "expected"),
    [(dialect, *row) for dialect, rows in SATISFIED.items() for row in rows],
)
def test_each_dialect_means_what_its_reference_means(
    dialect: Dialect, text: str, version: str, expected: bool
) -> None:
    """A range means what the host's own ecosystem takes it to mean, and nothing more sensible."""
    assert satisfies(text, version, dialect) is expected


@pytest.mark.parametrize(("dialect", "text"), [(d, text) for d, texts in REFUSED.items() for text in texts])
def test_an_unreadable_range_is_refused_and_never_a_silent_no(dialect: Dialect, text: str) -> None:
    """Whoever cannot read a demand must say so; "no version fits" would be an answer."""
    with pytest.raises(RangeInvalid) as refusal:
        parse_range(text, dialect)

    assert 0 <= refusal.value.at <= len(text)


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        (Dialect.NPM, "1.2"),
        (Dialect.NPM, "=1.2.3"),
        (Dialect.NPM, "1.2.3-01"),
        (Dialect.NPM, "9007199254740992.0.0"),
        (Dialect.MASTERMINDS, "1.2.3.4"),
        (Dialect.VSCODE, "1.104"),
        (Dialect.PEP440, "1.0-gke.1"),
        (Dialect.MAVEN, "1.0, 2.0"),
        (Dialect.JETBRAINS, "231-1"),
        (Dialect.MINIMUM, "v"),
    ],
)
def test_an_unreadable_version_is_refused(dialect: Dialect, text: str) -> None:
    """A version that its dialect cannot place in its order has no place in any range."""
    with pytest.raises(VersionInvalid):
        parse_version(text, dialect)


@pytest.mark.parametrize("dialect", Dialect)
def test_text_beyond_256_characters_is_refused_unread(dialect: Dialect) -> None:
    """The limit guards against work without end; it holds in every dialect."""
    with pytest.raises(RangeInvalid):
        parse_range(">=1" + " " * 300, dialect)
    with pytest.raises(VersionInvalid):
        parse_version("1." * 200 + "0", dialect)


def test_a_vscode_demand_that_names_too_few_parts_admits_nothing_and_says_why() -> None:
    """VS Code itself lets no version pass; the range is empty, so that a check can report it."""
    demand = parse_range("^1.104", Dialect.VSCODE)

    assert demand.is_empty()
    assert demand.explain() == "three parts, such as ^1.104.0, before any version can fit"


def test_maven_orders_qualifiers() -> None:
    """alpha < beta < milestone < rc < snapshot < none < sp < any other word < the next number."""
    texts = ["1-alpha", "1-beta", "1-M1", "1-rc", "1-SNAPSHOT", "1", "1-sp", "1-foo", "1-1", "1.1"]
    versions = [parse_version(text, Dialect.MAVEN) for text in texts]

    assert sorted(versions) == versions
    assert len(set(versions)) == len(versions)


def test_minimum_orders_suffixes() -> None:
    """Words for what is unfinished lie before the plain version, everything else behind it."""
    texts = ["1.9", "2.0-SNAPSHOT", "2.0-alpha1", "2.0b1", "2.0-rc1", "2.0", "2.0b", "2.0-1", "2.0-2.1", "2.0.1"]
    versions = [parse_version(text, Dialect.MINIMUM) for text in texts]

    assert sorted(versions) == versions
    assert len(set(versions)) == len(versions)


@pytest.mark.parametrize("dialect", Dialect)
def test_a_refusal_shows_how_the_dialect_writes_a_range(dialect: Dialect) -> None:
    """Whoever has to correct one may never have seen another."""
    example = EXAMPLES[dialect]
    assert not parse_range(example, dialect).is_empty()
    with pytest.raises(RangeInvalid, match=re.escape(f"a range looks like `{example}`")):
        parse_range("<>", dialect)
