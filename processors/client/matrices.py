"""Matrix files that are not published yet, merged as the topic would merge them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from processors.errors import SettingsInvalid
from processors.matrix.document import MatrixDocument
from processors.matrix.merged import Matrix
from processors.matrix.text import load_matrix


def load_sources(files: Iterable[Path]) -> list[MatrixDocument]:
    """One document a file, no two of one source: only one could bind, and the rows of the other would be lost.

    Raises DocumentRefused for a file that cannot be read, SettingsInvalid that names two files of one source.
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


def matrix_of(files: Iterable[Path], now: int) -> Matrix:
    """The files as one matrix; what is not published yet counts as published now. Raises as `load_sources`."""
    issued = [(d, now if d.published_at is None else d.published_at) for d in load_sources(files)]
    return Matrix.of((d, at, at + d.expires_after) for d, at in issued)
