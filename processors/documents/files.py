"""Files that somebody has named: read no further than a reader may, and named in every complaint about them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from processors.errors import DocumentRefused


@contextmanager
def naming(file: Path) -> Generator[None]:
    """A DocumentRefused from inside has the file in front of its place; that it cannot be opened becomes one."""
    try:
        yield
    except OSError as error:
        raise DocumentRefused.unopened(file, error) from None
    except DocumentRefused as error:
        raise error.of(file) from None


def content_of(file: Path, limit: int) -> bytes:
    """What stands in the file, up to one byte more than may be read, so that the reader sees that it is too much.

    Raises DocumentRefused if there is no such file.
    """
    with naming(file), file.open("rb") as opened:
        return opened.read(limit + 1)
