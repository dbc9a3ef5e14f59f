"""`generic` and what runtimes and databases report, against published tables."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from processors.errors import RangeInvalid, VersionInvalid
from processors.versions import Dialect, between, known_runtime, parse_range, parse_version, satisfies, scheme_of

ORDER = Path(__file__).parents[2] / "data" / "versions" / "order"


def rows(name: str) -> list[str]:
    lines = (ORDER / name).read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


PAIRS = [tuple(line.split(" ")) for line in rows("libversion.txt")]
REPORTED = [tuple(column.strip() for column in line.split(" | ")) for line in rows("reported.txt")]


def test_the_tables_are_whole() -> None:
    """A lost file must not pass for agreement."""
    assert len(PAIRS) >= 120
    assert len(REPORTED) >= 80
    assert all(source for _, _, _, source in REPORTED)


@pytest.mark.parametrize(("older", "sign", "newer"), PAIRS)
def test_generic_orders_as_libversion_does(older: str, sign: str, newer: str) -> None:
    """Each pair of the published table, in both directions."""
    one, other = (parse_version(text, Dialect.GENERIC) for text in (older, newer))

    assert (one == other) is (sign == "=")
    assert (one < other) is (sign == "<")
    assert not other < one


def test_generic_knows_the_words_of_java_and_jetbrains() -> None:
    """Words for what is unfinished come before the release, and words for the release itself say nothing."""
    texts = ["2.0-Alpha1", "2.0-beta-6", "2.0.EA", "2.0-EAP", "2.0-M1", "2.0-CR1", "2.0-rc2", "2.0-SNAPSHOT", "2.0"]
    versions = [parse_version(text, Dialect.GENERIC) for text in texts]

    assert versions == sorted(versions)
    assert all(version.is_prerelease for version in versions[:-1])
    assert not versions[-1].is_prerelease
    assert {parse_version(text, Dialect.GENERIC) for text in ("2.0.Final", "2.0.GA", "v2.0.0.RELEASE")} == {
        versions[-1]
    }


def test_generic_order_is_total_over_the_table() -> None:
    """However long the run of zeros is, and whatever stands behind it."""
    texts = sorted({text for older, _, newer in PAIRS for text in (older, newer)})
    versions = [parse_version(text, Dialect.GENERIC) for text in texts]

    for one, two, three in itertools.combinations(sorted(versions), 3):
        assert one <= two <= three
        assert one <= three


@pytest.mark.parametrize(
    ("text", "version", "expected"),
    [
        ("^3.0.0", "3.0.0.0", True),
        ("^3.0.0", "3.9.1.2", True),
        ("^3.0.0", "4.0.0.0-rc1", False),
        (">=2.0", "2.0-rc1", False),
        ("<2.0", "2.0-rc1", False),
        ("<2.0", "1.9.9.9", True),
        ("<=9.1", "9.1.0.10", True),
        (">17", "17.0.2", False),
        (">17", "18", True),
        ("1.2", "1.2.3.4", True),
        ("1.2.3", "1.2.3.4", False),
        ("1.2.3", "1.2.3.0", True),
        ("1.x", "1.9.9.9", True),
        ("1.2.*", "1.3", False),
        ("!=1.5", "1.5.2", False),
        ("~1.2", "1.2.9.9", True),
        ("~1.2", "1.3alpha", False),
        ("~=1.4.2", "1.5", False),
        ("~=1.4", "1.9", True),
        ("1.2 - 2", "2.9.9.9", True),
        (">=1 <2 || >=3", "3.0.1.1", True),
        ("^0.2.3", "0.3", False),
        ("", "0.0.0.1", True),
        ("*", "1.0-dev", True),
        ("1.0.0+b6", "1.0.0+b7", True),
    ],
)
def test_ranges_of_generic(text: str, version: str, expected: bool) -> None:
    """Written as npm's, for versions of any number of parts, with pre-releases in their place in the order."""
    assert satisfies(text, version, Dialect.GENERIC) is expected


@pytest.mark.parametrize(
    "text", [">=1.x.y.z", "<<2", ">=1,21", ">=1, <2", "latest", ">=1.21.2- <1.21.3-", ">", "1.x.3", "1 2 <", "||="]
)
def test_generic_refuses_what_is_no_range(text: str) -> None:
    """Generous with versions, and not with nonsense."""
    with pytest.raises(RangeInvalid):
        parse_range(text, Dialect.GENERIC)


@pytest.mark.parametrize("text", ["latest", "build-of-tuesday", "", "١.٢"])
def test_text_without_a_digit_is_no_version(text: str) -> None:
    """Nobody could place it."""
    with pytest.raises(VersionInvalid):
        parse_version(text, Dialect.GENERIC)


