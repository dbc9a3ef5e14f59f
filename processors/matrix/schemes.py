"""The dialect of a plugin's versions and of the ranges about them, which need not be its host's."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from processors.errors import Refused
from processors.matrix.merged import Matrix
from processors.versions import Dialect, parse_range, parse_version

_REMEMBERED: Final = 32_768


def plugin_dialect(
    matrix: Matrix, plugin: str, otherwise: Dialect, *, versions: tuple[str, ...] = (), ranges: tuple[str, ...] = ()
) -> Dialect:
    """What the matrix declares for the plugin, else `otherwise`; `generic` if that cannot read these texts.

    One text that it cannot read is enough, because all of them are compared with each other. A text that `generic`
    cannot read either changes nothing.
    """
    return _speaking(matrix.scheme(plugin) or otherwise, versions, ranges)


@lru_cache(_REMEMBERED)
def _speaking(dialect: Dialect, versions: tuple[str, ...], ranges: tuple[str, ...]) -> Dialect:
    reads: tuple[tuple[Callable[[str, Dialect], object], tuple[str, ...]], ...] = (
        (parse_version, versions),
        (parse_range, ranges),
    )
    for read, texts in reads:
        for text in texts:
            if text.strip() and not _is_read(read, text, dialect) and _is_read(read, text, Dialect.GENERIC):
                return Dialect.GENERIC
    return dialect


def _is_read(read: Callable[[str, Dialect], object], text: str, dialect: Dialect) -> bool:
    try:
        read(text, dialect)
    except Refused:
        return False
    return True
