"""`compat-guard accuracy`: how often the whole engine is right on a labelled corpus, and how it errs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final, cast

import typer
from rich.console import Console
from rich.table import Table

from processors.checker.check import check
from processors.checker.labelled_cases import BASE, LabelledCase, read_cases
from processors.cli import talk
from processors.cli.formats import Listing, ListingOption
from processors.errors import DocumentRefused
from processors.events.subject import Host, Manifest, Subject
from processors.events.vocabulary import Verdict
from processors.matrix.document import DAY
from processors.matrix.merged import Matrix
from processors.matrix.text import parse_matrix
from processors.versions import Dialect

WANTED: Final = 0.98
"""The promised share of right answers."""

CASES: Final = Path(__file__).parents[3] / "tests" / "data" / "cases"
DIGEST: Final = "sha256:" + "0" * 64
NOW: Final = 1_795_521_600_000


@dataclass(frozen=True, slots=True)
class Judged:
    """One labelled question and its answer. `codes` are the expected or the found findings."""

    name: str
    group: str
    codes: tuple[str, ...]
    expected_block: bool
    blocked: bool
    right: bool


@dataclass(slots=True)
class Tally:
    """Right answers, and the two kinds of errors: an allow that should be a block, a block that should not be
    one."""

    total: int = 0
    right: int = 0
    false_allows: int = 0
    false_blocks: int = 0

    def add(self, judged: Judged) -> None:
        self.total += 1
        self.right += judged.right
        self.false_allows += judged.expected_block and not judged.blocked
        self.false_blocks += judged.blocked and not judged.expected_block

    @property
    def accuracy(self) -> float:
        return self.right / self.total if self.total else 0.0


def accuracy(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="JSON Lines of {dialect, range, version, satisfies}, or YAML files of cases",
            show_default="the project's cases",
        ),
    ] = None,
    output: ListingOption = Listing.table,
) -> None:
    """Run labelled questions through the whole engine, and report how often its answer is the labelled one.

    A row is right if the plugin that states its range is allowed exactly on the hosts that satisfy it; a case if
    verdict and finding codes are as labelled. Ends with 0 from 98 % on, with 1 below, with 2 for a file that cannot
    be read.
    """
    chosen = files or sorted(CASES.glob("*.yaml"))
    if not files:
        talk().print(f"no corpus was given: judging the project's own cases in {CASES}", highlight=False)
    judged = [answer for file in chosen for answer in _judged(file)]
    if not judged:
        raise DocumentRefused("", "expected labelled rows or cases, found none")
    whole, groups, codes = _tallies(judged)
    if output is Listing.json:
        wrong = [asdict(answer) for answer in judged if not answer.right]
        typer.echo(json.dumps({"all": _numbers(whole), **_nested(groups, codes), "wrong": wrong}, indent=2))
    else:
        _show(whole, groups, codes, [answer for answer in judged if not answer.right])
    raise typer.Exit(0 if whole.accuracy >= WANTED else 1)


def _judged(file: Path) -> Iterator[Judged]:
    if file.suffix in (".yaml", ".yml"):
        yield from (_case(case) for case in read_cases([file]))
    else:
        yield from _rows(file)


def _case(case: LabelledCase) -> Judged:
    report = check(case.subject, case.matrix, case.now, DIGEST, case.policies).report
    found = tuple(sorted(finding.code for finding in report.findings))
    return Judged(
        name=case.name,
        group=f"cases in {case.dialect}",
        codes=tuple(sorted({*case.expected.findings, *found})),
        expected_block=case.expected.verdict is Verdict.BLOCK,
        blocked=report.verdict is Verdict.BLOCK,
        right=(report.verdict, found) == (case.expected.verdict, case.expected.findings),
    )


def _rows(file: Path) -> Iterator[Judged]:
    """Each row becomes a plugin that states the range, on a host whose dialect the matrix declares."""
    matrices = {dialect: _speaking(dialect) for dialect in Dialect}
    number = 0
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                yield _row(f"{file.name}:{number}", json.loads(line), matrices)
    except OSError as error:
        raise DocumentRefused.unopened(file, error) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DocumentRefused(
            f"{file}: line {number}", "expected an object of `dialect`, `range`, `version` and `satisfies`"
        ) from None


def _row(name: str, row: Mapping[str, Any], matrices: Mapping[Dialect, Matrix]) -> Judged:
    dialect, version, fits = Dialect(row["dialect"]), cast(str, row["version"]), bool(row["satisfies"])
    manifest = Manifest(id="plugin", version=_PLUGIN_VERSIONS.get(dialect, "1.0.0"), host_range=row["range"])
    subject = Subject(manifest=manifest, host=Host("host", version))
    report = check(subject, matrices[dialect], NOW, DIGEST).report
    blocked = report.verdict is Verdict.BLOCK
    return Judged(
        name=f"{name} {row['range']!r} on {version}",
        group=dialect,
        codes=tuple(sorted({finding.code for finding in report.findings})),
        expected_block=not fits,
        blocked=blocked,
        right=blocked is not fits,
    )


_PLUGIN_VERSIONS: Final[Mapping[Dialect, str]] = {Dialect.JETBRAINS: "231.1"}
"""The plugin's own version, in dialects that cannot read 1.0.0."""


def _speaking(dialect: Dialect) -> Matrix:
    undeclared = {"host": "allow", "runtime": "allow", "matrix": "allow"}
    stated = {**BASE, "hosts": {"host": {"dialect": dialect.value}}, "undeclared": undeclared}
    return Matrix.of([(parse_matrix(json.dumps(stated), json=True), NOW, NOW + DAY)])


def _tallies(judged: Iterable[Judged]) -> tuple[Tally, dict[str, Tally], dict[str, Tally]]:
    """For all, by group, and by finding code; an answer counts under each of its codes."""
    whole, groups, codes = Tally(), dict[str, Tally](), dict[str, Tally]()
    for answer in judged:
        whole.add(answer)
        groups.setdefault(answer.group, Tally()).add(answer)
        for code in answer.codes or ("no finding",):
            codes.setdefault(code, Tally()).add(answer)
    return whole, dict(sorted(groups.items())), dict(sorted(codes.items()))


def _numbers(tally: Tally) -> dict[str, Any]:
    return {**asdict(tally), "accuracy": round(tally.accuracy, 6)}


def _nested(groups: Mapping[str, Tally], codes: Mapping[str, Tally]) -> dict[str, Any]:
    return {
        "by_dialect": {name: _numbers(tally) for name, tally in groups.items()},
        "by_code": {name: _numbers(tally) for name, tally in codes.items()},
    }


def _show(whole: Tally, groups: Mapping[str, Tally], codes: Mapping[str, Tally], wrong: list[Judged]) -> None:
    table = Table("", "questions", "right", "false allows", "false blocks", "accuracy", box=None)
    for name, tally in (*groups.items(), *codes.items(), ("all", whole)):
        counts = (tally.total, tally.right, tally.false_allows, tally.false_blocks)
        table.add_row(name, *map(str, counts), f"{tally.accuracy:.2%}")
    Console(width=100, emoji=False).print(table)
    for answer in wrong[:10]:
        talk().print(f"wrong: {answer.name} ({answer.group})", highlight=False, markup=False)
    verb = "reaches" if whole.accuracy >= WANTED else "stays below"
    talk().print(f"{whole.accuracy:.2%} {verb} the promised {WANTED:.0%}", highlight=False)