@pytest.mark.parametrize(("name", "printed", "meant", "source"), REPORTED)
def test_what_a_system_prints_is_read_as_what_it_is(name: str, printed: str, meant: str, source: str) -> None:
    """Prefixes of tools, suffixes of distributions and Java's old counting do not change the version."""
    version = parse_version(printed, scheme_of(name))

    assert version.key == parse_version(meant, Dialect.GENERIC).key, source
    assert version.text == printed


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mysql", "5.5.5-10.4.18-MariaDB"),
        ("ruby", "jruby 9.4.2.0 (3.1.0) 2023-03-08"),
        ("go", "tip"),
        ("java", "Java HotSpot(TM)"),
        ("node", "latest"),
        ("sqlite", "unknown"),
    ],
)
def test_what_another_make_prints_is_not_read(name: str, text: str) -> None:
    """Better unread, and said so, than taken for a version of something else."""
    with pytest.raises(VersionInvalid):
        parse_version(text, scheme_of(name))


@pytest.mark.parametrize(
    ("name", "text", "printed", "expected"),
    [
        ("java", ">=8", "1.8.0_462", True),
        ("java", ">=1.8", "17.0.8+7-LTS", True),
        ("java", ">=1.8", "1.7.0_79", False),
        ("java", ">=1.8.0_300", "1.8.0_462", True),
        ("java", "1.8.x || >=11", "1.8.0_302-b08", True),
        ("java", ">17 <22", "17.0.2", False),
        ("golang", ">=1.21", "go1.22rc1", True),
        ("go", ">=1.22", "1.22rc1", False),
        ("python", ">=3.9, <4", "3.12.0rc1", True),
        ("go", ">=go1.22", "go1.22.3", True),
        ("nodejs", "^20", "v20.11.1", True),
        ("php", ">=8.1", "8.1.2-1ubuntu2.14", True),
        ("postgres", ">=16", "16rc1", False),
        ("mariadb", ">=10.6", "5.5.5-10.4.18-MariaDB", False),
        ("sqlite3", ">=3.37", "3.45.1", True),
    ],
)
def test_ranges_of_runtimes(name: str, text: str, printed: str, expected: bool) -> None:
    """A candidate comes before its release, and a plugin may speak as the runtime does."""
    assert satisfies(text, printed, scheme_of(name)) is expected


def test_a_runtime_has_one_name() -> None:
    """Whatever a vendor and an administrator call it."""
    assert [known_runtime(name) for name in ("GoLang", "node.js", "jdk", "Postgres", "wasm")] == [
        "go", "node", "java", "postgresql", "wasm",
    ]  # fmt: skip


PARTIAL_MAXIMA = [
    (Dialect.NPM, "1.5", "1.5.9", "1.6.0"),
    (Dialect.NPM_PRERELEASE, "1.5", "1.5.9", "1.6.0-0"),
    (Dialect.MASTERMINDS, "v1.30", "v1.30.5-gke.100", "v1.31.0"),
    (Dialect.VSCODE, "1.104", "1.104.3", "1.105.0"),
    (Dialect.VSCODE, "1", "1.104.3", "2.0.0"),
    (Dialect.PEP440, "3.9", "3.9.7", "3.10"),
    (Dialect.MAVEN, "1.5", "1.5.3.Final", "1.6"),
    (Dialect.MAVEN, "17", "17.0.2", "18"),
    (Dialect.JETBRAINS, "221", "IU-221.5080.210", "222.1"),
    (Dialect.MINIMUM, "9.1", "9.1.0.10", "9.2"),
    (Dialect.MINIMUM, "17.0", "17.0.2", "17.1"),
    (Dialect.WORDPRESS, "6.4", "6.4.3", "6.5"),
    (Dialect.GENERIC, "9.1", "9.1.0.10", "9.2"),
    (Dialect.JAVA, "1.8", "1.8.0_462", "9"),
    (Dialect.POSTGRESQL, "15", "15.8 (Debian 15.8-1)", "16beta1"),
]


@pytest.mark.parametrize(("dialect", "highest", "inside", "outside"), PARTIAL_MAXIMA)
def test_a_highest_version_in_part_admits_all_that_begins_with_it(
    dialect: Dialect, highest: str, inside: str, outside: str
) -> None:
    """`max_core: "17"` means 17 whole, in every dialect."""
    allowed = between(None, highest, dialect)

    assert allowed.admits(parse_version(inside, dialect))
    assert not allowed.admits(parse_version(outside, dialect))
    assert between(highest, highest, dialect).admits(parse_version(inside, dialect))


@pytest.mark.parametrize(
    ("dialect", "one", "other", "same"),
    [
        (Dialect.NPM, "2.4.0+b6", "2.4.0+b7", False),
        (Dialect.NPM, "2.4.0+b6", "2.4.0", False),
        (Dialect.NPM, "v2.4.0", "2.4.0", True),
        (Dialect.GENERIC, "2.4.0.0", "2.4.0", True),
        (Dialect.GENERIC, "0.6.9+mc1.21.1", "0.6.9+mc1.21.4", False),
        (Dialect.MINIMUM, "1.0+1", "1.0+2", False),
        (Dialect.PEP440, "1.0+ubuntu.1", "1.0+ubuntu-1", True),
    ],
)
def test_identity_is_more_than_equal_precedence(dialect: Dialect, one: str, other: str, same: bool) -> None:
    """Two builds of one version are two releases, though no range can tell them apart."""
    first, second = parse_version(one, dialect), parse_version(other, dialect)

    assert first == second
    assert first.is_same_release(second) is same
