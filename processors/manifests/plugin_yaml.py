"""PowerX's plugin.yaml, in all forms that vendors use.

The host is corex; ranges use the dialect that the matrix declares for it (npm by default). A declaration without a
version (such as only a runtime's kind and entry) counts as undeclared, and the matrix decides whether that warns or
blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from processors.documents.scalars import WrittenFloat
from processors.events.subject import Lifecycle, Manifest, Migration, Provision, Requirement
from processors.manifests.ecosystem import Ecosystem
from processors.manifests.node import Node, canonical, found
from processors.manifests.statements import LONGEST_RANGE, by_name, provisions, requirements, states_a_range
from processors.versions import Dialect

_READ_WHOLE: Final = frozenset(
    {"id", "pluginId", "name", "version", "corex_version", "min_core", "max_core", "channel"}
    | {"security_baseline_version", "runtimes", "data_format", "components"}
)
"""Top-level keys that are read completely."""

_READ_IN_PART: Final = {
    "dependencies": frozenset({"requires", "optional", "conflicts", "replaces"}),
    "capabilities": frozenset({"provides", "consumes"}),
    "lifecycle": frozenset({"status", "effective_date", "sunset_at", "replacement"}),
}
"""Top-level keys, and what is read under each; the rest is kept in `extra`."""

_KEPT: Final = frozenset(
    {
        "runtime",
        "database",
        "databases",
        "contracts",
        "migrations",
        "signature",
        "checksums",
        "description",
        "author",
        "license",
    }
)
"""Further keys that a plugin.yaml may have. They are kept whole, whichever parts are read."""

_ID: Final = 'a plugin id such as "com.powerx.plugins.crm"'
_VERSION: Final = 'a version such as "1.5.0"'
_PLUGIN: Final = 'a plugin such as "com.powerx.plugins.crm >=0.5.0"'
_RUNTIME: Final = 'a runtime such as "go >=1.21"'
_DATABASE: Final = 'a database such as "postgresql >=14"'
_OFFER: Final = 'an API or schema such as "crm.contacts 1.4"'
_MIGRATION: Final = 'a migration such as {id: "0007", checksum: "sha256:...", reversible: true}'
_USE: Final = 'an API or schema such as "crm.contacts ^1.4"'
_RUNTIME_NAMES: Final = frozenset(
    {"go", "node", "nodejs", "python", "java", "jvm", "dotnet", "php", "ruby", "rust", "deno", "bun", "wasm"}
)
_DATABASE_NAMES: Final = frozenset(
    {"postgresql", "postgres", "mysql", "mariadb", "sqlite", "mongodb", "redis", "mssql", "oracle"}
)
_RUNTIME_PARTS: Final = ("backend", "frontend")
_ENGINE: Final = ("engine", "kind", "driver", "type")


def read(root: Node) -> Manifest:
    """The manifest that a plugin.yaml states. What cannot be read is noted as a defect of the root."""
    return Manifest(
        id=_id(root),
        version=_version(root["version"]),
        name=root["name"].text("a display name"),
        host_range=root["corex_version"].text('a version range such as ">=2.0.0"', LONGEST_RANGE) or None,
        min_host=root["min_core"].text(_VERSION) or None,
        max_host=root["max_core"].text(_VERSION) or None,
        requires=tuple(_requires(root["dependencies"].mapping("a mapping with `requires` and `conflicts`"))),
        conflicts=tuple(requirements(root["dependencies"]["conflicts"], _PLUGIN)),
        replaces=tuple(r.id for r in requirements(root["dependencies"]["replaces"], _PLUGIN)),
        runtimes=_runtimes(root),
        databases=(*_databases(root["database"]), *_databases(root["databases"])),
        provides=tuple(_provides(root)),
        consumes=tuple(_consumes(root)),
        migrations=tuple(_migrations(root["migrations"])),
        data_format=root["data_format"].text('a version such as "3"'),
        lifecycle=_lifecycle(root["lifecycle"]),
        security_baseline=root["security_baseline_version"].text('a version such as "2026.1"'),
        components=tuple(provisions(root["components"], 'a component such as "openssl 3.0.13"')),
        channel=root["channel"].text('a channel such as "stable"'),
        extra=_extra(root),
    )


def _id(root: Node) -> str:
    node = root.first("id", "pluginId")
    if root["id"].stated and root["pluginId"].stated and root["id"].value != root["pluginId"].value:
        root["pluginId"].note("expected the same as `id`, found another; keep one of them")
    return node.insist(node.identifier(_ID), _ID)


def _version(node: Node) -> str:
    """A number with a point is a defect: most readers take 1.10 for 1.1, which is another release."""
    if isinstance(node.value, WrittenFloat):
        node.note(f"expected a version in quotes, found {found(node.value)}")
    return node.insist(node.text(_VERSION), _VERSION)


def _requires(dependencies: Node) -> Iterator[Requirement]:
    yield from requirements(dependencies["requires"], _PLUGIN)
    yield from requirements(dependencies["optional"], _PLUGIN, optional=True)
    for key, node in dependencies.entries():
        if key not in _READ_IN_PART["dependencies"] and states_a_range(node):
            node.note("expected a dependency under `dependencies.requires`, found it beside; move it there")


def _runtimes(root: Node) -> tuple[Requirement, ...] | None:
    stated = (*_runtime(root["runtime"]), *requirements(root["runtimes"], _RUNTIME))
    return stated or None


def _runtime(node: Node) -> Iterator[Requirement]:
    """Versions only: `{go: ">=1.21"}`, `{kind: go, version: ">=1.21"}`, `"go >=1.21"`, and the same in each
    part."""
    if not node.is_mapping:
        yield from (stated for stated in requirements(node, _RUNTIME) if stated.range)
        return
    if (kind := node["kind"].text("a runtime such as go")) and (version := node["version"].text("a version range")):
        yield Requirement(kind, version)
    for part in _RUNTIME_PARTS:
        if node[part].is_mapping:
            yield from _runtime(node[part])
    yield from _named(node, _RUNTIME_NAMES)


def _named(node: Node, names: frozenset[str]) -> Iterator[Requirement]:
    """Entries `name: range`. Under an unknown name, a bare number may be a port or a limit."""
    for name, below in node.entries():
        if name != "version" and states_a_range(below):
            wanted = by_name(name, below)
            if name in names or not wanted.range.lstrip("vV")[:1].isdigit():
                yield wanted


def _databases(node: Node) -> Iterator[Requirement]:
    for item in node.items(f"a list, each {_DATABASE}"):
        engine = item.first(*_ENGINE)
        if item.is_mapping and engine.stated:
            yield Requirement(engine.text("a database such as postgresql"), item["version"].text("a version range"))
        elif item.is_mapping and not item.first("id", "name").stated:
            yield from _named(item, _DATABASE_NAMES)
        else:
            yield from requirements(item, _DATABASE)


def _provides(root: Node) -> Iterator[Provision]:
    yield from provisions(root["capabilities"]["provides"], _OFFER)
    yield from provisions(root["contracts"]["provides"], _OFFER)


def _consumes(root: Node) -> Iterator[Requirement]:
    """What it uses. In `contracts`, an entry without a version is a file of the plugin itself and not a demand."""
    yield from requirements(root["capabilities"]["consumes"], _USE)
    contracts = root["contracts"]
    if not contracts.is_mapping:
        yield from (demand for demand in requirements(contracts, _USE) if demand.range)
        return
    yield from requirements(contracts["consumes"], _USE)
    for key, node in contracts.entries():
        if key not in ("provides", "consumes") and states_a_range(node):
            yield by_name(key, node)


def _migrations(node: Node) -> Iterator[Migration]:
    for item in node.items(f"a list, each {_MIGRATION}"):
        if item.is_mapping:
            yield _migration(item)
        elif isinstance(item.value, str):
            yield Migration(id=item.text("a migration id"))
        else:
            item.refuse(_MIGRATION)


def _migration(node: Node) -> Migration:
    return Migration(
        id=node["id"].text('a migration id such as "0007"'),
        driver=node["driver"].text("a database driver"),
        entry=node["entry"].text("a file", 1024),
        checksum=node["checksum"].text('a checksum such as "sha256:..."'),
        reversible=node["reversible"].flag(),
        once=node["once"].flag() or False,
        from_version=node.first("from", "from_version").text("a data version"),
        to_version=node.first("to", "to_version").text("a data version"),
    )


def _lifecycle(node: Node) -> Lifecycle:
    if isinstance(node.value, str):
        return Lifecycle(status=node.text("a status"))
    stated = node.mapping("a mapping with `status`")
    return Lifecycle(
        status=stated["status"].text("a status such as active, deprecated or sunset"),
        effective_date=stated["effective_date"].date(),
        sunset_at=stated["sunset_at"].date(),
        replacement=stated["replacement"].identifier(_ID),
    )


def _extra(root: Node) -> dict[str, str]:
    extra = root.without(_READ_WHOLE | _READ_IN_PART.keys())
    for key, known in _READ_IN_PART.items():
        node = root[key]
        if left := {name: below.value for name, below in node.entries() if name not in known}:
            extra[key] = canonical(left)
        elif node.is_list:
            extra[key] = canonical(node.value)
    return extra


ECOSYSTEM: Final = Ecosystem(
    name="powerx",
    file="plugin.yaml",
    host="corex",
    dialect=Dialect.NPM,
    recognises=lambda name, root: True,  # noqa: ARG005 - what is of no other kind is meant as a plugin.yaml
    read=read,
    keys=_READ_WHOLE | _READ_IN_PART.keys() | _KEPT,
    nested=_READ_IN_PART,
    host_example='corex_version: ">=2.0.0 <3.0.0"',
    needs_key="dependencies.requires",
    needs_example="- com.powerx.plugins.crm >=0.5.0",
    runtime_example='runtime: {kind: go, version: ">=1.21", entry: ./bin/plugin}',
)
