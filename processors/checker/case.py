"""One question, parsed and indexed once for all rules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Final, Literal, TypeAlias

from processors.checker.host_provisions import is_provided_by_host, with_plain_ids
from processors.checker.statements import Statement, counts, host_statements, speaks_of
from processors.errors import VersionInvalid
from processors.events.subject import InstalledPlugin, Manifest, Migration, Provision, Requirement, Subject
from processors.events.vocabulary import Ground
from processors.manifests.ecosystem import plugin_scheme
from processors.matrix.document import Release
from processors.matrix.merged import Matrix
from processors.matrix.schemes import plugin_dialect
from processors.matrix.weighing import Weighing, weigh
from processors.policies import Policies
from processors.versions import Dialect, Version, parse_version

_UNREADABLE: Final = Weighing(listed=True)
"""The weighing for a version that cannot be read: no row is asked about it, because it blocks by itself."""

Requirements: TypeAlias = tuple[Requirement, ...]
Stated: TypeAlias = tuple[Requirement, Statement]
"""A requirement, and who states it."""


@dataclass(frozen=True, slots=True)
class Case:
    """A subject together with the matrix. `version` and `host_version` are None if they cannot be read.

    `dialect` is the host's, `default_dialect` is that of plugins for which none is declared. `now` is
    milliseconds since the epoch, UTC. `listed` are the catalogue rows of exactly the requested release, at most one
    for each source; all of them bind. `releases` are those of sources that speak for the plugin, which alone can
    also let something pass: a new rule that is in doubt reads these. `believed` is a source that counts as one of
    them: see `readings`. `previous` is the installed version of the plugin, `replaced` are the installed plugins
    that it replaces, and `others` are all remaining ones. `described_twice` names everything that the request
    describes in two ways, with the versions that it states. For `others`, `rows` holds what the catalogue knows,
    and `needs` and `excludes` hold what they need and conflict with; a plugin without any such statement is in none
    of the three.
    """

    subject: Subject
    matrix: Matrix
    policies: Policies
    now: int
    dialect: Dialect
    default_dialect: Dialect
    version: Version | None
    host_version: Version | None
    host_statements: tuple[Statement, ...]
    listed: Sequence[Release]
    releases: Sequence[Release]
    requirements: tuple[Stated, ...]
    weighing: Weighing
    others: Mapping[str, InstalledPlugin]
    replaced: Mapping[str, InstalledPlugin]
    described_twice: Mapping[str, frozenset[str]]
    rows: Mapping[str, Sequence[Release]]
    needs: Mapping[str, Requirements]
    excludes: Mapping[str, Requirements]
    previous: InstalledPlugin | None
    previous_text: str | None
    believed: str = ""

    @property
    def plugin(self) -> str:
        return self.subject.manifest.id

    @property
    def manifest(self) -> Manifest:
        return self.subject.manifest

    def dialect_of(self, plugin: str, range: str = "", version: str = "") -> Dialect:
        """The dialect in which the versions of a plugin, and this range of them, are read.

        Without a version, it depends on the requested or the installed version, or else on any version that is
        known.
        """
        if version:
            versions = (version,)
        elif plugin == self.plugin:
            versions = (self.manifest.version, self.previous_text or "")
        else:
            there = self.others.get(plugin)
            versions = (there.version if there else self.matrix.known_version(plugin),)
        return plugin_dialect(self.matrix, plugin, self.default_dialect, versions=versions, ranges=(range,))

    def readings(self) -> Iterator[Case]:
        """The case, and as each source would have it that lists the plugin and does not speak for it.

        For rules by which one statement can both demand and permit, such as the migrations of a release: what such
        a source permits must not count, and what it demands must.
        """
        yield self
        for source in self.matrix.only_tightening(self.plugin):
            reading = replace(self, believed=source)
            yield replace(reading, releases=reading.trusted(self.listed))

    def trusted(self, rows: Sequence[Release]) -> Sequence[Release]:
        """Of these rows of the catalogue, those whose source speaks for their plugin."""
        if not self.believed:
            return self.matrix.trusted(rows)
        speaks_for = self.matrix.authority.speaks_for
        return [row for row in rows if row.source == self.believed or speaks_for(row.source, row.plugin)]

    def conflicts(self) -> Iterator[Stated]:
        """Every plugin that the requested one conflicts with, and who states it."""
        return self._stated("conflicts")

    def runtimes(self) -> Iterator[Stated]:
        """Every runtime that the requested plugin needs, and who states it."""
        return self._stated("runtimes")

    def databases(self) -> Iterator[Stated]:
        """Every database that the requested plugin supports, and who states it."""
        return self._stated("databases")

    def consumes(self) -> Iterator[Stated]:
        """Every API and schema that the requested plugin uses, and who states it."""
        return self._stated("consumes")

    def _stated(self, what: Literal["conflicts", "runtimes", "databases", "consumes"]) -> Iterator[Stated]:
        stated = attrgetter(what)
        for need in stated(self.manifest) or ():
            yield need, Statement(need.range, "manifest", self.plugin)
        for release in self.listed:
            for need in stated(release):
                yield need, Statement.of_release(need.range, release)

    def provides(self) -> dict[str, str]:
        """What the requested plugin offers, by id. Its manifest takes precedence over the catalogue."""
        rows = [offer for release in self.releases for offer in release.provides]
        return {offer.id: offer.version for offer in (*rows, *self.manifest.provides)}

    def migrations(self) -> tuple[Migration, ...]:
        """The migrations that come with the release, from its manifest, else from the catalogue."""
        if self.manifest.migrations:
            return self.manifest.migrations
        return next((release.migrations for release in self.releases if release.migrations), ())

    def data_format(self) -> str:
        return self.manifest.data_format or next((r.data_format for r in self.releases if r.data_format), "")

    def security_baseline(self) -> str:
        stated = (r.security_baseline for r in self.releases if r.security_baseline)
        return self.manifest.security_baseline or next(stated, "")

    def consumed_by(self, plugin: InstalledPlugin) -> tuple[Requirement, ...]:
        """What an installed plugin uses, as the deployer states it, else as the catalogue knows it."""
        return plugin.consumes or tuple(need for row in self.rows.get(plugin.id, ()) for need in row.consumes)

    def offered_by(self, plugin: InstalledPlugin) -> tuple[Provision, ...]:
        """What an installed plugin offers, in the same order of precedence.

        Plugins that will be removed are included.
        """
        if plugin.provides:
            return plugin.provides
        is_other = plugin.id in self.others
        rows = self.rows.get(plugin.id) if is_other else known_rows(self.matrix, plugin, self.default_dialect)
        return tuple(offer for row in self.trusted(rows) for offer in row.provides) if rows else ()

    def offered_by_others(self) -> Iterator[Provision]:
        """What the enabled plugins offer that stay installed unchanged."""
        return (offer for plugin in self.others.values() if plugin.enabled for offer in self.offered_by(plugin))

    @property
    def is_host_stated(self) -> bool:
        """Whether somebody who speaks for the plugin states on which versions of this host it runs."""
        meant = speaks_of(self.manifest, self.subject.host.name, self.matrix.hosts_of_anybody)
        stated = (s for s in self.host_statements if meant or s.stated_by != "manifest")
        return any(counts(statement, self.plugin, self.matrix) for statement in stated)

    def absence(self, plugin: str) -> Ground:
        """Why a plugin is absent: it is not installed, or no source lists any release that could be installed."""
        return Ground.ABSENT if self.matrix.releases(plugin) else Ground.UNLISTED

    def offered_before(self) -> Iterator[Provision]:
        """What the replaced version and the replaced plugins offer."""
        yield from (offer for plugin in self.replaced.values() for offer in self.offered_by(plugin))
        if self.previous_text is not None:
            yield from self.offered_by(self.previous or InstalledPlugin(self.plugin, self.previous_text))


def read_case(subject: Subject, matrix: Matrix, policies: Policies, now: int) -> Case:
    """Parse and index a subject. Never raises because of the subject's content: the rules turn errors into
    findings.

    The deployer's statement of what an installed plugin needs takes precedence; where it states
    nothing for a plugin, the catalogue counts.
    """
    subject = with_plain_ids(subject)
    manifest, host = subject.manifest, subject.host
    matrix = matrix.on(host.name)
    declared = matrix.host(host.name)
    dialect = Dialect(declared.dialect) if declared else Dialect.NPM
    default_dialect = default_dialect_of(manifest, dialect)
    host_version = readable(host.version, dialect)
    others, described_twice = _by_id(subject.installed)
    previous = others.pop(manifest.id, None)
    previous_text = previous.version if previous else subject.previous_version or None
    own = plugin_dialect(matrix, manifest.id, default_dialect, versions=(manifest.version, previous_text or ""))
    version = readable(manifest.version, own)
    listed = matrix.release(manifest.id, manifest.version, own)
    releases = matrix.trusted(listed)

    def provided(need: Requirement) -> bool:
        return need.id not in others and is_provided_by_host(host, declared, manifest.host, need, dialect)

    requirements = tuple(stated for stated in _requirements(manifest, listed) if not provided(stated[0]))
    needed = {need.id for need, statement in requirements if counts(statement, manifest.id, matrix)}
    replaced = _replaced(manifest, needed, others) if manifest.replaces else {}
    rows = {p.id: found for p in others.values() if (found := known_rows(matrix, p, default_dialect))}
    return Case(
        subject=subject,
        matrix=matrix,
        policies=policies,
        now=now,
        dialect=dialect,
        default_dialect=default_dialect,
        version=version,
        host_version=host_version,
        host_statements=tuple(host_statements(manifest, host.name, listed, matrix)),
        listed=listed,
        releases=releases,
        requirements=requirements,
        weighing=weigh(matrix, host.name, host.version, dialect, manifest.id, manifest.version, now, own)
        if version is not None and host_version is not None
        else _UNREADABLE,
        others=others,
        replaced=replaced,
        described_twice=described_twice,
        rows=rows,
        needs=_without(_known(others, rows, "requires"), provided),
        excludes=_known(others, rows, "conflicts"),
        previous=previous,
        previous_text=previous_text,
    )


def default_dialect_of(manifest: Manifest, dialect: Dialect) -> Dialect:
    """The dialect of plugin versions where the matrix declares none; `dialect` is the host's."""
    return plugin_scheme(manifest.host) or dialect


