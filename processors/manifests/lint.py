"""Advice for vendors, before a platform refuses their manifest: what is malformed and what is missing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any, Final, cast

from processors.documents.scalars import WrittenFloat, WrittenInt
from processors.errors import Refused, shorten
from processors.events.subject import Manifest, Requirement
from processors.manifests.ecosystem import Ecosystem, plugin_scheme
from processors.manifests.node import Node
from processors.manifests.read import ecosystem_of, open_document, statements
from processors.versions import Dialect, hint, parse_range, parse_version, scheme_of

MOST_ADVICE: Final = 200
"""The most advice of one kind that is given for one file."""


class Level(StrEnum):
    """An error is refused or misunderstood by the check; a warning leaves the decision to the platform."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to fix: where, what, and how to write it instead."""

    level: Level
    path: str
    problem: str
    write: str = ""


@dataclass(frozen=True, slots=True)
class _Case:
    root: Node
    manifest: Manifest
    ecosystem: Ecosystem
    dialect: Dialect
    """The dialect of the host."""
    own: Dialect
    """The dialect of the plugin's own version, and of the plugins that it needs."""


def lint(data: bytes, name: str, dialect: Dialect | None = None) -> tuple[Advice, ...]:
    """What to fix in a manifest file, errors first. The default dialect is that of its ecosystem.

    Raises DocumentRefused as `read_manifest` does. A file without errors may still not fit a host.
    """
    root = open_document(data, name)
    ecosystem = ecosystem_of(name, root)
    host = dialect or ecosystem.dialect
    case = _Case(root, statements(root, ecosystem), ecosystem, host, plugin_scheme(ecosystem.host) or host)
    advice = dict.fromkeys(item for rule in _RULES for item in islice(rule(case), MOST_ADVICE))
    return tuple(sorted(advice, key=lambda item: item.level is not Level.ERROR))


def _defects(case: _Case) -> Iterator[Advice]:
    for defect in case.root.defects:
        yield Advice(Level.ERROR, defect.path, defect.problem, _example(case, defect.path))


def _unknown_keys(case: _Case) -> Iterator[Advice]:
    """A statement under a misspelled key has no effect. Keys that begin with `x-` are the vendor's own."""
    yield from _misspelled(case, case.root, case.ecosystem.keys)
    for key, known in case.ecosystem.nested.items():
        yield from _misspelled(case, case.root[key], known)
    homes = {key: home for home, known in case.ecosystem.nested.items() for key in known}
    for key, node in case.root.entries():
        if key in homes and key not in case.ecosystem.keys:
            yield Advice(Level.ERROR, node.path, "this key is not read here", f"{homes[key]}: {{{key}: ...}}")


def _misspelled(case: _Case, parent: Node, known: frozenset[str]) -> Iterator[Advice]:
    unknown = ((key, node) for key, node in parent.entries() if key not in known and not key.startswith(_OWN))
    for key, node in islice(unknown, 200):  # comparing words takes time
        if meant := difflib.get_close_matches(key[:64], sorted(known), 1, 0.8):
            problem = f"the key `{shorten(key)}` is not known; did you mean `{meant[0]}`?"
            level = Level.ERROR if meant[0] not in case.ecosystem.unread else Level.WARNING
            yield Advice(level, node.path, problem, f"{meant[0]}: ...")


def _host(case: _Case) -> Iterator[Advice]:
    said, path = case.manifest, _key(case.ecosystem.host_example)
    is_installed = case.root["type"].value != "library"  # a library chart is part of other charts
    if said.host_range is None and said.min_host is None and said.max_host is None and is_installed:
        yield Advice(Level.WARNING, path, "no host range; a platform may block it", case.ecosystem.host_example)
    if said.host_range is not None:
        yield from _range(case, path, "", said.host_range, case.dialect)
        yield from _without_candidates(case, path, said.host_range)
    for key, bound, operator in zip(_BOUNDS, (said.min_host, said.max_host), (">=", "<="), strict=True):
        if bound is not None:
            yield from _bound(case, key if case.ecosystem.name == "powerx" else path, bound, operator)


def _without_candidates(case: _Case, path: str, text: str) -> Iterator[Advice]:
    """Clusters of cloud providers report v1.30.0-gke.100, which Masterminds treats as a pre-release."""
    if case.dialect is Dialect.MASTERMINDS and "-" not in text and not _refusal(parse_range, text, case.dialect):
        problem = "it leaves out clusters of cloud providers, such as v1.30.0-gke.100; end a bound in `-0`"
        yield Advice(Level.WARNING, path, problem, case.ecosystem.host_example)


