"""META-INF/MANIFEST.MF of a Jenkins plugin.

Every version that a manifest states is a lowest one: of Jenkins itself, of Java, and of each plugin dependency.
When a part of Jenkins became a separate plugin, plugins built for an older Jenkins need that plugin implicitly.
Jenkins installs it, so it may be missing here, but an installed one must fit.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from processors.documents.scalars import refuse_more_than, unprintable, utf8
from processors.errors import DocumentRefused, VersionInvalid, shorten
from processors.events.subject import Manifest, Requirement
from processors.manifests.ecosystem import Ecosystem
from processors.manifests.node import Node
from processors.versions import Dialect, parse_version

_READ: Final = frozenset(
    {"Short-Name", "Extension-Name", "Long-Name", "Plugin-Version", "Jenkins-Version", "Hudson-Version"}
    | {"Minimum-Java-Version", "Plugin-Dependencies", "Compatible-Since-Version"}
)
_KEPT: Final = frozenset(
    {"Manifest-Version", "Created-By", "Build-Jdk-Spec", "Group-Id", "Artifact-Id", "Specification-Title", "Url"}
    | {"Implementation-Title", "Implementation-Version", "Support-Dynamic-Loading"}
    | {"Plugin-Developers", "Plugin-License-Name", "Plugin-License-Url", "Plugin-ScmUrl", "Plugin-ScmTag"}
    | {"Plugin-ScmConnection", "Plugin-GitHash", "Plugin-Module", "Mask-Classes", "PluginFirstClassLoader"}
    | {"Plugin-LoadPriority", "Plugin-ChangelogUrl", "Global-Configuration", "Sandbox-Status", "Class-Path"}
    | {"Implementation-Build", "Implementation-Vendor", "Implementation-Vendor-Id", "Implementation-URL"}
    | {"Specification-Version", "Specification-Vendor", "Build-Jdk", "Built-By", "Build-Time", "Build-Date"}
    | {
        "Archiver-Version",
        "Ant-Version",
        "Automatic-Module-Name",
        "Multi-Release",
        "Main-Class",
        "Originally-Created-By",
    }
    | {
        "Bundle-ManifestVersion",
        "Bundle-Name",
        "Bundle-SymbolicName",
        "Bundle-Version",
        "Scm-Revision",
        "X-Compile-Source-JDK",
    }
    | {"X-Compile-Target-JDK", "Project-Encoding", "Artifact-Version", "Add-Opens", "Launcher-Agent-Class"}
)
_SPELLING: Final = {key.lower(): key for key in _READ | _KEPT}
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_DEPENDENCY: Final = re.compile(r"([^\s:;,]+):([^\s:;,]+)((?:;[^;,]+)*)")
_PLUGIN: Final = 'a plugin such as "git:5.2.0" or "git:5.2.0;resolution:=optional"'


def read(root: Node) -> Manifest:
    """The statements of a Jenkins plugin. What cannot be read is noted as a defect of the root."""
    id, version = root.first("Short-Name", "Extension-Name"), root["Plugin-Version"]
    java = root["Minimum-Java-Version"].text("a Java version")
    core = root.first("Jenkins-Version", "Hudson-Version").text('a version such as "2.440.3"')
    stated = tuple(_requires(root["Plugin-Dependencies"]))
    return Manifest(
        id=id.insist(id.identifier("a short name"), 'a short name such as "git"'),
        version=version.insist(version.text("a version"), 'a version such as "5.2.0"'),
        name=root["Long-Name"].text("a display name"),
        min_host=core or None,
        requires=(*stated, *_detached(core, {need.id for need in stated} | {id.text("")})),
        runtimes=(Requirement("java", f">={java}"),) if java else None,
        extra=root.without(_READ),
        compatible_since=root["Compatible-Since-Version"].text('a version such as "1.4.0"'),
    )


_DETACHED: Final = (
    ("maven-plugin", "1.296", "1.296"),
    ("subversion", "1.310", "1.0"),
    ("cvs", "1.340", "0.1"),
    ("ant", "1.430", "1.0"),
    ("javadoc", "1.430", "1.0"),
    ("external-monitor-job", "1.467", "1.0"),
    ("ldap", "1.467", "1.0"),
    ("pam-auth", "1.467", "1.0"),
    ("mailer", "1.493", "1.2"),
    ("matrix-auth", "1.535", "1.0.2"),
    ("windows-slaves", "1.547", "1.0"),
    ("antisamy-markup-formatter", "1.553", "1.0"),
    ("matrix-project", "1.561", "1.0"),
    ("junit", "1.577", "1.0"),
    ("bouncycastle-api", "2.16", "2.16.0"),
    ("command-launcher", "2.86", "1.0"),
    ("jdk-tool", "2.112", "1.0"),
    ("jaxb", "2.163", "2.3.0"),
    ("trilead-api", "2.184", "1.0.4"),
    ("sshd", "2.281", "3.0.1"),
    ("javax-activation-api", "2.330", "1.2.0-2"),
    ("javax-mail-api", "2.330", "1.6.2-5"),
    ("instance-identity", "2.356", "3.1"),
)
"""Plugins that used to be part of Jenkins, the last Jenkins release that included them, and the lowest plugin
release that is sufficient.

From `split-plugins.txt` of Jenkins core.
"""


def _detached(core: str, known: Collection[str]) -> Iterator[Requirement]:
    """The implicit dependencies of a plugin built for this Jenkins."""
    try:
        built_for = parse_version(core, Dialect.MINIMUM) if core else None
    except VersionInvalid:
        return
    for plugin, last, lowest in _DETACHED:
        if built_for is not None and built_for <= parse_version(last, Dialect.MINIMUM) and plugin not in known:
            yield Requirement(plugin, f">={lowest}", optional=True)


def attributes(data: bytes, limit: int) -> dict[str, str]:
    """The main section of a JAR manifest. Raises DocumentRefused.

    Lines have at most 72 bytes and may be cut within a character, so they are joined before they are decoded. Names
    are case-insensitive; the result has their usual spelling.
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
    unread=_KEPT,
    host_example="Jenkins-Version: 2.440.3",
    version_key="Plugin-Version",
    needs_key="Plugin-Dependencies",
    needs_example="Plugin-Dependencies: git:5.2.0",
    runtime_example="Minimum-Java-Version: 17",
)
