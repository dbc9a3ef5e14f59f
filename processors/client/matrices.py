"""Unpublished matrix files, merged as they would be from the topic."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from processors.bootstrap.scopes import scopes
from processors.configuration.settings import Settings, is_shipped
from processors.errors import SettingsInvalid
from processors.matrix.document import MatrixDocument
from processors.matrix.merged import Matrix
from processors.matrix.text import load_matrix

MATRIX: Final = "compat_matrix.yaml"


def chosen_matrix(of: Settings) -> Path:
    """The matrix of an installation: that of the configuration folder in use, else `./config/compat_matrix.yaml`.

    Raises SettingsInvalid if there is none. The shipped sample counts only if it is named explicitly.
    """
    places = [of.config / MATRIX, Path.cwd() / "config" / MATRIX]
    for file in places:
        if file.is_file() and not is_shipped(file):
            return file
    looked = ", ".join(f"`{place}`" for place in dict.fromkeys(places) if not is_shipped(place))
    raise SettingsInvalid(
        "no matrix is chosen: name one with --matrix, or name your configuration folder with GUARD_CONFIG"
        + (f"; there is none at {looked}" if looked else "; the sample is used only where --matrix names it")
    )


def refuse_shipped(file: Path) -> None:
    """Raises SettingsInvalid for the shipped sample, which nobody chose."""
    if is_shipped(file):
        raise SettingsInvalid(
            f"`{file}` is the sample that is shipped with the guard, and is not published; copy it to a "
            "configuration folder of your own, make it yours, and name the folder with GUARD_CONFIG"
        )


def load_sources(files: Iterable[Path]) -> list[MatrixDocument]:
    """One document for each file, no two of one source: only one could bind, and the rows of the other would be
    lost.

    Raises DocumentRefused for an unreadable file, SettingsInvalid that names two files of one source.
    """
    stated: dict[str, Path] = {}
    documents: list[MatrixDocument] = []
    for file in files:
        document = load_matrix(file)
        if other := stated.get(document.source):
            raise SettingsInvalid(
                f"{other} and {file} both state the source `{document.source}`, and only one of them could bind; "
                "give each a `source` of its own (a file without one is `governance`), or make them one file"
            )
        stated[document.source] = file
        documents.append(document)
    return documents


def matrix_of(files: Iterable[Path], of: Settings, now: int) -> Matrix:
    """The files as one matrix, as if they were published now, with the scopes of sources that `of` states.

    Raises as `load_sources`, and DocumentRefused for a guard.yaml that cannot be read.
    """
    issued = [(d, now if d.published_at is None else d.published_at) for d in load_sources(files)]
    return Matrix.of(((d, at, at + d.expires_after) for d, at in issued), scopes(of))
