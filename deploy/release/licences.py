"""The licences of everything that a release runs on, from its bill of materials.

    python -m deploy.release.licences SBOM.json > LICENCES.md

Ends with 1, and names them, if a package states no licence or one that the guard cannot be shipped with.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ACCEPTED = re.compile(
    r"apache|\bmit\b|bsd|\bisc\b|python software|psf|mozilla|mpl|unlicense|0bsd|\bzlib\b|cc0|"
    r"lesser general public|lgpl",
    re.IGNORECASE,
)
"""Permissive ones, and those whose copyleft ends at the package's own files or at its linking."""

READ_BY_HAND = {"protobuf": "BSD-3-Clause"}
"""What a package's metadata says in words that no bill of materials carries over."""


class Package(NamedTuple):
    """One component of a bill of materials. `licence` is as the package states it, empty if it does not."""

    name: str
    version: str
    licence: str

    @property
    def accepted(self) -> bool:
        return bool(ACCEPTED.search(self.licence))


def packages(sbom: Mapping[str, Any]) -> list[Package]:
    """Every component of a CycloneDX document, by name."""
    return sorted(map(_package, sbom["components"]), key=lambda package: package.name.lower())


def page(of: Iterable[Package]) -> str:
    """The list as Markdown."""
    rows = [f"| {package.name} | {package.version} | {package.licence} |" for package in of]
    return "\n".join(["# Licences", "", "| package | version | licence |", "|---|---|---|", *rows, ""])


def _package(component: Mapping[str, Any]) -> Package:
    name = component["name"]
    licence = _licence(component.get("licenses", ())) or READ_BY_HAND.get(name, "")
    return Package(name, component["version"], licence)


def _licence(stated: Iterable[Mapping[str, Any]]) -> str:
    """An expression where there is one, else every name that is given."""
    names: dict[str, None] = {}
    for entry in stated:
        licence = entry.get("license", {})
        if name := entry.get("expression") or licence.get("id") or licence.get("name"):
            names.setdefault(" ".join(str(name).replace("License :: OSI Approved :: ", "").split()))
    return ", ".join(names)


def main(file: str) -> int:
    found = packages(json.loads(Path(file).read_text("utf-8")))
    sys.stdout.write(page(found))
    refused = [package for package in found if not package.accepted]
    for package in refused:
        sys.stderr.write(f"{package.name} {package.version}: licence `{package.licence}` is not accepted\n")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
