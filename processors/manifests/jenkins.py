"""META-INF/MANIFEST.MF of a Jenkins plugin.

Every version that Jenkins states is a lowest one: of Jenkins itself, of Java, and of each plugin dependency.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from processors.documents.scalars import refuse_more_than, unprintable, utf8
from processors.errors import DocumentRefused, shorten
from processors.events.subject import Manifest, Requirement
from processors.manifests.ecosystem import Ecosystem
from processors.manifests.node import Node
from processors.versions import Dialect

_READ: Final = frozenset(
    {"Short-Name", "Extension-Name", "Long-Name", "Plugin-Version", "Jenkins-Version", "Hudson-Version"}
    | {"Minimum-Java-Version", "Plugin-Dependencies"}
)
_KEPT: Final = frozenset(
    {"Manifest-Version", "Created-By", "Build-Jdk-Spec", "Group-Id", "Artifact-Id", "Specification-Title", "Url"}
    | {"Implementation-Title", "Implementation-Version", "Compatible-Since-Version", "Support-Dynamic-Loading"}
    | {"Plugin-Developers", "Plugin-License-Name", "Plugin-License-Url", "Plugin-ScmUrl", "Plugin-ScmTag"}
    | {"Plugin-ScmConnection", "Plugin-GitHash", "Plugin-Module", "Mask-Classes", "PluginFirstClassLoader"}
)
_SPELLING: Final = {key.lower(): key for key in _READ | _KEPT}
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_DEPENDENCY: Final = re.compile(r"([^\s:;,]+):([^\s:;,]+)((?:;[^;,]+)*)")
_PLUGIN: Final = 'a plugin such as "git:5.2.0" or "git:5.2.0;resolution:=optional"'


def read(root: Node) -> Manifest:
    """The statements of a Jenkins plugin. What cannot be read is noted as a defect of the root."""
    id, version = root.first("Short-Name", "Extension-Name"), root["Plugin-Version"]
    java = root["Minimum-Java-Version"].text("a Java version")
    return Manifest(
        id=id.insist(id.identifier("a short name"), 'a short name such as "git"'),
        version=version.insist(version.text("a version"), 'a version such as "5.2.0"'),
        name=root["Long-Name"].text("a display name"),
        min_host=root.first("Jenkins-Version", "Hudson-Version").text('a version such as "2.440.3"') or None,
        requires=tuple(_requires(root["Plugin-Dependencies"])),
        runtimes=(Requirement("java", f">={java}"),) if java else None,
        extra=root.without(_READ),
    )


def attributes(data: bytes, limit: int) -> dict[str, str]:
    """The main section of a JAR manifest. Raises DocumentRefused.

    Lines are 72 bytes at most and may be cut within a character, so they are joined before they are decoded.
    The case of a name does not count; the usual spelling is given.
    """
    refuse_more_than(limit, data)
    found: dict[str, str] = {}
    for number, line in _unfolded(data):
        name, separator, value = line.partition(": ")
        key = _SPELLING.get(name.lower(), name)
        if not separator or not name or " " in name:
            raise DocumentRefused(f"line {number}", f"expected `Name: value`, found `{shorten(line)}`")
        if key in found:
            raise DocumentRefused(
                f"line {number}", f"the attribute `{shorten(key)}` occurs twice; keep one of them"
            )
        found[key] = value
    return found


def _unfolded(data: bytes) -> Iterator[tuple[int, str]]:
    """Whole lines of the main section, which a blank line ends, each with the number of its first line."""
    start, parts = 0, list[bytes]()
    for number, line in enumerate((*_LINE_END.split(data), b""), 1):
        if start and line.startswith(b" "):
            parts.append(line[1:])
            continue
        if start:
            yield start, _decoded(b"".join(parts), start)
        if not line:
            return
        start, parts = number, [line]


def _decoded(line: bytes, number: int) -> str:
    text = utf8(line, len(line))
    if unprintable(text):
        raise DocumentRefused(f"line {number}", "expected text, found a control character")
    return text


def _requires(node: Node) -> Iterator[Requirement]:
    stated = node.text("a list of plugins", 65_535)
    for item in Node(stated.split(",") if stated else None, node.path, node.defects).items(_PLUGIN):
        if dependency := _DEPENDENCY.fullmatch(item.text(_PLUGIN, 1024)):
            id, version, directives = dependency.groups()
            yield Requirement(id, f">={version}", "resolution:=optional" in directives.split(";"))
        else:
            item.refuse(_PLUGIN)


ECOSYSTEM: Final = Ecosystem(
    name="jenkins",
    file="MANIFEST.MF",
    host="jenkins",
    dialect=Dialect.MINIMUM,
    recognises=lambda name, root: name.endswith(".mf") or root["Manifest-Version"].stated,
    read=read,
    keys=_READ | _KEPT,
    host_example="Jenkins-Version: 2.440.3",
    version_key="Plugin-Version",
    needs_key="Plugin-Dependencies",
    needs_example="Plugin-Dependencies: git:5.2.0",
    runtime_example="Minimum-Java-Version: 17",
)
