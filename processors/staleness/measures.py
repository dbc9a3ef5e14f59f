"""Metrics of the matrix, by source."""

from __future__ import annotations

from collections.abc import Mapping

from processors.matrix.merged import Matrix, Source
from processors.observability import metrics
from processors.staleness.freshness import WHOLE, Change, Known, Level, is_gap, levels, usual_interval, warns_at

OTHER = "other"
"""The label under which refreshes of sources without a series of their own are counted."""

_BY_SOURCE = (
    metrics.STALENESS_HOURS,
    metrics.LAST_REFRESH,
    metrics.EXPIRES,
    metrics.WARNS,
    metrics.REFRESH_INTERVAL,
    metrics.REFRESH_GAP,
)


class Measures:
    """Remembers the existing series, so that they stay bounded and those of withdrawn sources are removed."""

    def __init__(self) -> None:
        self._counted: set[str] = set()
        self._shown: set[str] = set()
        for level in Level:  # a rate cannot see the first increment of a new series
            metrics.STALENESS_NOTICES.labels(level)

    def count(self, fact: Change | Known) -> None:
        """One reported change, or one received refresh."""
        if isinstance(fact, Change):
            metrics.STALENESS_NOTICES.labels(fact.after).inc()
            return
        if len(self._counted) < metrics.MOST_SOURCES:
            self._counted.add(fact.name)
        metrics.REFRESHES.labels(fact.name if fact.name in self._counted else OTHER).inc()

    def show(self, matrix: Matrix, known: Mapping[str, Known], warn_at: int, now: int) -> None:
        """Set every gauge. If there are too many sources, those that expire first are shown."""
        standing = levels(matrix, warn_at, now)
        for level in (Level.FRESH, Level.AGEING, Level.EXPIRED, Level.AHEAD):
            number = sum(1 for name, found in standing.items() if found is level and name != WHOLE)
            metrics.SOURCES.labels(level).set(number)
        metrics.SOURCES.labels(Level.MISSING).set(sum(found is Level.MISSING for found in standing.values()))
        urgent = sorted(matrix.sources, key=lambda source: source.expires_at)[: metrics.MOST_SOURCES]
        for source in urgent:
            _show_source(source, known.get(source.name), warn_at, now)
        self._take_down(self._shown - {source.name for source in urgent})
        self._shown = {source.name for source in urgent}

    def _take_down(self, names: set[str]) -> None:
        for name in names:
            for gauge in _BY_SOURCE:
                gauge.labels(name)  # removing a series that was never set raises an error
                gauge.remove(name)


def _show_source(source: Source, known: Known | None, warn_at: int, now: int) -> None:
    metrics.STALENESS_HOURS.labels(source.name).set((now - source.issued_at) / 3_600_000)
    metrics.LAST_REFRESH.labels(source.name).set(source.issued_at / 1000)
    metrics.EXPIRES.labels(source.name).set(source.expires_at / 1000)
    metrics.WARNS.labels(source.name).set(warns_at(source, warn_at) / 1000)
    metrics.REFRESHES.labels(source.name)  # as above: its next refresh is an increment
    if known is not None:
        metrics.REFRESH_GAP.labels(source.name).set(is_gap(known.arrivals, now))
        if (usual := usual_interval(known.arrivals)) is not None:
            metrics.REFRESH_INTERVAL.labels(source.name).set(usual / 1000)