def known_rows(
    matrix: Matrix, plugin: InstalledPlugin, default_dialect: Dialect, before: Sequence[str] = ()
) -> Sequence[Release]:
    """What the catalogue knows of an installed release. `before` are the versions that it replaces."""
    own = plugin_dialect(matrix, plugin.id, default_dialect, versions=(plugin.version, *before))
    return matrix.release(plugin.id, plugin.version, own)


def readable(text: str, dialect: Dialect) -> Version | None:
    """The version, or None if the dialect cannot read it."""
    try:
        return parse_version(text, dialect)
    except VersionInvalid:
        return None


def _requirements(manifest: Manifest, releases: Iterable[Release]) -> Iterator[Stated]:
    """Every plugin that the requested one needs: first from its manifest, then from the catalogue."""
    for need in manifest.requires:
        yield need, Statement(need.range, "manifest", manifest.id)
    for release in releases:
        for need in release.requires:
            yield need, Statement.of_release(need.range, release)


def _without(
    stated: dict[str, Requirements], provided: Callable[[Requirement], bool]
) -> Mapping[str, Requirements]:
    """What each plugin needs, without what the host provides."""
    for id, needs in list(stated.items()):
        left = tuple(need for need in needs if not provided(need))
        if left:
            stated[id] = left
        else:
            del stated[id]
    return stated


