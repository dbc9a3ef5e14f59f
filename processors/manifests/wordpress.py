"""The header comment of a WordPress plugin's main file.

`Requires at least` is a lowest version. There is no highest one: `Tested up to` is advice, and is kept elsewhere.
`Requires Plugins` names the needed plugins by their slugs, without versions. The header does not contain the
plugin's own slug, which by convention is its text domain, else the name of its file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Final

from processors.documents.scalars import refuse_more_than
from processors.errors import DocumentRefused
from processors.events.subject import Manifest, Requirement
from processors.manifests.ecosystem import Ecosystem
from processors.manifests.node import Node
from processors.versions import Dialect

_READ: Final = frozenset(
    {"Plugin Name", "Version", "Text Domain", "Requires at least", "Requires PHP", "Requires Plugins", "File"}
)
_KEPT: Final = frozenset(
    {"Plugin URI", "Description", "Author", "Author URI", "License", "License URI", "Domain Path", "Network"}
    | {
        "Update URI",
        "Tested up to",
        "Stable tag",
        "WC requires at least",
        "WC tested up to",
        "Tags",
        "Contributors",
    }
)
_SPELLING: Final = {key.lower(): key for key in _READ | _KEPT}
_HEAD: Final = 8192
"""The bytes at the start of a file in which WordPress looks for the header."""

_LINE: Final = re.compile(r"[ \t/*#@]*([A-Za-z][A-Za-z ]{1,40}):[ \t]*(.*?)(?:(?:\*/|\?>).*)?")
_SLUG: Final = 'a slug such as "woocommerce"'
_VERSION: Final = 'a version such as "1.5.0"'


def header(data: bytes, name: str, limit: int) -> dict[str, str]:
    """The header at the beginning of the file. Raises DocumentRefused if there is no `Plugin Name`."""
    refuse_more_than(limit, data)
    found: dict[str, str] = {}
    for line in data[:_HEAD].decode("utf-8", "replace").splitlines():
        match = _LINE.fullmatch(line)
        if match and (key := _SPELLING.get(match[1].strip().lower())) and match[2].strip():
            found.setdefault(key, match[2].strip())
    if "Plugin Name" not in found:
        raise DocumentRefused("", "expected a header with `Plugin Name:` in the first 8 KiB, found none")
    return {**found, "File": PurePath(name).stem}


def read(root: Node) -> Manifest:
    """The statements of a plugin's header. What cannot be read is noted as a defect of the root."""
    id = root.first("Text Domain", "File")
    php = root["Requires PHP"].text("a PHP version such as 7.4")
    return Manifest(
        id=id.insist(id.identifier(_SLUG), _SLUG),
        version=root["Version"].insist(root["Version"].text(_VERSION), _VERSION),
        name=root["Plugin Name"].text("a display name"),
        min_host=root["Requires at least"].text('a version such as "6.4"') or None,
        requires=tuple(_requires(root["Requires Plugins"])),
        runtimes=(Requirement("php", f">={php}"),) if php else None,
        extra=root.without(_READ),
    )


def _requires(node: Node) -> Iterator[Requirement]:
    for slug in node.text("a list of slugs", 4096).split(","):
        if slug.strip():
            yield Requirement(Node(slug.strip(), node.path, node.defects).identifier(_SLUG))


ECOSYSTEM: Final = Ecosystem(
    name="wordpress",
    file="plugin.php",
    host="wordpress",
    dialect=Dialect.WORDPRESS,
    recognises=lambda name, root: name.endswith(".php") or root["Plugin Name"].stated,
    read=read,
    keys=_READ | _KEPT,
    host_example="Requires at least: 6.4",
    version_key="Version",
    needs_key="Requires Plugins",
    runtime_example="Requires PHP: 7.4",
)
