"""plugin-descriptor.properties of an OpenSearch or Elasticsearch plugin.

`elasticsearch.version` is exact: such a plugin runs only on the release that it was built for. So is
`opensearch.version`, unless `dependencies` states a range. The plugins that it extends are named without versions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from processors.documents import json_text
from processors.documents.scalars import refuse_more_than, unprintable, utf8
from processors.errors import DocumentRefused, shorten
from processors.events.subject import Manifest, Requirement
from processors.manifests.ecosystem import Ecosystem
from processors.manifests.node import Node
from processors.versions import Dialect

_READ: Final = frozenset(
    {"name", "version", "java.version", "extended.plugins", "opensearch.version", "elasticsearch.version"}
    | {"dependencies"}
)
_KEPT: Final = frozenset(
    {"description", "classname", "custom.foldername", "has.native.controller", "type", "modulename", "licensed"}
    | {"requires.keystore", "java.opts", "jvm", "site", "isolated"}
)
_NAME: Final = 'a plugin name such as "opensearch-job-scheduler"'
_VERSION: Final = 'a version such as "3.0.0.0"'
_LINE: Final = re.compile(r"\s*([^\s:=]+)\s*[:=]\s*(.*)")


def attributes(data: bytes, limit: int) -> dict[str, str]:
    """The keys of a properties file with one line each. Raises DocumentRefused."""
    refuse_more_than(limit, data)
    found: dict[str, str] = {}
    for number, line in enumerate(utf8(data, limit).splitlines(), 1):
        if not line.strip() or line.lstrip().startswith(("#", "!")):
            continue
        match = _LINE.fullmatch(line)
        if match is None or unprintable(line):
            raise DocumentRefused(f"line {number}", f"expected `key=value`, found `{shorten(line)}`")
        if match[1] in found:
            raise DocumentRefused(f"line {number}", f"the key `{shorten(match[1])}` occurs twice; keep one of them")
        found[match[1]] = match[2].strip()
    return found


def read(root: Node) -> Manifest:
    """The statements of a descriptor. What cannot be read is noted as a defect of the root."""
    java = root["java.version"].text("a Java version such as 21")
    return Manifest(
        id=root["name"].insist(root["name"].identifier(_NAME), _NAME),
        version=root["version"].insist(root["version"].text(_VERSION), _VERSION),
        name=root["description"].text("a description", 1024),
        host_range=_host_range(root),
        requires=tuple(_requires(root["extended.plugins"])),
        runtimes=(Requirement("java", f">={java}"),) if java else None,
        extra=root.without(_READ),
    )


def _host_range(root: Node) -> str | None:
    stated = root["dependencies"]
    if stated.stated and (range := _stated_range(stated)):
        return range
    return root.first("opensearch.version", "elasticsearch.version").text("a version such as 3.0.0") or None


def _stated_range(node: Node) -> str:
    """The range of OpenSearch, which allows nothing else to be stated here."""
    expected = 'a range such as { opensearch: "~2.19.0" }'
    text = re.sub(r"([{,]\s*)([A-Za-z][\w.-]*)\s*:", r'\1"\2":', node.text(expected, 1024))
    try:
        value = Node(json_text.load(text), node.path, node.defects)
    except DocumentRefused:
        node.refuse(expected)
        return ""
    if not value.is_mapping or any(key != "opensearch" for key, _ in value.entries()):
        node.refuse(expected)
    return value["opensearch"].text(expected)


def _requires(node: Node) -> Iterator[Requirement]:
    for item in node.text("a list of plugins", 4096).split(","):
        id, *directives = (part.strip() for part in item.split(";"))
        if id:
            yield Requirement(id, optional="optional=true" in directives)


def _is_elastic(root: Node) -> bool:
    return root["elasticsearch.version"].stated


def _ecosystem(host: str) -> Ecosystem:
    return Ecosystem(
        name=host,
        file="plugin-descriptor.properties",
        host=host,
        dialect=Dialect.GENERIC,
        recognises=lambda name, root: (
            name.endswith(".properties") and _is_elastic(root) is (host == "elasticsearch")
        ),
        read=read,
        keys=_READ | _KEPT,
        host_example=f"{host}.version=3.0.0",
        needs_key="extended.plugins",
        runtime_example="java.version=21",
    )


OPENSEARCH: Final = _ecosystem("opensearch")
ELASTICSEARCH: Final = _ecosystem("elasticsearch")