def _bound(case: _Case, path: str, bound: str, operator: str) -> Iterator[Advice]:
    problem = _refusal(parse_version, bound, case.dialect)
    if problem and _refusal(parse_range, f"{operator}{bound}", case.dialect):
        yield Advice(Level.ERROR, path, problem, _example(case, path))
    elif problem:
        yield Advice(
            Level.WARNING, path, f"`{shorten(bound)}` is not a complete version", f'{path}: "{shorten(bound)}.0"'
        )


def _version(case: _Case) -> Iterator[Advice]:
    version, path = case.manifest.version, case.ecosystem.version_key
    if not version or not (problem := _refusal(parse_version, version, case.own)):
        return
    if _refusal(parse_version, version, Dialect.GENERIC):
        yield Advice(Level.ERROR, path, problem, _example(case, path))
    else:
        yield Advice(Level.WARNING, path, f"{problem}; it is read as generic", _example(case, path))


def _needs(case: _Case) -> Iterator[Advice]:
    path, example = case.ecosystem.needs_key, case.ecosystem.needs_example
    for need in case.manifest.requires:
        yield from _of_plugin(case, path, need)
        if example and not need.range:
            write = example.replace("com.powerx.plugins.crm", shorten(need.id))
            yield Advice(Level.WARNING, path, f"`{shorten(need.id)}` in any version, even the first", write)
    for conflict in case.manifest.conflicts:
        yield from _of_plugin(case, "dependencies.conflicts", conflict)


def _of_plugin(case: _Case, path: str, need: Requirement) -> Iterator[Advice]:
    """A range about a plugin may be one that only `generic` can read."""
    if need.range and _refusal(parse_range, need.range, Dialect.GENERIC):
        yield from _range(case, path, need.id, need.range, case.own)


def _runtime(case: _Case) -> Iterator[Advice]:
    """Each runtime and database has its own version scheme; contracts are read in npm's dialect."""
    example = case.ecosystem.runtime_example
    if case.manifest.runtimes is None and example:
        yield Advice(Level.WARNING, _key(example), "no runtime version; a platform may warn or block", example)
    stated: Iterable[tuple[str, Iterable[Requirement]]] = (
        ("runtime", case.manifest.runtimes or ()),
        ("database", case.manifest.databases),
        ("capabilities.consumes", case.manifest.consumes),
    )
    for path, needs in stated:
        for need in needs:
            dialect = Dialect.NPM if path == "capabilities.consumes" else scheme_of(need.id)
            yield from _range(case, path, need.id, need.range, dialect)


def _range(case: _Case, path: str, id: str, text: str, dialect: Dialect) -> Iterator[Advice]:
    if text and (problem := _refusal(parse_range, text, dialect)):
        told = "; ".join(filter(None, (problem, hint(text, dialect))))
        yield Advice(Level.ERROR, path, f"{shorten(id)}: {told}" if id else told, _example(case, path))


def _refusal(parse: Callable[[str, Dialect], object], text: str, dialect: Dialect) -> str:
    try:
        parse(text, dialect)
    except Refused as error:
        return str(error)
    return ""


def _unquoted_numbers(case: _Case) -> Iterator[Advice]:
    for node in _versions_in(case.root, ""):
        text = cast("WrittenFloat | WrittenInt", node.value).text
        key = node.path.rpartition(".")[2]
        if key in _BOUNDS and _refusal(parse_version, text, case.dialect):
            continue  # reported already as an incomplete version
        yield Advice(Level.WARNING, node.path, f"{text} is a number to most readers; quote it", f'{key}: "{text}"')


def _versions_in(node: Node, key: str) -> Iterator[Node]:
    """Numbers where a version is meant, by their key or by the list or mapping of versions that they are in."""
    for below_key, below in node.entries():
        if isinstance(below.value, WrittenFloat if key in _RUNTIMES else (WrittenFloat, WrittenInt)):
            if below_key in _VERSION_KEYS or key in _VERSIONS_BY_NAME:
                yield below
        else:
            yield from _versions_in(below, below_key)
    for index, value in enumerate(cast("list[Any]", node.value) if node.is_list else ()):
        yield from _versions_in(Node(value, f"{node.path}[{index}]"), key)


