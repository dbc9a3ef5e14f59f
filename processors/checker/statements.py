"""Who demands what: the manifest, each source's catalogue and installed plugins state ranges, and each binds."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from processors.errors import VersionInvalid
from processors.events.report import Demand
from processors.events.subject import Manifest
from processors.events.vocabulary import DemandKind
from processors.manifests.ecosystem import ALL_HOSTS, HOSTS
from processors.matrix.document import ONLY_HOST, Release
from processors.matrix.merged import Matrix
from processors.versions import Dialect, Range, between, parse_range


class Statement(NamedTuple):
    """A range as its author wrote it. `lowest` and `highest` are inclusive bounds that are stated separately."""

    text: str
    stated_by: str
    source: str
    revision: str = ""
    row: int | None = None
    lowest: str | None = None
    highest: str | None = None

    @classmethod
    def of_release(cls, text: str, release: Release) -> Statement:
        return cls(text, "catalogue", release.source, release.revision, release.row)

    def range(self, dialect: Dialect) -> Range:
        """What the statement admits. Raises RangeInvalid, or VersionInvalid for a separate bound."""
        if not self.text.strip():
            return between(None, None, dialect)  # nothing demanded; not every dialect can express that
        if self.lowest is None and self.highest is None:
            return parse_range(self.text, dialect)
        try:
            return between(self.lowest, self.highest, dialect)
        except VersionInvalid:
            return parse_range(self.text, dialect)  # `0.6` is no npm version, but `>=0.6` is a range

    def demand(self, dialect: str, kind: DemandKind = DemandKind.RANGE) -> Demand:
        return Demand(
            constraint=self.text,
            kind=kind,
            dialect=dialect,
            stated_by=self.stated_by,
            source=self.source,
            revision=self.revision,
            row=self.row,
        )


def counts(statement: Statement, plugin: str, matrix: Matrix) -> bool:
    """Whether a statement about a plugin may let something pass: its own, or of a source that speaks for it."""
    return statement.stated_by != "catalogue" or matrix.authority.speaks_for(statement.source, plugin)


def speaks_of(manifest: Manifest, host: str, declared: Collection[str]) -> bool:
    """Whether the ranges of host versions in a manifest are about this host. `declared` are the hosts of a matrix.

    A manifest for one kind of host states nothing about a host that is known to be of another kind: one with the
    name of its own ecosystem, or one in a matrix that also declares the manifest's host. A host with a name that
    the platform chose may well be of the manifest's kind.
    """
    known = HOSTS if manifest.host in HOSTS else ALL_HOSTS
    return manifest.host in ("", host) or (host not in known and manifest.host not in declared)


def host_statements(manifest: Manifest, host: str, releases: Iterable[Release], matrix: Matrix) -> list[Statement]:
    """Every statement about the versions of this host for one release. Empty if nobody has stated anything.

    Blank text states nothing either: "any version" is written explicitly, such as `*`.
    """
    statements = _of_manifest(manifest) if speaks_of(manifest, host, matrix.hosts) else []
    for release in releases:
        names = (host, ONLY_HOST) if _is_meant(release, host, matrix) else (host,)
        stated = (release.hosts[name] for name in names if name in release.hosts)
        statements.extend(Statement.of_release(text, release) for text in stated if text.strip())
    return statements


def _is_meant(release: Release, host: str, matrix: Matrix) -> bool:
    """Whether a range without a host name is about this host.

    It is if its source, or else the whole matrix, declares this host and no other.
    """
    document = matrix.document(release.source)
    declared = (document and document.hosts) or matrix.hosts
    return len(declared) != 1 or host in declared


def _of_manifest(manifest: Manifest) -> list[Statement]:
    statements: list[Statement] = []
    if manifest.host_range and manifest.host_range.strip():
        statements.append(Statement(manifest.host_range, "manifest", manifest.id))
    if manifest.min_host or manifest.max_host:
        lowest, highest = manifest.min_host or None, manifest.max_host or None
        ends = (f">={lowest}" if lowest is not None else "", f"<={highest}" if highest is not None else "")
        text = " ".join(filter(None, ends))
        statements.append(Statement(text, "manifest", manifest.id, lowest=lowest, highest=highest))
    return statements
