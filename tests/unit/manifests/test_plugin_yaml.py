"""plugin.yaml: every shape gives the same statements, and what is not stated stays not stated."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from processors.events.subject import Defect, Lifecycle, Manifest, Migration, Provision, Requirement
from processors.manifests import read_manifest

HEAD = 'id: com.powerx.plugins.crm\nversion: "1.2.0"\n'


def read(body: str, head: str = HEAD) -> Manifest:
    return read_manifest((head + dedent(body)).encode(), "plugin.yaml")


def needs(id: str, range: str = "", optional: bool = False) -> Requirement:
    return Requirement(id, range, optional)


def test_an_id_and_a_version_are_a_manifest_and_nothing_else_is_stated() -> None:
    """Undeclared is None or empty, never a guess."""
    assert read("") == Manifest(id="com.powerx.plugins.crm", version="1.2.0", host="corex")


@pytest.mark.parametrize(
    ("body", "field", "expected"),
    [
        pytest.param('corex_version: ">=0.1.0"', "host_range", ">=0.1.0", id="host range"),
        pytest.param("corex_version: '*'", "host_range", "*", id="any host, said aloud"),
        pytest.param('corex_version: ""', "host_range", None, id="an empty range states nothing"),
        pytest.param("corex_version:", "host_range", None, id="no value states nothing"),
        pytest.param("corex_version: '>=1.21.2- <1.21.3-'", "host_range", ">=1.21.2- <1.21.3-", id="wild range 1"),
        pytest.param(
            "corex_version: '>=1.15-alpha.19.39.a'", "host_range", ">=1.15-alpha.19.39.a", id="wild range 2"
        ),
        pytest.param("corex_version: ^1.104", "host_range", "^1.104", id="wild range 3"),
        pytest.param("corex_version: '[1.7.3,]'", "host_range", "[1.7.3,]", id="wild range 4"),
        pytest.param("min_core: 0.6", "min_host", "0.6", id="a bare number keeps its spelling"),
        pytest.param("min_core: 1.10", "min_host", "1.10", id="and its last zero"),
        pytest.param("max_core: '2.0'", "max_host", "2.0", id="quoted"),
        pytest.param("channel: beta", "channel", "beta", id="channel"),
        pytest.param("security_baseline_version: 2026.10", "security_baseline", "2026.10", id="baseline"),
        pytest.param("data_format: 3", "data_format", "3", id="data format"),
        pytest.param("name: 'Kundenpflege für Händler'", "name", "Kundenpflege für Händler", id="name"),
        pytest.param(
            "dependencies: {requires: [a.b >=0.5.0, a.c>=1, 'a.d@^2', a.e]}",
            "requires",
            (needs("a.b", ">=0.5.0"), needs("a.c", ">=1"), needs("a.d", "^2"), needs("a.e")),
            id="requirements as text",
        ),
        pytest.param(
            "dependencies: {requires: [{id: a.b, version: 0.10}, {id: a.c, range: '^1', optional: true}]}",
            "requires",
            (needs("a.b", "0.10"), needs("a.c", "^1", True)),
            id="requirements as mappings",
        ),
        pytest.param(
            "dependencies: {requires: {a.b: '>=1', a.c: }}",
            "requires",
            (needs("a.b", ">=1"), needs("a.c")),
            id="requirements as one mapping",
        ),
        pytest.param(
            "dependencies: {requires: [a.b: '>=1'], optional: [a.c ^2, {id: a.d}]}",
            "requires",
            (needs("a.b", ">=1"), needs("a.c", "^2", True), needs("a.d", optional=True)),
            id="optional ones have a list of their own",
        ),
        pytest.param(
            "dependencies: {requires: 'a.b [1.7.3,]'}", "requires", (needs("a.b", "[1.7.3,]"),), id="one for a list"
        ),
        pytest.param(
            "dependencies: {conflicts: [a.legacy, 'a.old <2']}",
            "conflicts",
            (needs("a.legacy"), needs("a.old", "<2")),
            id="conflicts",
        ),
        pytest.param("dependencies: {replaces: [a.old]}", "replaces", ("a.old",), id="replaces"),
        pytest.param("runtime: {kind: go, entry: ./bin/crm}", "runtimes", None, id="a kind is no version"),
        pytest.param("runtime: {backend: {entrypoint: ./bin/crm}}", "runtimes", None, id="an entry point neither"),
        pytest.param("runtime: {port: 8080, memory: 512}", "runtimes", None, id="nor is a port"),
        pytest.param("runtime: go", "runtimes", None, id="nor a bare name"),
        pytest.param("runtime: {go: '>=1.21'}", "runtimes", (needs("go", ">=1.21"),), id="runtime by name"),
        pytest.param("runtime: {node: 20}", "runtimes", (needs("node", "20"),), id="a known runtime's number"),
        pytest.param("runtime: {erlang: '>=26'}", "runtimes", (needs("erlang", ">=26"),), id="any runtime's range"),
        pytest.param(
            "runtime: {kind: go, version: '>=1.21'}", "runtimes", (needs("go", ">=1.21"),), id="kind and version"
        ),
        pytest.param(
            "runtime: {backend: {kind: go, version: 1.20}, frontend: {node: ^20}}",
            "runtimes",
            (needs("go", "1.20"), needs("node", "^20")),
            id="a version in each part",
        ),
        pytest.param(
            "runtimes: {go: '>=1.21', python: '3.11 - 3.13'}",
            "runtimes",
            (needs("go", ">=1.21"), needs("python", "3.11 - 3.13")),
            id="runtimes",
        ),
        pytest.param("database: postgresql >=14", "databases", (needs("postgresql", ">=14"),), id="database"),
        pytest.param(
            "database: {postgresql: 14, pool: 5}", "databases", (needs("postgresql", "14"),), id="by name"
        ),
        pytest.param("database: {schema: crm, pool: 5}", "databases", (), id="settings are no database"),
        pytest.param("contracts: {openapi: v1/api.yaml, avro: 2}", "consumes", (needs("avro", "2"),), id="a path"),
        pytest.param(
            "runtime: {home: ~/crm, files: '*.py', main: xy}", "runtimes", None, id="what starts like a range"
        ),
        pytest.param("runtime: {listen: v1, wasi: '~0.2'}", "runtimes", (needs("wasi", "~0.2"),), id="v1 of what"),
        pytest.param(
            "databases: [{engine: postgresql, version: '>=14'}, {mysql: '>=8'}]",
            "databases",
            (needs("postgresql", ">=14"), needs("mysql", ">=8")),
            id="databases",
        ),
        pytest.param(
            "capabilities: {provides: [{id: crm.contacts, version: 1.10}], consumes: [iam.users ^2]}",
            "provides",
            (Provision("crm.contacts", "1.10"),),
            id="provides",
        ),
        pytest.param(
            "capabilities: {consumes: [iam.users ^2]}", "consumes", (needs("iam.users", "^2"),), id="uses"
        ),
        pytest.param(
            "contracts: {iam.users: ^2, openapi: api/openapi.yaml}",
            "consumes",
            (needs("iam.users", "^2"),),
            id="contracts with a version; a file is no demand",
        ),
        pytest.param(
            "contracts: [iam.users ^2, api/openapi.yaml]",
            "consumes",
            (needs("iam.users", "^2"),),
            id="the same, listed",
        ),
        pytest.param(
            "components: [{name: openssl, version: 3.0.13}, zlib@1.3.1]",
            "components",
            (Provision("openssl", "3.0.13"), Provision("zlib", "1.3.1")),
            id="components",
        ),
        pytest.param(
            "migrations: {driver: postgres, entry: migrations/up.sql, once: true, timeout: 30s}",
            "migrations",
            (Migration(driver="postgres", entry="migrations/up.sql", once=True),),
            id="one migration",
        ),
        pytest.param(
            """
            migrations:
              - {id: 0007, checksum: "sha256:ab", reversible: true, from: 1, to: 2}
              - {id: "0008", reversible: false}
              - 0009_index
            """,
            "migrations",
            (
                Migration(id="0007", checksum="sha256:ab", reversible=True, from_version="1", to_version="2"),
                Migration(id="0008", reversible=False),
                Migration(id="0009_index"),
            ),
            id="a list of migrations",
        ),
        pytest.param(
            "lifecycle: {status: deprecated, effective_date: 2026-01-01, sunset_at: '2026-12-31T12:00:00+02:00',"
            " replacement: a.new}",
            "lifecycle",
            Lifecycle("deprecated", 1_767_225_600_000, 1_798_711_200_000, "a.new"),
            id="lifecycle",
        ),
        pytest.param("lifecycle: sunset", "lifecycle", Lifecycle("sunset"), id="lifecycle in a word"),
    ],
)
def test_shapes(body: str, field: str, expected: Any) -> None:
    """What a vendor states arrives as it was written; what the shape does not state is not made up."""
    manifest = read(body)

    assert getattr(manifest, field) == expected
    assert manifest.defects == ()


def test_both_forms_of_the_host_range_bind() -> None:
    """A range and inclusive bounds in one file are three statements, and none hides another."""
    manifest = read("corex_version: '>=1.0.0'\nmin_core: 1.2.0\nmax_core: 2.0.0")

    assert (manifest.host_range, manifest.min_host, manifest.max_host) == (">=1.0.0", "1.2.0", "2.0.0")


def test_plugin_id_is_another_spelling_of_id() -> None:
    """Some vendors write pluginId."""
    assert read("", "pluginId: com.powerx.plugins.pos\nversion: 4.5.10-2.0\n") == Manifest(
        id="com.powerx.plugins.pos", version="4.5.10-2.0", host="corex"
    )


@pytest.mark.parametrize("version", ["4.5.10-2.0", "1.4.4b", "63.v62d2fd4b_4793", "1.10"])
def test_a_version_is_kept_as_written(version: str) -> None:
    """The host's dialect judges it later, and needs the text of the file for that."""
    assert read("", f"id: a.b\nversion: {version}\n").version == version


