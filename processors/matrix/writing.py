"""Writes a matrix in the format of its file, so that the content of a topic can be read, compared and published
again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from processors.matrix.canonical import canonical_release, canonical_rule, settings_of
from processors.matrix.document import ONLY_HOST, MatrixDocument, Release, Rule


def written(document: MatrixDocument) -> dict[str, Any]:
    """Values for JSON or YAML. Reading them gives the same document, with the same digest."""
    stamp = {} if document.published_at is None else {"published_at": instant(document.published_at)}
    return {
        "source": document.source,
        "revision": document.revision,
        **stamp,
        "expires_after": _duration(document.expires_after),
        **settings_of(document),
        "matrix": [_rule(rule) for rule in document.rules],
        "releases": [_release(release) for release in document.releases],
    }


def instant(milliseconds: int) -> str:
    """RFC 3339 in UTC; the bare number for years outside the calendar, which any writer of a topic may state."""
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{milliseconds} ms"
    return moment.isoformat(timespec="milliseconds" if milliseconds % 1000 else "seconds").replace("+00:00", "Z")


_UNITS: Final = (("h", 3_600_000), ("m", 60_000), ("s", 1000))


def _duration(milliseconds: int) -> str:
    fitting = (f"{milliseconds // size}{unit}" for unit, size in _UNITS if milliseconds % size == 0)
    return next(fitting, f"{milliseconds}ms")


def _rule(rule: Rule) -> dict[str, Any]:
    row = canonical_rule(rule)
    del row["row"]
    if rule.overrides is not None:
        row["overrides"] = {**row["overrides"], "until": instant(rule.overrides.until)}
    return {name: row[name] for name in Rule._fields if name in row}


def _release(release: Release) -> dict[str, Any]:
    row = canonical_release(release)
    row["host"] = release.hosts.get(ONLY_HOST)
    if row["host"] is not None and len(release.hosts) == 1:
        del row["hosts"]
    else:
        del row["host"]
    for ours, theirs in (("runtimes", "runtime"), ("databases", "database")):
        if ours in row:
            row[theirs] = row.pop(ours)
    if "lifecycle" in row:
        row["lifecycle"] = {name: _dated(name, value) for name, value in row["lifecycle"].items()}
    return {name: row[name] for name in _ORDER if name in row}


_ORDER: Final = (
    "plugin", "version", "host", "hosts", "requires", "conflicts", "runtime", "database", "provides", "consumes",
    "migrations", "data_format", "lifecycle", "security_baseline",
)  # fmt: skip


def _dated(name: str, value: Any) -> Any:
    return instant(value) if name in ("effective_date", "sunset_at") else value
