"""Parses statements such as `com.powerx.plugins.crm >=0.5.0`, as text or as a mapping."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from processors.documents.scalars import id_and_range
from processors.events.subject import Provision, Requirement
from processors.manifests.node import Node

_ID: Final = ("id", "plugin", "plugin_id", "pluginId", "name")
_RANGE: Final = ("range", "version", "version_range", "constraint")
_KNOWN: Final = (*_ID, *_RANGE, "optional")

LONGEST_RANGE: Final = 1024
"""The most characters of a range that are kept.

Dialects accept less; their refusal shows the text, so it must be kept.
"""

_LIKE_A_RANGE: Final = re.compile(r"[<>=~^!]+[^/]*|[\[(]\s*[0-9,].*|\*|[vV]?[0-9][^/\\]*|[xX](?:\..*)?", re.DOTALL)


def requirements(node: Node, expected: str, *, optional: bool = False) -> Iterator[Requirement]:
    """The demands of a list, each as `"id range"`, `{id, version, optional}` or `{id: range}`."""
    for item in node.items(f"a list, each {expected}"):
        if isinstance(item.value, str):
            yield from _from_text(item, expected, optional)
        elif not item.is_mapping:
            item.refuse(expected)
        elif any(item[key].stated for key in _KNOWN):
            yield from _from_mapping(item, expected, optional)
        else:
            yield from (by_name(key, below, optional) for key, below in item.entries())


def provisions(node: Node, expected: str) -> Iterator[Provision]:
    """The offers of a list, in the forms of `requirements`: `"id version"`, `{id, version}` or `{id: version}`."""
    for offered in requirements(node, expected):
        yield Provision(offered.id, offered.range)


def states_a_range(node: Node) -> bool:
    """Whether a value is certainly a version or range, such as `>=1`, `[1,2)` or `v1`; `v1/a` is a path."""
    if not node.is_scalar or isinstance(node.value, bool):
        return False
    return _LIKE_A_RANGE.fullmatch(node.text("a version range", LONGEST_RANGE)) is not None


def by_name(name: str, range_node: Node, optional: bool = False) -> Requirement:
    """The entry `name: range` of a mapping."""
    id = Node(name, range_node.path, range_node.defects).identifier("a name without spaces")
    return Requirement(id, range_node.text("a version range", LONGEST_RANGE), optional)


def _from_text(item: Node, expected: str, optional: bool) -> Iterator[Requirement]:
    read = id_and_range(item.text(expected, 256 + LONGEST_RANGE))
    if read is None:
        item.refuse(expected)
    else:
        yield Requirement(*read, optional)


def _from_mapping(item: Node, expected: str, optional: bool) -> Iterator[Requirement]:
    id, range_node = item.first(*_ID), item.first(*_RANGE)
    if not id.stated:
        item.note(f"expected {expected}, found a mapping without `id`")
        return
    if not range_node.stated:
        _refuse_misspelled(item)
    if read := id.identifier(expected):
        yield Requirement(
            read, range_node.text("a version range", LONGEST_RANGE), item["optional"].flag() or optional
        )


def _refuse_misspelled(item: Node) -> None:
    """A range under a misspelled key would silently mean any version."""
    for key, node in islice(item.entries(), 16):  # no valid entry has more keys, and comparing them takes time
        if key not in _KNOWN and (meant := difflib.get_close_matches(key[:32], _KNOWN, 1, 0.75)):
            node.note(f"`{meant[0]}` is missing, and this key is unknown; did you mean `{meant[0]}`?")