@pytest.mark.parametrize(
    ("body", "path"),
    [
        pytest.param("pluginId: com.powerx.other", "pluginId", id="two ids that differ"),
        pytest.param("corex_version: [1, 2]", "corex_version", id="a list for a range"),
        pytest.param("corex_version: true", "corex_version", id="a flag for a range"),
        pytest.param("min_core: {a: 1}", "min_core", id="a mapping for a version"),
        pytest.param("dependencies: [a.b]", "dependencies", id="dependencies as a list"),
        pytest.param("dependencies: {requires: 5}", "dependencies.requires", id="a number for a list"),
        pytest.param("dependencies: {requires: [a.b, 7]}", "dependencies.requires[1]", id="a number for a plugin"),
        pytest.param("dependencies: {requires: ['>=1']}", "dependencies.requires[0]", id="a range of nothing"),
        pytest.param("dependencies: {requires: [{version: 1}]}", "dependencies.requires[0]", id="no id"),
        pytest.param(
            "dependencies: {requires: [{id: a.b, verison: '>=2'}]}",
            "dependencies.requires[0].verison",
            id="a misspelled range would mean any version",
        ),
        pytest.param("dependencies: {a.b: '>=2'}", "dependencies.a.b", id="a dependency beside requires"),
        pytest.param("migrations: [7]", "migrations[0]", id="a number for a migration"),
        pytest.param("migrations: [{id: a, reversible: maybe}]", "migrations[0].reversible", id="half reversible"),
        pytest.param("lifecycle: {sunset_at: 31.12.2026}", "lifecycle.sunset_at", id="a date of another form"),
        pytest.param("lifecycle: {sunset_at: 2026-02-30}", "lifecycle.sunset_at", id="a day that never comes"),
        pytest.param("lifecycle: {sunset_at: 20261231}", "lifecycle.sunset_at", id="a number for a date"),
        pytest.param("lifecycle: {sunset_at: 0001-01-01}", "lifecycle.sunset_at", id="long ago"),
        pytest.param("lifecycle: {replacement: a b}", "lifecycle.replacement", id="an id of two words"),
    ],
)
def test_what_cannot_be_read_is_a_defect_at_its_place(body: str, path: str) -> None:
    """A defect blocks the check, so each one names where it is; the rest of the file is read all the same."""
    manifest = read(body)

    assert [defect.path for defect in manifest.defects] == [path]
    assert manifest.id == "com.powerx.plugins.crm"


