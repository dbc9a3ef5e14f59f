"""A list of installed plugins: all that it says counts, and what cannot be read is refused at its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from processors.client.installed import read_installed
from processors.errors import Refused
from processors.events.subject import InstalledPlugin, Migration, Provision, Requirement


def read(folder: Path, *items: Any) -> tuple[InstalledPlugin, ...]:
    file = folder / "installed.json"
    file.write_text(json.dumps(items))
    return read_installed(file)


def a_plugin(**more: Any) -> dict[str, Any]:
    return {"id": "com.x", "version": "1.0.0", **more}


def test_everything_that_is_said_of_a_plugin_counts(tmp_path: Path) -> None:
    """A conflict or a checksum that is lost on the way is a block that never happens."""
    said = a_plugin(
        enabled=False,
        requires=["com.y >=1.0.0", {"id": "com.z", "range": "^2.0.0", "optional": True}],
        conflicts=[{"com.a": "<2.0.0"}],
        provides=["crm.contacts 1.4"],
        consumes=[{"id": "crm.leads", "version": "^1"}],
        migrations=[{"id": "0007", "checksum": "sha256:1", "reversible": True, "from": "1", "to": "2"}],
        data_format="2",
    )

    assert read(tmp_path, a_plugin(), said) == (
        InstalledPlugin("com.x", "1.0.0"),
        InstalledPlugin(
            "com.x",
            "1.0.0",
            enabled=False,
            requires=(Requirement("com.y", ">=1.0.0"), Requirement("com.z", "^2.0.0", optional=True)),
            conflicts=(Requirement("com.a", "<2.0.0"),),
            provides=(Provision("crm.contacts", "1.4"),),
            consumes=(Requirement("crm.leads", "^1"),),
            migrations=(Migration("0007", checksum="sha256:1", reversible=True, from_version="1", to_version="2"),),
            data_format="2",
        ),
    )


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        (a_plugin(enabled="false"), "[1].enabled: expected true or false, found `false`"),
        (a_plugin(enabled=0), "[1].enabled: expected true or false, found the number `0`"),
        (a_plugin(enabled="no"), "[1].enabled: expected true or false, found `no`"),
        (a_plugin(enabled=None), "[1].enabled: expected true or false, found nothing"),
        (a_plugin(enabeld=False), "[1].enabeld: `enabeld` is not known here; did you mean `enabled`?"),
        (a_plugin(conflict=["com.a"]), "[1].conflict: `conflict` is not known here; did you mean `conflicts`?"),
        (
            a_plugin(migrations=[{"id": "1", "checksm": "x"}]),
            "[1].migrations[0].checksm: `checksm` is not known here; did you mean `checksum`?",
        ),
        (a_plugin(requires=[1]), "[1].requires[0]: expected a plugin such as"),
        (a_plugin(requires=[{"id": "com.y", "rnage": ">=1"}]), "[1].requires[0].rnage: `rnage` is not known here"),
        (
            a_plugin(conflicts=[{"id": "com.y", "range": "<2", "optoinal": True}]),
            "[1].conflicts[0].optoinal: `optoinal` is not known here; did you mean `optional`?",
        ),
        (a_plugin(id="com x"), "[1].id: expected a plugin id such as"),
        (a_plugin(version=""), "[1].version: expected a version such as"),
        ({"id": "com.x"}, "[1].version: expected a version such as"),
        (a_plugin(data_format=["2"]), "[1].data_format: expected a version such as"),
        ("com.x@1.0.0", "[1]: expected an object with `id` and `version`"),
    ],
)
def test_what_cannot_be_read_is_refused_at_its_place(tmp_path: Path, item: Any, problem: str) -> None:
    """A guess would count a disabled plugin as enabled, or lose what a misspelt key says."""
    with pytest.raises(Refused) as refused:
        read(tmp_path, a_plugin(), item)

    assert str(refused.value).startswith(f"{tmp_path / 'installed.json'}: {problem}")


@pytest.mark.parametrize("line", ["- com.x@1.0.0", '"com.x@1.0.0",', "com.x 1.0.0 @2", "'com.x'@1.0.0"])
def test_a_line_of_another_form_is_refused(tmp_path: Path, line: str) -> None:
    """Else an id that nobody has would stand in the place of the one that is meant."""
    file = tmp_path / "installed.txt"
    file.write_text(f"com.y@1.0.0\n{line}\n")

    with pytest.raises(Refused, match=r"line 2: .* is not ID@VERSION"):
        read_installed(file)


def test_one_object_is_no_list(tmp_path: Path) -> None:
    file = tmp_path / "installed.json"
    file.write_text('{"id": "@scope/x", "version": "1.0.0"}')

    with pytest.raises(Refused, match="expected a list of plugins, found an object"):
        read_installed(file)


def test_a_line_with_hidden_characters_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "installed.txt"
    file.write_text("com.x@1.0.0\ncom.\u200by@1.0.0\n", encoding="utf-8")

    with pytest.raises(Refused, match=r"line 2: `com\..y@1\.0\.0` holds hidden"):
        read_installed(file)
