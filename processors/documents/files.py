"""Reads files that a user has named: with a size limit, and with the file name in every error."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from processors.errors import DocumentRefused


@contextmanager
def naming(file: Path) -> Generator[None]:
    """Adds the file to the place of a DocumentRefused from inside; an error on opening becomes one."""
    try:
        yield
    except OSError as error:
        raise DocumentRefused.unopened(file, error) from None
    except DocumentRefused as error:
        raise error.of(file) from None


def content_of(file: Path, limit: int) -> bytes:
    """The content of the file, up to one byte more than may be read, so that the reader notices the excess.

    Raises DocumentRefused if there is no such file.
    """
    with naming(file), file.open("rb") as opened:
        return opened.read(limit + 1)
