"""Converts published catalogues of ecosystems to a matrix source: facts about each release, and no rules.

Jenkins' update-center.json, a Helm repository's index.yaml, Grafana's list of plugins and Open VSX's list of
extensions. An entry without its own name and version is skipped and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, cast

from processors.documents.scalars import WrittenFloat, WrittenInt
from processors.errors import DocumentRefused


class Catalogue(NamedTuple):
    """The settings and rows of a source as in its file, and how many entries were skipped."""

    hosts: Mapping[str, Mapping[str, Any]]
    releases: list[dict[str, Any]]
    left_out: int


def catalogue(format: str, value: Any) -> Catalogue:
    """The releases of a decoded catalogue. Raises DocumentRefused if it has another format."""
    reader = FORMATS[format]
    entries = list(reader.entries(value))
    if not entries:
        raise DocumentRefused("", f"expected {reader.expected}, found none")
    rows = [reader.row(entry) for entry in entries]
    known = [row for row in rows if row is not None]
    hosts = {reader.host: {"dialect": reader.dialect, **reader.settings(value)}}
    return Catalogue(hosts, known, len(rows) - len(known))


class _Reader(NamedTuple):
    host: str
    dialect: str
    expected: str
    entries: Callable[[Any], Iterable[Any]]
    row: Callable[[Any], dict[str, Any] | None]
    settings: Callable[[Any], Mapping[str, Any]] = lambda _: {}


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = cast("dict[str, Any]", value).get(key) if isinstance(value, dict) else None
    return value


def _text(value: Any, *keys: str) -> str:
    """One line of text under one of these keys; empty for anything else."""
    found = _at(value, *keys)
    if isinstance(found, (WrittenInt, WrittenFloat)):
        return found.text
    return found.strip() if isinstance(found, str) and len(found) <= 256 and found.isprintable() else ""


def _list(value: Any, *keys: str) -> list[Any]:
    found = _at(value, *keys)
    return cast("list[Any]", found) if isinstance(found, list) else []


def _values(value: Any, *keys: str) -> list[Any]:
    found = _at(value, *keys)
    return list(cast("dict[str, Any]", found).values()) if isinstance(found, dict) else []


def _row(plugin: str, version: str, host: str, **more: Any) -> dict[str, Any] | None:
    if not plugin or not version or any(map(str.isspace, plugin)):
        return None
    row: dict[str, Any] = {"plugin": plugin, "version": version, "host": host, **more}
    return {key: value for key, value in row.items() if value}


def _jenkins(value: Any) -> Iterator[Any]:
    deprecated = _at(value, "deprecations")
    names = cast("dict[str, Any]", deprecated).keys() if isinstance(deprecated, dict) else ()
    for plugin in _values(value, "plugins"):
        yield {"plugin": plugin, "deprecated": _text(plugin, "name") in names}


def _jenkins_row(entry: Any) -> dict[str, Any] | None:
    plugin = _at(entry, "plugin")
    java = _text(plugin, "minimumJavaVersion")
    return _row(
        _text(plugin, "name"),
        _text(plugin, "version"),
        _text(plugin, "requiredCore"),
        requires=[*_jenkins_needs(plugin)],
        runtime={"java": f">={java}"} if java else {},
        lifecycle="deprecated" if _at(entry, "deprecated") else "",
    )


def _jenkins_needs(plugin: Any) -> Iterator[dict[str, Any]]:
    for need in _list(plugin, "dependencies"):
        if id := _text(need, "name"):
            version = _text(need, "version")
            stated: dict[str, Any] = {"id": id, "range": f">={version}" if version else ""}
            yield {**stated, "optional": True} if _at(need, "optional") is True else stated


def _jenkins_settings(value: Any) -> Mapping[str, Any]:
    core = _text(value, "core", "version")
    return {"releases": [core]} if core else {}


def _helm(value: Any) -> Iterator[Any]:
    for charts in _values(value, "entries"):
        yield from cast("list[Any]", charts) if isinstance(charts, list) else ()


def _helm_row(chart: Any) -> dict[str, Any] | None:
    lifecycle = "deprecated" if _at(chart, "deprecated") is True else ""
    return _row(_text(chart, "name"), _text(chart, "version"), _text(chart, "kubeVersion"), lifecycle=lifecycle)


def _grafana(value: Any) -> list[Any]:
    return _list(value, "items")


def _grafana_row(plugin: Any) -> dict[str, Any] | None:
    needs = _at(plugin, "json", "dependencies")
    return _row(
        _text(plugin, "slug") or _text(plugin, "pluginSlug"),
        _text(plugin, "version"),
        _text(needs, "grafanaDependency") or _text(plugin, "grafanaDependency") or _text(needs, "grafanaVersion"),
        requires=[id for need in _list(needs, "plugins") if (id := _text(need, "id"))],
        lifecycle="deprecated" if _text(plugin, "status") == "deprecated" else "",
    )


def _open_vsx(value: Any) -> list[Any]:
    return _list(value, "extensions") or ([value] if _text(value, "namespace") else [])


def _open_vsx_row(extension: Any) -> dict[str, Any] | None:
    needs = [_extension_id(need, "extension") for need in _list(extension, "dependencies")]
    return _row(
        _extension_id(extension, "name"),
        _text(extension, "version"),
        _text(extension, "engines", "vscode"),
        requires=[id for id in needs if id and not id.startswith("vscode.")],
        lifecycle="deprecated" if _at(extension, "deprecated") is True else "",
    )


def _extension_id(value: Any, name: str) -> str:
    """Extension ids are case-insensitive."""
    parts = _text(value, "namespace"), _text(value, name)
    return ".".join(parts).lower() if all(parts) else ""


FORMATS: Final[Mapping[str, _Reader]] = {
    "jenkins": _Reader(
        "jenkins", "minimum", "update-center.json with `plugins`", _jenkins, _jenkins_row, _jenkins_settings
    ),
    "helm": _Reader("kubernetes", "masterminds", "index.yaml with `entries`", _helm, _helm_row),
    "grafana": _Reader("grafana", "npm-prerelease", "plugins under `items`", _grafana, _grafana_row),
    "open-vsx": _Reader("vscode", "vscode", "`extensions`, or one extension", _open_vsx, _open_vsx_row),
}
