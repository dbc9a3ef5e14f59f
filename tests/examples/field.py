"""Situations out of public bug reports, with what is right about each. They are read where they are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from processors.checker.views import html, markdown, text
from processors.client.question import PluginQuestion
from processors.events.report import Report
from processors.events.subject import Subject
from processors.matrix.document import MatrixDocument
from processors.matrix.text import parse_matrix

FILE: Final = Path(__file__).parents[3] / "shared" / "field" / "cases.yaml"
MISSING: Final = f"the situations are not there: no {FILE}"
CASES: Final[list[dict[str, Any]]] = yaml.safe_load(FILE.read_text("utf-8")) if FILE.exists() else []

PLANS: Final[Mapping[str, list[str]]] = {
    "chain-missing": ["install d 4.0.0, then install c 3.0.0, then install b 2.0.0"],
    "lockstep": ["upgrade sodium to 0.9.1 together with iris 1.11.2"],
    "disabled-and-old": ["upgrade crm to 0.5.0, then enable crm"],
    "releases-before-candidates": ["upgrade homeassistant to 2024.7.0"],
    "installed-version-is-no-remedy": ["upgrade corex to 2.0.0 together with p 2.0.0"],
    "host-upgrade-breaks-others": [],
    "linear-derivation": [],
    "circle-not-installed": [],
}
"""All that is offered, in words."""

NEVER: Final[Mapping[str, list[str]]] = {
    "circle-not-installed": ["nstall b"],
    "lockstep": ["nstall iris 1.10.9"],
    "host-upgrade-breaks-others": ["pgrade nextcloud"],
    "installed-version-is-no-remedy": ["nstall p 1.4.0", "nstall p 1.5.0"],
    "linear-derivation": ["nstall foo", "nstall baz", "nstall bar"],
}
"""Orders that stand nowhere in the report, however they begin."""


def assert_right(case: Mapping[str, Any], report: Report) -> None:
    """Verdict, code, plans, who is named in every view, and what is ordered in none."""
    right, name = case["right"], case["name"]
    views = (text.render(report), markdown.render(report), html.render(report, ""))
    assert report.verdict == right["verdict"], report.summary
    assert right.get("code") in (None, *(finding.code for finding in report.findings))
    assert [plan.sentence for plan in report.remediations] == PLANS.get(
        name, [plan.sentence for plan in report.remediations]
    )
    assert [named for named in right.get("names", ()) for view in views if named not in view] == []
    assert [order for order in NEVER.get(name, ()) for view in views if order in view] == []


def files_of(case: Mapping[str, Any], folder: Path) -> list[str]:
    """The arguments of a command that asks about the situation; its files are written into the folder."""
    manifest = folder / case["manifest"]["file"]
    manifest.write_text(case["manifest"]["text"], "utf-8")
    arguments = ["--manifest", str(manifest), "--host", case["host"], *case.get("args", ())]
    if case.get("installed"):
        (folder / "installed.json").write_text(json.dumps(case["installed"]), "utf-8")
        arguments += ["--installed-from", str(folder / "installed.json")]
    return arguments


def subject_of(case: Mapping[str, Any], folder: Path) -> Subject:
    """The question as a client reads it from the same files."""
    given: dict[str, list[str]] = {}
    arguments = files_of(case, folder)
    for option, value in zip(arguments[::2], arguments[1::2], strict=True):
        given.setdefault(option, []).append(value)
    return PluginQuestion(
        manifest=[Path(file) for file in given["--manifest"]],
        host=given["--host"],
        runtimes=given.get("--runtime", ()),
        installed=given.get("--installed", ()),
        installed_from=next((Path(file) for file in given.get("--installed-from", ())), None),
        database=next(iter(given.get("--database", ())), None),
    ).subject()


Asked = tuple[Mapping[str, Any], Subject]
"""A situation and its question."""


def in_few_matrices(asked: Sequence[Asked]) -> Iterator[tuple[MatrixDocument, Sequence[Asked]]]:
    """The situations with the matrices that they are about, as few as can be.

    Those share one that say the same of their hosts, and of which none knows a plugin that another one mentions,
    or a host that another one's manifest is not asked about.
    """
    left = asked
    while left:
        matrix, together, apart = _stated(left[0][0]), [left[0]], list[Asked]()
        for case, subject in left[1:]:
            other = _stated(case)
            met = any(_meets(other, each) for _, each in together) or _meets(matrix, subject)
            if met or not _are_apart(matrix, other):
                apart.append((case, subject))
                continue
            matrix["hosts"].update(other["hosts"])
            matrix["releases"] += other["releases"]
            together.append((case, subject))
        yield parse_matrix(yaml.safe_dump(matrix)), together
        left = apart


def _stated(case: Mapping[str, Any]) -> dict[str, Any]:
    """A matrix as its file states it, with the host named in each row."""
    matrix = yaml.safe_load(case["matrix"])
    (host,) = matrix["hosts"]
    for row in matrix.setdefault("releases", []):
        if "host" in row:
            row["hosts"] = {host: row.pop("host")}
    return matrix


def _are_apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    shared = one["hosts"].keys() & other["hosts"].keys()
    alike = all(one["hosts"][host] == other["hosts"][host] for host in shared)
    return alike and one["undeclared"] == other["undeclared"] and _plugins(one).isdisjoint(_plugins(other))


def _meets(matrix: Mapping[str, Any], subject: Subject) -> bool:
    """Whether the rows of another situation would make a difference to a question."""
    stated = (*subject.installed, subject.manifest)
    mentioned = {plugin.id for plugin in stated} | {need.id for plugin in stated for need in plugin.requires}
    is_for_another = subject.manifest.host != subject.host.name and subject.manifest.host in matrix["hosts"]
    return is_for_another or not _plugins(matrix).isdisjoint(mentioned)


def _plugins(matrix: Mapping[str, Any]) -> set[str]:
    return {row["plugin"] for row in matrix["releases"]}