def _migrations(case: _Case) -> Iterator[Advice]:
    for index, migration in enumerate(case.manifest.migrations):
        path = f"migrations[{index}]" if case.root["migrations"].is_list else "migrations"
        if not migration.checksum:
            problem = "no checksum; a changed migration cannot be noticed"
            yield Advice(Level.WARNING, path, problem, 'checksum: "sha256:<hex>"')
        if migration.reversible is None:
            problem = "not said whether it can be undone; a platform assumes that it cannot"
            yield Advice(Level.WARNING, path, problem, "reversible: false")


def _lifecycle(case: _Case) -> Iterator[Advice]:
    stated = case.manifest.lifecycle
    if "status" not in case.ecosystem.nested.get("lifecycle", ()) or stated.status in ("", "active"):
        return
    for key in ("effective_date", "sunset_at"):
        if getattr(stated, key) is None and not any(d.path == f"lifecycle.{key}" for d in case.root.defects):
            yield Advice(
                Level.WARNING, f"lifecycle.{key}", f"{shorten(stated.status)}, but no date", f'{key}: "2027-03-31"'
            )


def _key(example: str) -> str:
    """The key with which an example begins: `kubeVersion: ...`, `java.version=21`, `<php min-version=.../>`."""
    if example.startswith("<"):
        return example[1:].partition(" ")[0]
    return re.split("[:=]", example, maxsplit=1)[0].strip('"')


def _example(case: _Case, path: str) -> str:
    """How the place should be written: the example of the nearest key above it."""
    if case.ecosystem.name != "powerx":
        return case.ecosystem.host_example if case.ecosystem.host_example.startswith(path) else ""
    steps = re.sub(r"\[[0-9]+\]", "", path).split(".")
    paths = (".".join(steps[:length]) for length in range(len(steps), 0, -1))
    return next((_EXAMPLES[path] for path in paths if path in _EXAMPLES), "")


_RULES: Final = (
    _defects, _unknown_keys, _version, _host, _needs, _runtime, _unquoted_numbers, _migrations, _lifecycle,
)  # fmt: skip

_BOUNDS: Final = ("min_core", "max_core")
_OWN: Final = ("x-", "x_")

_VERSION_KEYS: Final = frozenset(
    {"version", "range", "corex_version", "min_core", "max_core", "security_baseline_version", "data_format"}
    | {"from", "to", "from_version", "to_version"}
)
_RUNTIMES: Final = frozenset({"runtime", "backend", "frontend"})
_VERSIONS_BY_NAME: Final = _RUNTIMES | {
    "runtimes", "database", "databases", "requires", "optional", "conflicts", "provides", "consumes", "components",
}  # fmt: skip

_EXAMPLES: Final = {
    "id": "id: com.powerx.plugins.crm",
    "pluginId": "id: com.powerx.plugins.crm",
    "version": 'version: "1.5.0"',
    "name": "name: Inventory Sync",
    "corex_version": 'corex_version: ">=2.0.0 <3.0.0"',
    "min_core": 'min_core: "1.8.0"',
    "max_core": 'max_core: "1.9.0"',
    "dependencies": 'dependencies: {requires: ["com.powerx.plugins.crm >=0.5.0"]}',
    "dependencies.requires": "- com.powerx.plugins.crm >=0.5.0",
    "dependencies.conflicts": "- com.powerx.legacy.stock",
    "dependencies.replaces": "- com.powerx.legacy.stock",
    "runtime": 'runtime: {kind: go, version: ">=1.21", entry: ./bin/plugin}',
    "runtimes": 'runtimes: {go: ">=1.21"}',
    "database": 'database: {engine: postgresql, version: ">=14"}',
    "databases": '- {engine: postgresql, version: ">=14"}',
    "capabilities.provides": '- {id: crm.contacts, version: "1.4"}',
    "capabilities.consumes": "- crm.contacts ^1.4",
    "contracts": 'contracts: {crm.contacts: "^1.4"}',
    "components": '- {id: openssl, version: "3.0.13"}',
    "migrations": '- {id: "0007", checksum: "sha256:<hex>", reversible: false}',
    "lifecycle": 'lifecycle: {status: deprecated, effective_date: "2026-10-01", sunset_at: "2027-03-31"}',
    "lifecycle.effective_date": 'effective_date: "2026-10-01"',
    "lifecycle.sunset_at": 'sunset_at: "2027-03-31"',
}
"""How to write what plugin.yaml states, by path."""