def _by_id(installed: Iterable[InstalledPlugin]) -> tuple[dict[str, InstalledPlugin], dict[str, frozenset[str]]]:
    """Installed plugins by id, and the versions of those that are described in two ways.

    The index holds one of two descriptions, always the same one in any order: such a request is blocked.
    """
    plugins: dict[str, InstalledPlugin] = {}
    described_twice: dict[str, frozenset[str]] = {}
    for plugin in installed:
        known = plugins.setdefault(plugin.id, plugin)
        if known is not plugin and known != plugin:
            described_twice[plugin.id] = described_twice.get(plugin.id, frozenset({known.version})) | {
                plugin.version
            }
            plugins[plugin.id] = min(known, plugin, key=repr)
    return plugins, described_twice


def _replaced(
    manifest: Manifest, needed: Collection[str], others: dict[str, InstalledPlugin]
) -> dict[str, InstalledPlugin]:
    """Take the plugins that this one replaces out of `others`. A plugin that it also needs has to stay."""
    return {id: others.pop(id) for id in dict.fromkeys(manifest.replaces) if id in others and id not in needed}


def _known(
    others: Mapping[str, InstalledPlugin],
    rows: Mapping[str, Sequence[Release]],
    what: Literal["requires", "conflicts"],
) -> dict[str, Requirements]:
    """What is known of the installed plugins: from the deployer, else from the catalogue."""
    stated = attrgetter(what)
    told = {id: stated(plugin) for id, plugin in others.items() if stated(plugin)}
    for id, releases in rows.items():
        if id not in told and (listed := tuple(need for row in releases for need in stated(row))):
            told[id] = listed
    return told
