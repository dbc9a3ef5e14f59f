"""Any bytes give a manifest or DocumentRefused, quickly, and always the same."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.errors import DocumentRefused
from processors.events.subject import Manifest
from processors.manifests import load_manifest, read_manifest
from processors.manifests.ecosystem import ALL_HOSTS
from processors.manifests.node import LONGEST_EXTRA, MOST_DEFECTS, MOST_ITEMS
from processors.manifests.read import ECOSYSTEMS

HEAD = b'id: com.powerx.plugins.crm\nversion: "1.2.0"\n'


@pytest.mark.parametrize(
    ("data", "name", "says"),
    [
        pytest.param(b"", "plugin.yaml", "found nothing", id="empty"),
        pytest.param(b"- id: a\n", "plugin.yaml", "found a list", id="a list at the top"),
        pytest.param(b"1.5", "plugin.yaml", "found the number `1.5`", id="a number at the top"),
        pytest.param(b"id: [", "plugin.yaml", "not YAML", id="not YAML"),
        pytest.param(
            b"corex_version: >=2.0.0\n", "plugin.yaml", "not YAML", id="an unquoted range that is no YAML"
        ),
        pytest.param(b"{'id'}", "plugin.json", "not JSON", id="not JSON"),
        pytest.param(b"x" * 10_000_000, "plugin.yaml", "at most 1048576 bytes", id="10 MB"),
        pytest.param(b"x" * 10_000_000, "plugin.json", "at most 1048576 bytes", id="10 MB of JSON"),
        pytest.param(b"x" * 10_000_000, "MANIFEST.MF", "at most 1048576 bytes", id="10 MB of attributes"),
        pytest.param(b"a: " + b"[" * 100_000, "plugin.yaml", "levels|nesting", id="deep"),
        pytest.param(b"a: " + b"[" * 40 + b"]" * 40, "plugin.yaml", "at most 32 levels", id="a little too deep"),
        pytest.param(b'{"a":' * 40 + b"1" + b"}" * 40, "plugin.json", "at most 32 levels", id="deep JSON"),
        pytest.param(b"[" * 100_000, "plugin.json", "nesting without end", id="endless JSON"),
        pytest.param(b"id: a\x00b\n", "plugin.yaml", "control character", id="NUL"),
        pytest.param(b'{"id": "a\\u0000b"}', "plugin.json", "control characters", id="an escaped NUL"),
        pytest.param(b'{"id": "a\\ud800"}', "plugin.json", "half a character", id="half a surrogate pair"),
        pytest.param(b"id: \xff\xfe\n", "plugin.yaml", "expected UTF-8", id="not UTF-8"),
        pytest.param(b"id: a\nid: b\n", "plugin.yaml", "occurs twice", id="a key twice"),
        pytest.param(b'{"id": "a", "id": "b"}', "plugin.json", "occurs twice", id="a JSON key twice"),
        pytest.param(b"a: &x 1\nb: *x\n", "plugin.yaml", "anchor", id="an alias"),
        pytest.param(b"<<: {id: a}\n", "plugin.yaml", "merge key", id="a merge key"),
        pytest.param(b"id: a\n---\nid: b\n", "plugin.yaml", "second one", id="two documents"),
        pytest.param(
            b"a.a" + b".a" * 24_000 + b" = 1", "mods.toml", "at most 32 parts", id="a TOML key without end"
        ),
        pytest.param(b"a = 0x" + b"f" * 5_000, "mods.toml", "ordinary length", id="a TOML number without end"),
        pytest.param(b"a = " + b"[" * 100_000, "mods.toml", "nesting without end", id="endless TOML"),
        pytest.param(b"a = " + b"[" * 40 + b"]" * 40, "mods.toml", "at most 32 levels", id="deep TOML"),
        pytest.param(
            b'<?xml version="1.0" encoding="foo"?><info/>', "info.xml", "expected UTF-8", id="an unknown encoding"
        ),
        pytest.param(b"id: !!python/name:os.system x\n", "plugin.yaml", "tag", id="a tag"),
    ],
)
def test_what_is_no_manifest_at_all_is_refused(data: bytes, name: str, says: str) -> None:
    """Only where nothing can be trusted to be what the vendor wrote is the whole file refused."""
    with pytest.raises(DocumentRefused, match=says):
        read_manifest(data, name)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A missing file is the user's affair, like any other input that cannot be used."""
    with pytest.raises(DocumentRefused, match="cannot be opened: no such file"):
        load_manifest(tmp_path / "plugin.yaml")


