"""Licences of a release: every package has one, and one that we can ship."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.release.licences import Package, main, packages, page


def component(name: str, *licences: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "version": "1", "licenses": list(licences)}


def test_a_licence_is_read_however_it_is_stated() -> None:
    """CycloneDX has expressions, identifiers and names; the same one is named once."""
    sbom = {
        "components": [
            component("b", {"expression": "MIT OR Apache-2.0"}),
            component("A", {"license": {"id": "MIT"}}, {"license": {"name": "License :: OSI Approved :: MIT"}}),
            component("c"),
        ]
    }
    assert packages(sbom) == [
        Package("A", "1", "MIT"),
        Package("b", "1", "MIT OR Apache-2.0"),
        Package("c", "1", ""),
    ]


@pytest.mark.parametrize(
    ("licence", "accepted"),
    [
        ("MIT", True),
        ("MIT-0", True),
        ("Apache Software License", True),
        ("BSD-3-Clause, BSD License", True),
        ("LGPL-3.0-only", True),
        ("PSF-2.0", True),
        ("GPL-3.0-only", False),
        ("GNU Affero General Public License v3", False),
        ("", False),
        ("permitted for evaluation", False),
    ],
)
def test_strong_copyleft_and_silence_are_refused(licence: str, accepted: bool) -> None:
    """What a package may be shipped under is a closed list, and saying nothing is not on it."""
    assert Package("a", "1", licence).accepted == accepted


def test_a_package_that_cannot_be_shipped_stops_the_release(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named, and the list is still complete."""
    file = tmp_path / "sbom.json"
    file.write_text(json.dumps({"components": [component("a", {"license": {"id": "AGPL-3.0-only"}})]}))
    assert main(str(file)) == 1
    told = capsys.readouterr()
    assert "a 1: licence `AGPL-3.0-only` is not accepted" in told.err
    assert told.out == page([Package("a", "1", "AGPL-3.0-only")])
