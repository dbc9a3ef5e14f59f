"""Makes rows of ranges and versions, and asks the reference of each dialect what it thinks of them.

    python tests/data/versions/generate.py FOLDER     judges afresh, and writes the fixtures beside this file
    python tests/data/versions/generate.py FOLDER 30000 7     compares so many rows of that seed, writes nothing

FOLDER holds the references, as README.md tells. Half of the versions are built from the numbers of their
range, because a random version is rarely near an end of a random range, and only the ends are hard.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion
from packaging.version import Version as PepVersion

from processors.errors import RangeInvalid, VersionInvalid
from processors.versions import Dialect, parse_range, parse_version

Row = tuple[str, str]
Verdict = bool | str
HERE = Path(__file__).parent

PRERELEASES = [
    "0",
    "1",
    "10",
    "alpha",
    "beta",
    "rc",
    "rc1",
    "x",
    "a-b",
    "-",
    "0a",
    "01",
    "v",
    "99999999999999999999",
]
NPM_OPERATORS = ["", "", "^", "~", "~>", ">", "<", ">=", "<=", "="]
GO_OPERATORS = [*NPM_OPERATORS, "!=", "!=", "=>", "=<"]
SPECIAL = ["*", "", ">=0.0.0", ">=0", ">=0.0.0-0", ">=v0.0.0", "x", "<*", ">*", "^*", "!=*", "0.0.0 - *", "~0.0.0"]


def semver_version(dice: random.Random) -> str:
    text = dice.choice([""] * 12 + ["v"]) + ".".join(_number(dice) for _ in range(3))
    text += "-" + _prerelease(dice) if dice.random() < 0.45 else ""
    text += dice.choice(["+b", "+1.2", "+x-y"]) if dice.random() < 0.1 else ""
    if dice.random() < 0.02:
        return dice.choice(
            [" " + text, "=" + text, text + ".4", "0" + text, "9007199254740992.0.0", text + "\u00a0"]
        )
    return text


def near(dice: random.Random, text: str) -> str:
    """A version made from one that the range names: the same, a pre-release of it, or a step away."""
    named = re.findall(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?", text)
    if not named or dice.random() < 0.4:
        return semver_version(dice)
    version = dice.choice(named)
    numbers = version.split("-")[0]
    fate = dice.random()
    if fate < 0.6:
        return version if fate < 0.3 else f"{numbers}-{_prerelease(dice)}"
    parts = [int(number) for number in numbers.split(".")]
    parts[dice.randrange(3)] += 1 if dice.random() < 0.5 else -1
    return ".".join(str(max(part, 0)) for part in parts)


def semver_rows(dice: random.Random, operators: list[str], separators: list[str]) -> Iterable[Row]:
    while True:
        sets = [_set(dice, operators, separators) for _ in range(dice.choice([1, 1, 1, 2, 2, 3]))]
        text = dice.choice([" || ", "||", "|| "]).join(sets)
        version = near(dice, text)
        if len(text) <= 256:
            yield text, version


def npm_rows(dice: random.Random) -> Iterable[Row]:
    return semver_rows(dice, NPM_OPERATORS, [" "] * 12 + ["  ", "\t", ",", " , "])


def masterminds_rows(dice: random.Random) -> Iterable[Row]:
    for text, version in semver_rows(dice, GO_OPERATORS, [" ", ", ", ",", " ,", "  ", "\t"] * 4 + [",,", ""]):
        if not re.search(r"!=\s*v?\d+\.\d+(\.[xX*])?-", text):  # the one difference that is on purpose
            yield text, version if dice.random() < 0.9 else ".".join(version.split(".")[:2])


def pep440_rows(dice: random.Random) -> Iterable[Row]:
    operators = ["==", "!=", ">=", "<=", ">", "<", "~="]
    while True:
        parts: list[str] = []
        for _ in range(dice.choice([1, 1, 1, 2, 3])):
            wildcard = ".".join(dice.choice("012") for _ in range(dice.choice([1, 2, 3]))) + ".*"
            version = _pep440(dice, local=dice.random() < 0.3) if dice.random() < 0.8 else wildcard
            parts.append(dice.choice(operators) + dice.choice(["", " "]) + version)
        yield dice.choice([",", ", "]).join(parts), _pep440(dice, local=True)


def maven_rows(dice: random.Random) -> Iterable[Row]:
    while True:
        text = dice.choice([",", " , ", ""]).join(_restriction(dice) for _ in range(dice.choice([1, 1, 1, 2])))
        named = [version for version in re.split(r"[\[\](), ]+", text) if version]
        if text.startswith(("[", "(")) and not re.search(r"[\[(][^\])]*[\[(]", text):
            yield text, dice.choice(named) if named and dice.random() < 0.3 else _maven(dice)


def _number(dice: random.Random) -> str:
    return dice.choice(["0", "0", "1", "1", "2", "2", "3", "9", "10", "11"])


def _prerelease(dice: random.Random) -> str:
    return ".".join(dice.choice(PRERELEASES) for _ in range(dice.choice([1, 1, 2, 3])))


def _partial(dice: random.Random) -> str:
    parts = [_number(dice) for _ in range(dice.choice([1, 2, 3, 3, 3, 3]))]
    if dice.random() < 0.25:
        first = dice.randrange(len(parts))
        parts[first:] = [dice.choice("xX*") if dice.random() < 0.9 else part for part in parts[first:]]
    text = ".".join(parts)
    text += "-" + _prerelease(dice) if len(parts) == 3 and dice.random() < 0.35 else ""
    text += dice.choice(["+b", "+1.2", "+x-y"]) if dice.random() < 0.06 else ""
    text = dice.choice(["v", "=", "v", "v ", " ", "==", "= "]) + text if dice.random() < 0.1 else text
    return dice.choice(["9007199254740991", "9007199254740992", "01"]) + text[1:] if dice.random() < 0.01 else text


def _comparator(dice: random.Random, operators: list[str]) -> str:
    text = dice.choice(operators) + (" " if dice.random() < 0.15 else "") + _partial(dice)
    text = text.replace("1", "1*", 1) if dice.random() < 0.015 else text
    return dice.choice(["!=", "=>", "<>", "||", "*", "-", ","]) + text if dice.random() < 0.01 else text


def _set(dice: random.Random, operators: list[str], separators: list[str]) -> str:
    if dice.random() < 0.12:
        return f"{_partial(dice)} - {_partial(dice)}"
    if dice.random() < 0.05:
        return dice.choice(SPECIAL)
    text = _comparator(dice, operators)
    for _ in range(dice.choice([0, 0, 1, 1, 2])):
        text += dice.choice(separators) + _comparator(dice, operators)
    return text


def _pep440(dice: random.Random, *, local: bool) -> str:
    text = dice.choice([""] * 9 + ["1!"]) + ".".join(dice.choice("0012") for _ in range(dice.choice([1, 2, 2, 3])))
    text += dice.choice(["a0", "a1", "b1", "rc1", "rc2", "-alpha.1", "c1"]) if dice.random() < 0.3 else ""
    text += dice.choice([".post0", ".post1", "-1", ".post2", ".rev1"]) if dice.random() < 0.25 else ""
    text += dice.choice([".dev0", ".dev1", ".dev2"]) if dice.random() < 0.2 else ""
    return text + (dice.choice(["+abc", "+1", "+abc.2", "+10"]) if local and dice.random() < 0.2 else "")


def _maven(dice: random.Random) -> str:
    """Only what Maven itself orders without contradiction: one qualifier, after a hyphen or a digit."""
    text = ".".join(dice.choice(["0", "0", "1", "2", "10", "01"]) for _ in range(dice.choice([1, 2, 3, 3, 4])))
    words = ["alpha", "beta", "rc", "RC", "cr", "milestone", "M", "SNAPSHOT", "sp", "foo", "a", "b", "m", "jre8"]
    if dice.random() < 0.5:
        tail = dice.choice(["", "", "1", "2", "-1", "-2", "10", "-SNAPSHOT", "1-SNAPSHOT"])
        return text + dice.choice(["-", ""]) + dice.choice(words) + tail
    return text + dice.choice(["", "", "", "-1", "-0", "-2", "-final", ".RELEASE", "-GA"])


def _restriction(dice: random.Random) -> str:
    first, last = _maven(dice), _maven(dice)
    if dice.random() < 0.7 and parse_version(first, Dialect.MAVEN) > parse_version(last, Dialect.MAVEN):
        first, last = last, first
    opening, closing = dice.choice("[("), dice.choice("])")
    ranges = [f"{opening}{first},{last}{closing}"] * 3
    halves = [f"{opening}{first},{dice.choice(['', ' '])}{closing}", f"{opening},{first}{closing}"]
    return dice.choice([*ranges, *halves, f"[{first}]", dice.choice([f"({first})", f"[{first}", "[,]", "(,)"])])


def ask_npm(folder: Path, rows: list[Row], mode: int) -> list[Verdict]:
    """`mode` 0 is strict, 1 includes pre-releases."""
    script = HERE / "oracles" / "npm.js"
    answers = _run([_tool("node"), str(script)], folder / "npm", rows)
    return [json.loads(answer)[mode] for answer in answers]


def ask_masterminds(folder: Path, rows: list[Row]) -> list[Verdict]:
    return [json.loads(answer) for answer in _run([str(folder / "go" / "oracle")], folder, rows)]


def ask_maven(folder: Path, rows: list[Row]) -> list[Verdict]:
    command = [_tool("java"), "-cp", f"{folder}/maven/*:{folder}/maven", "Maven"]
    text = "".join(f"{text}\t{version}\n" for text, version in rows)
    return [json.loads(answer) for answer in _output(command, folder, text)]


def ask_packaging(_folder: Path, rows: list[Row]) -> list[Verdict]:
    return [_packaging(*row) for row in rows]


def _packaging(text: str, version: str) -> Verdict:
    try:
        specifiers = SpecifierSet(text)
    except InvalidSpecifier:
        return "range"
    try:
        return specifiers.contains(PepVersion(version), prereleases=True)
    except InvalidVersion:
        return "version"


def _run(command: list[str], folder: Path, rows: list[Row]) -> list[str]:
    return _output(command, folder, "".join(json.dumps(row) + "\n" for row in rows))


def _output(command: list[str], folder: Path, text: str) -> list[str]:
    done = subprocess.run(command, cwd=folder, input=text, capture_output=True, text=True, check=True)
    return done.stdout.split("\n")[:-1]


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(name)
    return found


def ours(text: str, version: str, dialect: Dialect) -> Verdict:
    """In the words of the oracles: what cannot be read is named, the range first."""
    try:
        demand = parse_range(text, dialect)
    except RangeInvalid:
        return "range"
    try:
        return demand.admits(parse_version(version, dialect))
    except VersionInvalid:
        return "version"


Reference = tuple[Callable[[random.Random], Iterable[Row]], Callable[[Path, list[Row]], list[Verdict]]]

REFERENCES: dict[Dialect, Reference] = {
    Dialect.NPM: (npm_rows, lambda folder, rows: ask_npm(folder, rows, 0)),
    Dialect.NPM_PRERELEASE: (npm_rows, lambda folder, rows: ask_npm(folder, rows, 1)),
    Dialect.MASTERMINDS: (masterminds_rows, ask_masterminds),
    Dialect.PEP440: (pep440_rows, ask_packaging),
    Dialect.MAVEN: (maven_rows, ask_maven),
}


def judged(dialect: Dialect, folder: Path, count: int, seed: int) -> list[tuple[str, str, Verdict]]:
    make, ask = REFERENCES[dialect]
    rows = list(islice(make(random.Random(seed)), count))
    return [(*row, verdict) for row, verdict in zip(rows, ask(folder, rows), strict=True)]


def differences(dialect: Dialect, rows: list[tuple[str, str, Verdict]]) -> list[dict[str, Any]]:
    return [
        {"range": text, "version": version, "expected": expected, "found": found}
        for text, version, expected in rows
        if (found := ours(text, version, dialect)) != expected
    ]


def main() -> None:
    folder, *numbers = sys.argv[1:]
    count, seed = (int(number) for number in (numbers or ["600", "0"]))
    for dialect in REFERENCES:
        rows = judged(dialect, Path(folder).resolve(), count, seed)
        found = differences(dialect, rows)
        sys.stdout.write(f"{dialect}: {len(rows)} rows, {len(found)} differences {found[:3]}\n")
        if not numbers:
            lines = (json.dumps({"range": r, "version": v, "expected": e}) + "\n" for r, v, e in rows)
            (HERE / f"{dialect}.jsonl").write_text("".join(lines))


if __name__ == "__main__":
    main()