def test_no_more_of_a_file_is_read_than_a_manifest_may_have(tmp_path: Path) -> None:
    """The size is refused before the content is looked at."""
    path = tmp_path / "plugin.yaml"
    path.write_bytes(b"#" * 10_000_000)

    with pytest.raises(DocumentRefused, match="expected at most 1048576 bytes, found more"):
        load_manifest(path)


@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\u2066", "\ufeff"])
@pytest.mark.parametrize("key", ["id", "version", "name", "corex_version"])
def test_hidden_characters_are_a_defect_and_are_not_passed_on(key: str, hidden: str) -> None:
    """Text that shows otherwise than it is must not reach an approver's screen."""
    stated = {"id": "a.b", "version": "1.0.0", key: f"safe{hidden}cod.exe"}

    manifest = read_manifest(json.dumps(stated).encode(), "plugin.json")

    assert [defect.path for defect in manifest.defects] == [key]
    assert hidden not in repr(manifest)


def test_an_emoji_of_several_characters_is_no_hidden_text() -> None:
    """Joiners are part of how names are written."""
    name = "Family \N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"

    assert read_manifest(HEAD + f"name: '{name}'\n".encode(), "plugin.yaml").name == name


def test_a_huge_list_is_cut_and_is_a_defect() -> None:
    """What is not read cannot be judged, so the file must not pass; and no message grows without limit."""
    needs = "".join(f"  - a.b{number} >=1\n" for number in range(MOST_ITEMS + 1))

    manifest = read_manifest(HEAD + f"dependencies:\n  requires:\n{needs}".encode(), "plugin.yaml")

    assert len(manifest.requires) == MOST_ITEMS
    assert [defect.path for defect in manifest.defects] == ["dependencies.requires"]


def test_defects_are_listed_up_to_a_limit_and_the_last_one_says_so() -> None:
    """A hundred defects are as good a reason as a million."""
    manifest = read_manifest(HEAD + b"dependencies: {requires: [" + b"1, " * 2_000 + b"]}\n", "plugin.yaml")

    assert len(manifest.defects) == MOST_DEFECTS + 1
    assert "the rest is not listed" in manifest.defects[-1].problem


def test_a_long_id_is_cut_and_is_a_defect() -> None:
    """An id is a key in topics and tables."""
    manifest = read_manifest(b"version: 1.0.0\nid: " + b"a" * 500_000, "plugin.yaml")

    assert (len(manifest.id), [defect.path for defect in manifest.defects]) == (256, ["id"])


