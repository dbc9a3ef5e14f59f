"""Versions that runtimes and databases report, in the order of `generic`.

No plugin would write `go1.22.3`, `1.8.0_462`, `15.8 (Debian 15.8-1)` or `10.1.26-MariaDB-0+deb9u1`; hosts report
them. Each scheme knows which words may precede the number, and which words after it mark a pre-release; the rest is
the suffix of a distribution. Ranges are those of `generic`, and Java's 1.8 is 8 there too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final, NamedTuple

from processors.versions import generic
from processors.versions.model import Bound, Dialect, Interval, Version

_ALIASES: Final[Mapping[str, str]] = {
    "golang": "go", "nodejs": "node", "node.js": "node", "jdk": "java", "jre": "java", "jvm": "java",
    "openjdk": "java", "python3": "python", "cpython": "python", ".net": "dotnet", "dotnet-core": "dotnet",
    "postgres": "postgresql", "pg": "postgresql", "pgx": "postgresql", "sqlite3": "sqlite",
}  # fmt: skip


class _Scheme(NamedTuple):
    """`before` are words before the number, `unfinished` those after it that make it a pre-release."""

    before: str = ""
    unfinished: str = "alpha|beta|rc|cr|milestone|dev|preview|pre|ea|nightly|snapshot|canary"
    spell: Callable[[str], str | None] = str
    """Converts the whole text to one that the common form reads, or gives None if it has another form."""


def known_runtime(name: str) -> str:
    """One name for each runtime and database, whatever vendors and administrators call it."""
    folded = name.lower()
    return _ALIASES.get(folded, folded)


def scheme_of(name: str) -> Dialect:
    """How a runtime or database of this name reports its version."""
    return _BY_NAME.get(known_runtime(name), Dialect.REPORTED)


def read_version(text: str, dialect: Dialect) -> Version | str:
    """The version, or the reason why it is refused."""
    spelled = _SCHEMES[dialect].spell(text.strip())
    match = _form(dialect).match(spelled.lower()) if spelled is not None else None
    if match is None:
        return f"expected a version as {_SPEAKERS.get(dialect, 'a program')} reports it"
    word = (match["devel"] and "dev") or match["word"] or ""
    return generic.version_of(text, f"{match['numbers']}{word}{match['count'] or ''}", dialect)


def read_range(text: str, dialect: Dialect) -> tuple[Interval, ...] | int:
    """The intervals, or the position in the text where parsing stopped."""
    found = generic.read_range(_in_range(text, dialect), dialect)
    return min(found, len(text)) if isinstance(found, int) else found


def read_ends(text: str, dialect: Dialect) -> tuple[Bound, Bound] | None:
    """The cuts before and after all versions that begin with these numbers; None for any other text."""
    return generic.read_ends(_in_range(text, dialect), dialect)


def _in_range(text: str, dialect: Dialect) -> str:
    """Ranges in the notation of the runtime's own community: of Java 1.8, of go1.22, and Python's `>=3.9,<4`."""
    match dialect:
        case Dialect.JAVA:
            return _OLD_JAVA.sub("", text)
        case Dialect.GO:
            return _GO.sub("", text)
        case Dialect.PYTHON:
            return _COMMA.sub(" ", text)
        case _:
            return text


_OLD_JAVA: Final = re.compile(r"(?<![0-9A-Za-z._-])1\.(?=[0-9])")
_GO: Final = re.compile(r"(?<![0-9A-Za-z._-])go(?=[0-9])")
_COMMA: Final = re.compile(r"\s*,\s*(?=[<>=!~])")
_JAVA_UPDATE: Final = re.compile(r"\b([0-9]+)(?:u|\.0_)([0-9]+)")
_SERVER_NUMBER: Final = re.compile(r"[0-9]{5,6}")


def _java(text: str) -> str:
    """`1.8.0_462` and `8u462` are update 462 of Java 8, which is 8.0.462."""
    return _JAVA_UPDATE.sub(r"\1.0.\2", _OLD_JAVA.sub("", text), count=1)


def _postgresql(text: str) -> str:
    """Drivers give `server_version_num`: 150008 is 15.8, and 90624 is 9.6.24."""
    if not _SERVER_NUMBER.fullmatch(text):
        return text
    number = int(text)
    if number >= 100_000:
        return f"{number // 10_000}.{number % 10_000}"
    return f"{number // 10_000}.{number // 100 % 100}.{number % 100}"


def _mysql(text: str) -> str | None:
    """A MariaDB that is reported as MySQL numbers its versions differently."""
    return None if "mariadb" in text.lower() else text


def _mariadb(text: str) -> str:
    """The prefix `5.5.5-` is for clients of its replication protocol, and not a version."""
    return re.sub(r"^5\.5\.5-(?=[0-9])", "", text)


_SCHEMES: Final[Mapping[Dialect, _Scheme]] = {
    Dialect.JAVA: _Scheme("java|openjdk|jdk|jre|oracle", "ea|beta", _java),
    Dialect.GO: _Scheme("go|golang", "beta|rc"),
    Dialect.NODE: _Scheme("node|nodejs|node.js", "alpha|beta|rc|nightly|test|pre"),
    Dialect.PYTHON: _Scheme("python|cpython", "alpha|beta|a|b|rc|c|dev"),
    Dialect.PHP: _Scheme("php", "alpha|beta|rc|dev"),
    Dialect.RUBY: _Scheme("ruby", "preview|rc|dev|pre|alpha|beta"),
    Dialect.DOTNET: _Scheme("dotnet|microsoft|framework|core|runtime|sdk|\\.net|asp", "alpha|beta|preview|rc"),
    Dialect.POSTGRESQL: _Scheme("postgresql|postgres|psql", "alpha|beta|rc|devel", _postgresql),
    Dialect.MYSQL: _Scheme("mysql|mysqld", "alpha|beta|rc|dmr|m", _mysql),
    Dialect.MARIADB: _Scheme("mariadb|mysql|mysqld|mariadbd", "alpha|beta|rc|gamma", _mariadb),
    Dialect.REPORTED: _Scheme("redis|mongodb|sqlite|deno|bun|rustc|elixir|otp|erlang|perl|clickhouse|oracle|db"),
}

_BY_NAME: Final = {dialect.value: dialect for dialect in _SCHEMES if dialect is not Dialect.REPORTED}

_SPEAKERS: Final = {
    Dialect.JAVA: "Java", Dialect.GO: "Go", Dialect.NODE: "Node.js", Dialect.PYTHON: "Python", Dialect.PHP: "PHP",
    Dialect.RUBY: "Ruby", Dialect.DOTNET: ".NET", Dialect.POSTGRESQL: "PostgreSQL", Dialect.MYSQL: "MySQL",
    Dialect.MARIADB: "MariaDB",
}  # fmt: skip


@cache
def _form(dialect: Dialect) -> re.Pattern[str]:
    """Words and quotes, numbers with a patch letter, and a pre-release word with its number."""
    scheme = _SCHEMES[dialect]
    words = f"(?:{scheme.before}|version|server|release|runtime|ver|v(?=[0-9 =]))"
    return re.compile(
        rf"(?:{words}[ \t:/_=-]*|(?P<devel>devel) +|[\"'])*"
        rf"(?P<numbers>[0-9]+(?:\.[0-9]+)*(?:[a-z](?![0-9a-z]))?)"
        rf"(?:[-._~]?(?P<word>{scheme.unfinished})(?![a-z])[-._]?(?P<count>[0-9]+(?:\.[0-9]+)*)?)?"
    )
