"""The freshness of each source of the matrix, for display. Pure."""

from __future__ import annotations

from typing import Any, Final

from processors.matrix.merged import Matrix, Source
from processors.matrix.writing import instant
from processors.staleness.freshness import level, warns_at

HOUR: Final = 3_600_000


def freshness(matrix: Matrix, warn_at: int, now: int) -> list[dict[str, Any]]:
    """The displayed fields of each source, those that expire first on top."""
    return [_freshness(source, warn_at, now) for source in sorted(matrix.sources, key=lambda s: s.expires_at)]


def _freshness(source: Source, warn_at: int, now: int) -> dict[str, Any]:
    life = source.expires_at - source.issued_at
    return {
        "source": source.name,
        "level": level(source, warn_at, now),
        "revision": source.revision,
        "age_hours": round((now - source.issued_at) / HOUR, 2),
        "used_percent": round(100 * (now - source.issued_at) / life) if life > 0 else 100,
        "issued_at": instant(source.issued_at),
        "warns_at": instant(warns_at(source, warn_at)),
        "expires_at": instant(source.expires_at),
        "expires_in_hours": round((source.expires_at - now) / HOUR, 2),
        "digest": source.digest,
    }
