"""Labelled questions as data: the format of tests/data/cases, read by every runner.

A file holds `cases`, by name. Each has a `description`, the question (`manifest`, `host`, `installed`, `runtimes`,
`database`, `previous`, `host_provides`, `host_baseline`), what it is judged by (`matrix` over the base of the file,
`vendors`, `policies`, `now`) and the `expected` result.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, cast

from processors.documents import yaml_text
from processors.documents.files import naming
from processors.errors import DocumentRefused
from processors.events.subject import Host, InstalledPlugin, Provision, Subject
from processors.events.vocabulary import Verdict
from processors.manifests import read_manifest
from processors.matrix.document import MatrixDocument
from processors.matrix.merged import Matrix
from processors.matrix.text import parse_matrix
from processors.policies import Advisory, Policies, SecurityPolicy

NOON: Final = "2026-11-24T12:00:00Z"
PUBLISHED: Final = "2026-11-24T11:00:00Z"
BASE: Final[Mapping[str, Any]] = {
    "source": "governance",
    "revision": "7",
    "published_at": PUBLISHED,
    "hosts": {"corex": {"dialect": "npm", "releases": ["1.8.0", "1.9.0", "2.0.0"]}},
    "undeclared": {"host": "block", "runtime": "allow", "matrix": "allow"},
}
"""The governance matrix that the `matrix` of a case is laid over. It demands nothing by itself."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The result that a case must have. `score` None and `remedies` None are not compared."""

    verdict: Verdict
    findings: tuple[str, ...]
    remedies: tuple[str, ...] | None
    score: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledCase:
    """A question, what it is judged by, and the right answer. `raw` is the question as the file states it."""

    name: str
    description: str
    subject: Subject
    documents: tuple[tuple[Mapping[str, Any], MatrixDocument], ...]
    policies: Policies
    now: int
    at: str
    expected: Expected
    raw: Mapping[str, Any]

    @property
    def dialect(self) -> str:
        host = self.matrix.host(self.subject.host.name)
        return host.dialect if host else "npm"

    @property
    def matrix(self) -> Matrix:
        published = ((d, d.published_at if d.published_at is not None else self.now) for _, d in self.documents)
        return Matrix.of((d, at, at + d.expires_after) for d, at in published)


def read_cases(paths: Iterable[Path]) -> Iterator[LabelledCase]:
    """Every case of the files, in order of their names. Raises DocumentRefused that names the case."""
    for path in sorted(paths):
        with naming(path):
            value = yaml_text.load(path.read_bytes()).value
        if not isinstance(value, dict) or not isinstance(cases := cast("dict[str, Any]", value).get("cases"), dict):
            raise DocumentRefused(str(path), "expected a mapping with `cases`")
        for name, raw in cast("dict[str, Any]", cases).items():
            try:
                yield read_case(name, raw)
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                raise DocumentRefused(f"{path}: {name}", f"is not a labelled case: {error!r}") from None


def read_case(name: str, raw: Mapping[str, Any]) -> LabelledCase:
    at = raw.get("now", NOON)
    return LabelledCase(
        name=name,
        description=raw["description"],
        subject=_subject(raw),
        documents=tuple((document, parse_matrix(json.dumps(document), json=True)) for document in _documents(raw)),
        policies=Policies.of(_policy(policy) for policy in raw.get("policies", ())),
        now=_instant(at),
        at=at,
        expected=_expected(raw["expected"]),
        raw=raw,
    )


def _documents(raw: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Governance's matrix, unless the case has none at all, then the matrices of the vendors."""
    own = raw.get("matrix", {})
    if own is not None:
        yield {**BASE, **own}
    for document in raw.get("vendors", ()):
        yield {"revision": "1", "published_at": PUBLISHED, **document}


def _subject(raw: Mapping[str, Any]) -> Subject:
    name, _, version = raw.get("host", "corex@1.9.0").rpartition("@")
    database = raw.get("database")
    return Subject(
        manifest=read_manifest(json.dumps(raw["manifest"]).encode(), "plugin.yaml"),
        host=Host(name, version, _provisions(raw.get("host_provides", ())), raw.get("host_baseline", "")),
        installed=tuple(_installed(item) for item in raw.get("installed", ())),
        runtimes=_provisions(raw.get("runtimes", ())),
        database=_provisions([database])[0] if database else None,
        previous_version=raw.get("previous"),
    )


def _installed(item: str | Mapping[str, Any]) -> InstalledPlugin:
    """`id@version`, or a plugin that states more about itself in the format of a manifest."""
    if isinstance(item, str):
        id, _, version = item.rpartition("@")
        return InstalledPlugin(id, version)
    stated = read_manifest(json.dumps({k: v for k, v in item.items() if k != "enabled"}).encode(), "plugin.yaml")
    return InstalledPlugin(
        stated.id,
        stated.version,
        item.get("enabled", True),
        stated.requires,
        stated.conflicts,
        stated.provides,
        stated.consumes,
        stated.migrations,
        stated.data_format,
    )


def _provisions(items: Iterable[str]) -> tuple[Provision, ...]:
    return tuple(Provision(id, version) for id, _, version in (item.rpartition("@") for item in items))


def _policy(raw: Mapping[str, Any]) -> SecurityPolicy:
    return SecurityPolicy(
        component_id=raw["component"],
        policy_id=raw["id"],
        published_at=0,
        required_baseline=raw.get("baseline", ""),
        advisories=tuple(_advisory(advisory) for advisory in raw.get("advisories", ())),
    )


def _advisory(raw: Mapping[str, Any]) -> Advisory:
    withdrawn = raw.get("withdrawn")
    return Advisory(
        id=raw["id"],
        severity=raw.get("severity", ""),
        affected=tuple(raw["affected"]),
        fixed=tuple(raw.get("fixed", ())),
        withdrawn_at=_instant(withdrawn) if withdrawn else None,
    )


def _expected(raw: Mapping[str, Any]) -> Expected:
    remedies = raw.get("remedies")
    return Expected(
        verdict=Verdict(raw["verdict"]),
        findings=tuple(sorted(raw.get("findings", ()))),
        remedies=None if remedies is None else tuple(remedies),
        score=raw.get("score"),
    )


def _instant(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
