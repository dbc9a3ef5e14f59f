"""The installed plugins of a host from a file: one ID@VERSION a line, or a JSON list of what is known of each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, cast

from processors.documents import json_text
from processors.documents.files import content_of, naming
from processors.documents.scalars import utf8
from processors.errors import DocumentRefused, SettingsInvalid, nearest, shorten
from processors.events.subject import InstalledPlugin, Migration
from processors.manifests import plugin_yaml
from processors.manifests.node import Node
from processors.manifests.statements import provisions, requirements

LARGEST_LIST: Final = 16 * 1024 * 1024
"""Bytes."""

_KNOWN: Final = tuple(field.name for field in fields(InstalledPlugin))
_MIGRATION: Final = (*(field.name for field in fields(Migration)), "from", "to")
_STATED: Final = ("requires", "conflicts", "provides", "consumes")
_STATEMENT: Final = (
    *("id", "plugin", "plugin_id", "pluginId", "name"),
    *("range", "version", "version_range", "constraint", "optional"),
)
"""The keys of a requirement or an offer in a manifest."""

_IN_NO_ID: Final = " \"'"
"""Characters that are in an id only by mistake, such as in a line of YAML; another id would be judged."""

_ID: Final = 'a plugin id such as "com.powerx.plugins.crm"'
_VERSION: Final = 'a version such as "1.5.0"'
_PLUGIN: Final = 'a plugin such as "com.powerx.plugins.crm >=0.5.0"'
_OFFER: Final = 'an API or schema such as "crm.contacts 1.4"'
_USE: Final = 'an API or schema such as "crm.contacts ^1.4"'


def read_installed(path: Path) -> tuple[InstalledPlugin, ...]:
    """Every plugin of the file, with everything that the file states.

    Requirements, offers and migrations are written as in a plugin.yaml. Nothing is dropped: raises DocumentRefused,
    or SettingsInvalid for a line, with file and place of what is unreadable or unknown.
    """
    with naming(path):
        text = _text(path)
        if _is_json(text):
            return listed(json_text.load(text))
    return tuple(InstalledPlugin(*id_and_version(f"{path}: line {number}:", line)) for number, line in _lines(text))


def lines_of(path: Path) -> list[str] | None:
    """The lines ID@VERSION of such a file; None if it is a JSON list. Raises DocumentRefused."""
    with naming(path):
        text = _text(path)
    return None if _is_json(text) else [line for _, line in _lines(text)]


def _text(path: Path) -> str:
    return utf8(content_of(path, LARGEST_LIST), LARGEST_LIST)


def _is_json(text: str) -> bool:
    return text.lstrip().startswith(("[", "{"))


def _lines(text: str) -> list[tuple[int, str]]:
    """With their numbers, without comments and empty ones."""
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return [(number, line) for number, line in lines if line and line[0] != "#"]


def listed(value: Any) -> tuple[InstalledPlugin, ...]:
    """The plugins of a JSON list, each with everything stated. Raises DocumentRefused that names the place."""
    return tuple(_plugin(Node(item, f"[{number}]")) for number, item in enumerate(_items(value)))


def _items(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise DocumentRefused("", "expected a list of plugins, found an object; put it into [ ]")
    return cast("list[Any]", value)


def id_and_version(
    option: str, text: str, example: str = "ID@VERSION, such as com.powerx.plugins.crm@0.6.0"
) -> tuple[str, str]:
    """The two sides of the last `@`, so that ids may contain one. Raises SettingsInvalid."""
    name, sign, version = printable(option, text).rpartition("@")
    if not (name and sign and version) or any(mark in name for mark in _IN_NO_ID):
        raise SettingsInvalid(f"{option} `{shorten(text)}` is not {example}")
    return name, version


def printable(option: str, text: str) -> str:
    """The text. Raises SettingsInvalid if it has invisible or broken characters."""
    if not text.isprintable():
        raise SettingsInvalid(f"{option} `{shorten(text)}` holds hidden or broken characters; type it anew")
    return text


def _plugin(node: Node) -> InstalledPlugin:
    if not node.is_mapping:
        raise DocumentRefused(node.path, "expected an object with `id` and `version`")
    _refuse_unknown(node, _KNOWN)
    for migration in node["migrations"].items("a list"):
        _refuse_unknown(migration, _MIGRATION)
    for stated in (stated for name in _STATED for stated in node[name].items("a list")):
        if any(key in _STATEMENT for key, _ in stated.entries()):  # otherwise it is a mapping of ids to ranges
            _refuse_unknown(stated, _STATEMENT)
    plugin = InstalledPlugin(
        id=node["id"].insist(node["id"].identifier(_ID), _ID),
        version=node["version"].insist(node["version"].text(_VERSION), _VERSION),
        enabled=_enabled(node),
        requires=tuple(requirements(node["requires"], _PLUGIN)),
        conflicts=tuple(requirements(node["conflicts"], _PLUGIN)),
        provides=tuple(provisions(node["provides"], _OFFER)),
        consumes=tuple(requirements(node["consumes"], _USE)),
        migrations=plugin_yaml.read(node).migrations if node["migrations"].stated else (),
        data_format=node["data_format"].text('a version such as "3"'),
    )
    for defect in node.defects:
        raise DocumentRefused(defect.path, defect.problem)
    return plugin


def _enabled(node: Node) -> bool:
    """Other values such as `"false"` or 0 are refused, because a guess could be wrong."""
    if "enabled" not in node.value:
        return True
    if not isinstance(node.value["enabled"], bool):
        node["enabled"].refuse("true or false")
    return node.value["enabled"] is True


def _refuse_unknown(node: Node, known: Collection[str]) -> None:
    for key, below in node.entries():
        if key not in known:
            raise DocumentRefused(below.path, f"`{shorten(key)}` is not known here; {nearest(key, known)}")