def test_a_misspelled_entry_with_many_keys_costs_no_time() -> None:
    """Looking for what was meant is bounded, so that a file of wrong keys is no attack."""
    item = "{" + ", ".join(f"vresion{number}: 1" for number in range(2_000)) + ", id: a.b}"
    started = time.monotonic()

    read_manifest(HEAD + f"dependencies: {{requires: [{', '.join([item] * 30)}]}}".encode(), "plugin.yaml")

    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("data", "name", "id"),
    [
        pytest.param(b'{"id": "a.b", "version": "1"}', "plugin.json", "a.b", id="plugin.json of PowerX"),
        pytest.param(b'{"id": "a.b", "version": "1"}', "plugin.yaml", "a.b", id="JSON under a YAML name"),
        pytest.param(b'{"publisher": "P", "name": "n"}', "package.json", "p.n", id="package.json"),
        pytest.param(
            b'{"publisher": "p", "name": "n", "engines": {"vscode": "*"}}', "x.json", "p.n", id="an extension"
        ),
        pytest.param(
            b'{"id": "g", "type": "app", "info": {"version": "1"}}', "plugin.json", "g", id="a Grafana app"
        ),
        pytest.param(b"apiVersion: v2\nname: c\nversion: 1\n", "x.yaml", "c", id="a chart by its content"),
        pytest.param(b"name: c\nversion: 1\n", "Chart.yaml", "c", id="a chart by its name"),
        pytest.param(b"Manifest-Version: 1.0\nShort-Name: j\n", "unknown", "j", id="JAR attributes by content"),
        pytest.param(b"Short-Name: j\n", "manifest.mf", "j", id="JAR attributes by name"),
    ],
)
def test_the_ecosystem_is_known_by_name_or_content(data: bytes, name: str, id: str) -> None:
    """A file is read by the rules of those who wrote it."""
    assert read_manifest(data, name).id == id


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from([">=1.0.0", "a.b >=1", "1.10", "2026-01-01", "go", "postgresql >=14", "\u202e", "a" * 300]),
)
KNOWN = frozenset.union(*(keys for kind in ECOSYSTEMS for keys in (kind.keys, *kind.nested.values())))
INNER = {"backend", "kind", "engine", "checksum", "reversible", "once", "from", "vscode", "plugins"}
KEYS = st.sampled_from(sorted(KNOWN | INNER))
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=6)),
    max_leaves=25,
)
NAMES = st.sampled_from(["plugin.yaml", "package.json", "Chart.yaml", "plugin.json", "x.yaml"])


def read_or_refuse(data: bytes, name: str) -> Manifest | str:
    try:
        return read_manifest(data, name)
    except DocumentRefused as refused:
        return str(refused)


def written(tree: Any, name: str) -> bytes:
    return (json.dumps(tree) if name.endswith("json") else yaml.safe_dump(tree)).encode()


@settings(max_examples=300, deadline=None)
@given(tree=st.dictionaries(KEYS, TREES, max_size=8), name=NAMES)
def test_any_structure_is_read_and_read_alike(tree: dict[str, Any], name: str) -> None:
    """Nothing but DocumentRefused is ever raised; the same bytes give the same manifest, fit for a topic."""
    data = written(tree, name)

    manifest = read_or_refuse(data, name)

    assert manifest == read_or_refuse(data, name)
    assert isinstance(manifest, Manifest) or "control character" in manifest or "half a" in manifest
    if isinstance(manifest, Manifest):
        repr(manifest).encode("utf-8")
        assert all(len(json.dumps(json.loads(value))) <= 2 * LONGEST_EXTRA for value in manifest.extra.values())


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=200), name=st.sampled_from(["plugin.yaml", "plugin.json", "MANIFEST.MF"]))
def test_any_bytes_are_read_or_refused(data: bytes, name: str) -> None:
    """No input reaches a caller as another error."""
    assert read_or_refuse(data, name) == read_or_refuse(data, name)


@settings(max_examples=100, deadline=None)
@given(tree=st.dictionaries(KEYS, TREES, max_size=8))
def test_yaml_and_json_say_the_same(tree: dict[str, Any]) -> None:
    """The notation of a plugin.yaml changes nothing of what it states."""
    of_no_other_kind = dict.fromkeys(("engines", "info", "dependencies", "codeowners"))  # each marks one in JSON
    stated = {"id": "a.b", "version": "1.0.0", **tree, **of_no_other_kind}
    text = json.dumps(stated, ensure_ascii=False).encode()

    in_yaml, in_json = read_or_refuse(text, "plugin.yaml"), read_or_refuse(text, "x.plugin.json")

    assert in_yaml == in_json or isinstance(in_yaml, str)  # YAML refuses a few characters more


def test_the_hosts_of_all_ecosystems_are_known() -> None:
    """A manifest for one of them says nothing of another."""
    assert {ecosystem.host for ecosystem in ECOSYSTEMS} == ALL_HOSTS