@pytest.mark.parametrize(
    ("head", "paths"),
    [
        pytest.param("name: nothing\n", ["id", "version"], id="neither id nor version"),
        pytest.param("id: 123\nversion: 1.0.0\n", ["id"], id="a number for an id"),
        pytest.param("id: true\nversion: false\n", ["id", "version"], id="flags"),
        pytest.param("id: ' '\nversion: ''\n", ["id", "version"], id="blanks"),
        pytest.param("id: [a]\nversion: {b: c}\n", ["id", "version"], id="collections"),
    ],
)
def test_a_plugin_without_id_or_version_is_a_defect(head: str, paths: list[str]) -> None:
    """Nothing can be said of a plugin that has no name or no version."""
    assert [defect.path for defect in read("", head).defects] == paths


def test_a_defect_says_what_was_expected_and_found() -> None:
    """One wording for every defect."""
    assert read("", "id: 123\nversion: '1'\n").defects == (
        Defect("id", 'expected a plugin id such as "com.powerx.plugins.crm", found the number `123`'),
    )


def test_unknown_keys_are_kept_as_canonical_json_and_never_refused() -> None:
    """Tolerant of the unknown: it is kept by top-level key, and a number keeps its spelling."""
    manifest = read("""
        x-team: {b: 1.10, a: [true, null, "text"]}
        capabilities: {permissions: [network], provides: [a 1]}
        dependencies: {npm: [left-pad]}
        lifecycle: {status: active, note: soon}
        signature: abc
    """)

    assert manifest.extra == {
        "x-team": '{"a":[true,null,"text"],"b":"1.10"}',
        "capabilities": '{"permissions":["network"]}',
        "dependencies": '{"npm":["left-pad"]}',
        "lifecycle": '{"note":"soon"}',
        "signature": '"abc"',
    }
    assert manifest.defects == ()


def test_a_list_of_capabilities_is_kept_and_decides_nothing() -> None:
    """Some vendors list permissions there."""
    assert read("capabilities: [network]").extra == {"capabilities": '["network"]'}


def test_a_long_unknown_value_is_kept_as_its_digest() -> None:
    """A subject travels with every request; what never decides must not fill the topic."""
    assert read(f"readme: {'x' * 20_000}").extra["readme"].startswith('"sha256:')
