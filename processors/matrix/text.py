"""A matrix as people write it: YAML by hand, or JSON with the same content where it is large."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, cast

from processors.documents import json_text, yaml_text
from processors.documents.files import content_of, naming
from processors.matrix.canonical import digest_of
from processors.matrix.document import (
    DAY,
    DEFAULT_SEVERITIES,
    DEFAULT_WEIGHTS,
    GOVERNANCE,
    STRICTEST_FIRST,
    Governance,
    Head,
    HostDeclaration,
    MatrixDocument,
    PluginScheme,
    Policy,
    Undeclared,
)
from processors.matrix.reading import Fields, Problem, Reading, found, refusal
from processors.matrix.revisions import unnamed
from processors.matrix.rows import read_releases, read_rules
from processors.versions import Dialect

_SETTINGS: Final = ("hosts", "plugins", "undeclared", "weights", "severity", "governance")
_DOCUMENT: Final = ("source", "revision", "published_at", "expires_after", *_SETTINGS, "matrix", "releases")
_HOST: Final = ("dialect", "releases", "components", "security_baseline")
_PLUGIN: Final = PluginScheme._fields
_UNDECLARED: Final = tuple(field.name for field in fields(Undeclared))
_GOVERNANCE: Final = tuple(field.name for field in fields(Governance))
_SOURCE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_DIALECTS: Final = tuple(str(dialect) for dialect in Dialect)
_DIMENSIONS: Final = {dimension.lower(): dimension for dimension in DEFAULT_WEIGHTS}
_SEVERITIES: Final = {severity.lower(): severity for severity in DEFAULT_SEVERITIES}


def load_matrix(path: Path) -> MatrixDocument:
    """Read one source's matrix. Raises DocumentRefused with the first problem, its place and the number of others.

    The error names the file. Versions and ranges are not parsed here: see `lint`.
    """
    with naming(path):
        return parse_matrix(matrix_text(path), json=path.suffix == ".json")


def parse_matrix(content: bytes | str, *, json: bool = False) -> MatrixDocument:
    """As `load_matrix`, from the text itself."""
    document, problems = inspect_matrix(content, json=json)
    if problems:
        raise refusal(problems)
    return document


def inspect_matrix(content: bytes | str, *, json: bool = False) -> tuple[MatrixDocument, list[Problem]]:
    """The document and every problem in it. If there is a problem, the document must not be used.

    Raises DocumentRefused if the text is not YAML or JSON at all.
    """
    if json:
        value, reading = json_text.load(content), Reading()
    else:
        text = yaml_text.load(content)
        value, reading = text.value, Reading(text.lines)
    return _document(reading, value), reading.problems


def matrix_text(path: Path) -> bytes:
    """The content of the file, up to one byte more than may be read. Raises DocumentRefused if there is none."""
    return content_of(path, json_text.LIMIT if path.suffix == ".json" else yaml_text.LIMIT)


def read_settings(text: str) -> Head:
    """The settings of a refresh, as `canonical.settings_text` wrote them. Raises DocumentRefused."""
    reading = Reading()
    head = _head(reading.fields(json_text.load(text) if text else None, (), _SETTINGS))
    if reading.problems:
        raise refusal(reading.problems)
    return head


def is_source_name(name: str) -> bool:
    """The name of a source is part of keys and of `source#row`, so it is restricted to plain characters."""
    return _SOURCE.fullmatch(name) is not None


def _document(reading: Reading, value: Any) -> MatrixDocument:
    if not isinstance(value, dict):
        reading.refuse((), f"expected a matrix: a mapping with `matrix` or `releases`; found {found(value)}")
        value = None
    top = reading.fields(value, (), _DOCUMENT)
    source = top.text("source", longest=64) if "source" in top else GOVERNANCE
    if not is_source_name(source):
        reading.refuse(("source",), f"expected lower-case letters, digits, `.`, `_` and `-`; found {found(source)}")
    head = _head(top)
    rules = read_rules(reading, top.items("matrix"), ("matrix",))
    releases = read_releases(reading, top.items("releases"), ("releases",))
    digest = digest_of(source, head, rules, releases)
    revision = top.optional("revision") or unnamed(digest)
    return MatrixDocument(
        source=source,
        revision=revision,
        digest=digest,
        published_at=top.instant("published_at"),
        expires_after=_lifetime(top),
        hosts=head.hosts,
        plugins=head.plugins,
        undeclared=head.undeclared,
        weights=head.weights,
        severity=head.severity,
        governance=head.governance,
        rules=tuple(rule._replace(source=source, revision=revision) for rule in rules),
        releases=tuple(release._replace(source=source, revision=revision) for release in releases),
    )


def _lifetime(top: Fields) -> int:
    lifetime = top.duration("expires_after")
    if lifetime == 0:
        top.reading.refuse(("expires_after",), "expected a duration above zero, found `0`")
    return DAY if lifetime is None else lifetime


def _head(top: Fields) -> Head:
    return Head(
        hosts=MappingProxyType({name: _host(top, name) for name in sorted(top.mapping("hosts"))}),
        plugins=tuple(_plugin(top, n, item) for n, item in enumerate(top.items("plugins"))),
        undeclared=_undeclared(top),
        weights=_percents(top, "weights", _DIMENSIONS),
        severity=_percents(top, "severity", _SEVERITIES),
        governance=_governance(top),
    )


def _host(top: Fields, name: str) -> HostDeclaration:
    path = ("hosts", name)
    host = top.reading.fields(top.given["hosts"][name], path, _HOST)
    return HostDeclaration(
        name=top.reading.id(name, path),
        dialect=host.word("dialect", _DIALECTS) if "dialect" in host else Dialect.NPM.value,
        releases=host.texts("releases"),
        components=host.texts("components"),
        security_baseline=host.text("security_baseline", longest=256),
    )


def _plugin(top: Fields, number: int, item: Any) -> PluginScheme:
    stated = top.reading.fields(item, ("plugins", number), _PLUGIN)
    return PluginScheme(stated.id("match"), stated.word("scheme", _DIALECTS))


def _undeclared(top: Fields) -> Mapping[str, Policy]:
    stated = top.reading.fields(top.given.get("undeclared"), ("undeclared",), _UNDECLARED)
    words = {name: stated.word(name, STRICTEST_FIRST) for name in _UNDECLARED if name in stated}
    return MappingProxyType(cast("dict[str, Policy]", words))


def _percents(top: Fields, name: str, known: Mapping[str, Any]) -> Mapping[Any, int]:
    """`pre-release` and `prerelease`, `api-schema` and `api_schema` are the same word."""
    given = top.mapping(name)
    spelled = {_plain(word, known): word for word in given}
    top.reading.fields(dict.fromkeys(spelled), (name,), known)
    percents = {
        known[plain]: top.reading.percent(given[word], (name, word))
        for plain, word in spelled.items()
        if plain in known
    }
    return MappingProxyType(percents)


def _plain(word: str, known: Mapping[str, Any]) -> str:
    candidates = (word, word.replace("-", "_"), word.replace("-", ""))
    return next((candidate for candidate in candidates if candidate in known), word)


def _governance(top: Fields) -> Governance:
    stated = top.reading.fields(top.given.get("governance"), ("governance",), _GOVERNANCE)
    return Governance(
        scan_interval=stated.duration("scan_interval"),
        max_report_age=stated.duration("max_report_age"),
        alert_channel=stated.text("alert_channel", longest=256),
        escalation_after=stated.duration("escalation_after"),
    )
