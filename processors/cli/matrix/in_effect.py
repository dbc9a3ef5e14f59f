"""Reads the matrix from its topic, for the commands that show it."""

from __future__ import annotations

from rich.text import Text

from processors.cli import talk
from processors.configuration.settings import settings
from processors.matrix.merged import Matrix


def in_effect() -> Matrix:
    """The matrix on the topic. Refused records are reported on stderr."""
    from processors.client.matrix_topic import read_matrix  # noqa: PLC0415 - offline commands need no client library

    fold, rejects = read_matrix(settings())
    for reject in rejects:
        talk().print(Text(f"a record of the topic is refused: {reject.message}"))
    return fold.snapshot()
