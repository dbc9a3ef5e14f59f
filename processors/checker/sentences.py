"""The sentence of each finding code: what is wrong, and the way out.

A sentence never guesses. It holds only what the finding holds, so that the facts can be checked against it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from processors.errors import RangeInvalid, shorten
from processors.events.report import ALTERNATIVES, Finding
from processors.events.vocabulary import Code, DemandKind, Ground, Severity
from processors.versions import EXAMPLES, Dialect, hint, parse_range

Words: TypeAlias = tuple[str, str]
"""What is wrong, without a full stop; and the way out, a sentence of its own."""

_LONGEST_RANGE = 120


class Asked(NamedTuple):
    """What was asked about, by the names that sentences use."""

    plugin: str
    version: str
    host: str
    together: tuple[str, ...] = ()
    """Ids of the plugins that are installed in the same step."""

    def __str__(self) -> str:
        return f"{self.plugin} {self.version}".strip()


def in_words(finding: Finding, asked: Asked) -> Words:
    return _SENTENCES[finding.code](_Fact(finding, asked))


class _Fact:
    """A finding with the names that its sentence uses."""

    def __init__(self, finding: Finding, asked: Asked) -> None:
        self.finding = finding
        self.asked = str(asked)
        self.plugin = asked.plugin
        self.version = asked.version
        self.owner = finding.subject
        self.is_ours = finding.subject == asked.plugin
        self.subject = self.asked if self.is_ours else _needed_by(finding, asked)
        self.object = finding.object
        self.kind = finding.required.kind
        self.ground = finding.ground
        self.demand = finding.required.constraint.replace(ALTERNATIVES, " or ")
        self.wants = f"{finding.object} {self.demand}".strip()
        self.found = finding.found or "none"
        self.disabled = finding.ground is Ground.DISABLED
        self.needed = _explained(finding)
        self.a_version = f"a version {self.needed}" if self.needed.startswith(("from ", "newer ")) else self.needed
        self.only_prerelease = finding.severity is Severity.PRERELEASE


def _needed_by(finding: Finding, asked: Asked) -> str:
    """An installed plugin, and why the request hangs on it where it does: the chain that leads to it."""
    if finding.subject in asked.together:
        return f"{finding.subject}, which comes with it,"
    if len(finding.path) < 2 or finding.path[-1] != finding.subject:
        return f"{finding.subject}, which is installed,"
    via = [f"{id}, which needs" for id in finding.path[1:-1]]
    return " ".join((f"{asked} needs", *via, f"{finding.subject}, which"))


def _explained(finding: Finding) -> str:
    """The demanded range in words where it is one: "2.0.0 or newer" rather than ">=2.0.0"."""
    demand = finding.required
    try:
        text = parse_range(demand.constraint, Dialect(demand.dialect)).explain() if demand.constraint else ""
    except (RangeInvalid, ValueError):
        text = demand.constraint
    return (text if len(text) <= _LONGEST_RANGE else shorten(demand.constraint, _LONGEST_RANGE)) or "any version"


def _host_too_old(f: _Fact) -> Words:
    return (
        f"{f.subject} needs {f.wants}, and this host runs {f.found}",
        f"Upgrade {f.object} to {f.a_version}, or install a version of {f.plugin} that runs on {f.found}.",
    )


def _host_too_new(f: _Fact) -> Words:
    return (
        f"{f.subject} needs {f.wants}, and this host already runs {f.found}",
        f"Install a newer version of {f.plugin} that knows {f.object} {f.found}.",
    )


def _host_prerelease(f: _Fact) -> Words:
    return (
        f"{f.subject} needs {f.wants}, and this host runs {f.found}, a pre-release, which the range leaves out",
        f"Upgrade {f.object} to a release: {f.needed}.",
    )


def _host_undeclared(f: _Fact) -> Words:
    if f.finding.found:
        return (
            f"The manifest of {f.subject} is for {f.found} and says nothing of {f.object}, nor does any source",
            f"Name the host that it is for, or have governance list this release for {f.object}.",
        )
    return (
        f"{f.subject} does not say which versions of {f.object} it runs on, and no matrix source knows",
        "Ask its vendor to state the host range in the manifest, or have governance list this release.",
    )


def _dependency_missing(f: _Fact) -> Words:
    version = f", {f.needed}," if f.demand else ""
    advice = f"Install {f.object}{version} first."
    if f.ground is Ground.UNLISTED:
        return f"{f.subject} needs {f.wants}, which is not installed and which no matrix source lists", advice
    return f"{f.subject} needs {f.wants}, which is not installed", advice


def _dependency_too_old(f: _Fact) -> Words:
    if f.only_prerelease:
        return (
            f"{f.subject} needs {f.wants}, and {f.found} is installed, a pre-release, which the range leaves out",
            f"Install a release of {f.object}: {f.needed}.",
        )
    return (
        f"{f.subject} needs {f.wants}, and {f.found} is installed",
        f"Upgrade {f.object} to {f.a_version}.",
    )


def _dependency_too_new(f: _Fact) -> Words:
    return (
        f"{f.subject} needs {f.wants}, and the newer {f.found} is installed",
        f"Install a version of {f.plugin} that works with {f.object} {f.found}.",
    )


def _dependency_disabled(f: _Fact) -> Words:
    return f"{f.subject} needs {f.wants}, and {f.found} is installed, but disabled", f"Enable {f.object}."


def _dependency_cycle(f: _Fact) -> Words:
    if f.object == f.plugin:
        return f"{f.subject} needs itself, so it can never start", "Ask its vendor to take that requirement out."
    way = f.object if f.found == f.object else f"{f.object}, which in the end needs {f.found}"
    return (
        f"{f.subject} needs {way}, and that needs {f.plugin} again: neither can start first",
        "Only their vendors can break the circle.",
    )


def _dependent_broken(f: _Fact) -> Words:
    if f.ground is Ground.ABSENT:
        verb = "would not stand in for it any more" if f.finding.blocks else "does not stand in for it"
        return (
            f"{f.subject} needs {f.wants}, and {f.asked} {verb}",
            f"Upgrade {f.owner} to a version that works with {f.plugin}, or keep what stands in for {f.object}.",
        )
    if f.ground is Ground.REPLACED:
        return (
            f"{f.subject} needs {f.wants}, and {f.asked} replaces {f.object} without standing in for it",
            f"Upgrade {f.owner} to a version that works with {f.plugin}, or keep {f.object}.",
        )
    verb = "would not fit any more" if f.finding.blocks else "does not fit"
    return (
        f"{f.subject} needs {f.wants}, and {f.found} {verb}",
        f"Upgrade {f.owner} to a version that works with {f.asked}, or keep one that it accepts: {f.needed}.",
    )


def _plugin_conflict(f: _Fact) -> Words:
    though = ", though disabled" if f.disabled else ""
    return (
        f"{f.subject} cannot run beside {f.wants}, and {f.found} is installed{though}",
        f"Remove {f.object} first, or do without {f.plugin}.",
    )


def _conflict_reverse(f: _Fact) -> Words:
    meant = f", so not beside {f.asked}" if f.demand else ""
    return (
        f"{f.subject} cannot run beside {f.wants}{meant}",
        f"Remove {f.owner} first, or do without {f.plugin}.",
    )


def _runtime_too_old(f: _Fact) -> Words:
    if f.finding.found is None:
        return (
            f"{f.subject} needs {f.wants}, and this host has no {f.object}",
            f"Provide {f.object} on this host: {f.needed}.",
        )
    if f.only_prerelease:
        return (
            f"{f.subject} needs {f.wants}, and this host has {f.found}, a pre-release, which the range leaves out",
            f"Provide a release of {f.object}: {f.needed}.",
        )
    return f"{f.subject} needs {f.wants}, and this host has {f.found}", f"Upgrade {f.object} to {f.a_version}."


def _runtime_too_new(f: _Fact) -> Words:
    return (
        f"{f.subject} needs {f.wants}, and this host already has {f.found}",
        f"Install a newer version of {f.plugin}, or provide an older {f.object} beside it: {f.needed}.",
    )


def _runtime_undeclared(f: _Fact) -> Words:
    if f.object == "runtime":
        return (
            f"{f.subject} does not say which runtime it needs, so nobody can tell whether this host has it",
            'Ask its vendor to state it, such as `runtime: {go: ">=1.21"}`.',
        )
    return (
        f"{f.subject} needs {f.wants}, and the request does not say which {f.object} this host has",
        f"State it with the request, such as `--runtime {f.object}@VERSION`.",
    )


def _database_unsupported(f: _Fact) -> Words:
    if f.finding.found is None:
        return (
            f"{f.subject} needs {f.demand}, and the request does not say which database this host has",
            "State it with the request, such as `--database postgresql@16.4`.",
        )
    wants = f"{f.demand} for its migrations" if f.kind is DemandKind.DRIVER else f.demand
    return (
        f"{f.subject} needs {wants}, and this host has {f.found}",
        f"Use a version of {f.plugin} made for this database, or provide {f.demand}.",
    )


def _contract_break(f: _Fact) -> Words:
    if not f.is_ours:
        there = f"{f.asked} would offer {f.found}" if f.finding.found else f"{f.asked} no longer offers it"
        return (
            f"{f.subject} uses {f.wants}, and {there}",
            f"Upgrade {f.owner} first, or keep a version of {f.plugin} that still offers {f.wants}.",
        )
    nowhere = "nothing here offers it" if f.finding.blocks else "nobody says whether it is offered here"
    there = f"{f.found} is what is offered here" if f.finding.found else nowhere
    return (
        f"{f.subject} uses {f.wants}, and {there}",
        f"Install or upgrade what offers {f.object}, or a version of {f.plugin} that works with what is there.",
    )


def _migration_irreversible(f: _Fact) -> Words:
    if f.finding.required.stated_by == "installed":
        return (
            f"{f.asked} goes back behind migration `{f.object}`, which has run here and cannot be undone",
            "Restore the data from before that migration, or stay with the version that is installed.",
        )
    if f.finding.severity is Severity.UNKNOWN:
        return (
            f"{f.asked} runs migration `{f.object}`, and nobody says whether that can be undone",
            "Ask its vendor, and take a backup before you go on.",
        )
    return (
        f"{f.asked} runs migration `{f.object}`, which cannot be undone: a rollback would not bring the data back",
        "Take a backup that you have restored once, then ask for an exception with that plan.",
    )


def _migration_gap(f: _Fact) -> Words:
    if f.ground is Ground.SKIPPED:
        what = f"migration `{f.object}` of {f.demand} to have run, and the upgrade from {f.found} skips it"
    else:
        what = f"data at version {f.demand} for migration `{f.object}`, and the data here is at version {f.found}"
    return f"{f.asked} needs {what}", "Upgrade in steps, through the releases in between."


def _migration_checksum(f: _Fact) -> Words:
    before, after = (shorten(text, 24) for text in (f.demand, f.found))
    return (
        f"Migration `{f.object}` of {f.asked} has checksum {after}, and it ran here with {before}",
        "Ask its vendor for a release that leaves it as it was and adds another migration.",
    )


def _data_format(f: _Fact) -> Words:
    if f.kind is DemandKind.RANGE:
        return (
            f"{f.asked} reads what {f.needed} has saved, and {f.found} is installed: its settings may be lost",
            f"Take a backup of what {f.plugin} has saved, and look through its settings after the upgrade.",
        )
    alone = f", and no migration comes with {f.version}" if f.ground is Ground.NO_MIGRATION else ""
    return (
        f"{f.asked} reads data in format {f.demand}, and the data here is in format {f.found}{alone}",
        f"Install a version of {f.plugin} that reads this data, or one that brings a migration for it.",
    )


def _downgrade(f: _Fact) -> Words:
    return (
        f"{f.asked} is older than the version that it would replace, {f.demand}",
        "Go on only if you mean to go back, and take a backup first.",
    )


def _deprecated(f: _Fact) -> Words:
    ending = f"deprecated, and its support ends on {f.found}" if f.ground is Ground.ENDS else f.found
    return f"{f.asked} is {ending}", _successor(f, "Plan to move to", "Ask its vendor what replaces it.")


def _sunset(f: _Fact) -> Words:
    over = f": its support ended on {f.found}" if f.ground is Ground.ENDED else f": it is {f.found}"
    return f"{f.asked} is no longer supported{over}", _successor(f, "Install", "Install a supported release.")


def _successor(f: _Fact, verb: str, otherwise: str) -> str:
    if f.object == f.plugin:
        return f"{verb} a newer release of {f.plugin}."
    return otherwise if f.object == "release" else f"{verb} {f.object} instead."


def _baseline(f: _Fact) -> Words:
    has = f"was built to {f.found}" if f.finding.found else "does not say which it was built to"
    return (
        f"Security baseline {f.demand} is demanded here, and {f.asked} {has}",
        f"Install a version of {f.plugin} that was built to {f.demand} or later.",
    )


def _advisory(f: _Fact) -> Words:
    affected = f"contains {f.found}, which {f.object} affects"
    what = f"{f.asked} {f'is affected by {f.object}' if f.found == f.asked else affected}"
    if f.kind is DemandKind.WITHOUT:
        return what, "No version that mends it is known: do without it, or ask for an exception with safeguards."
    if f.ground is Ground.UNLISTED:
        return what, f"It is mended in {f.demand}, which no matrix source lists: have its vendor list it."
    inside = "" if f.found == f.asked else f"a version of {f.plugin} with "
    return what, f"Install {inside}{f.demand}."


def _matrix_missing(f: _Fact) -> Words:
    if f.object != "matrix":
        return (
            f"{f.asked} cannot be judged without the matrix source {f.object}, which is required and not there",
            f"Let its owner publish it again: `compat-guard matrix publish FILE`, signed as {f.object}.",
        )
    return (
        f"{f.asked} cannot be judged without a compatibility matrix, and none is loaded",
        "Publish one: `compat-guard matrix publish FILE`.",
    )


def _matrix_unlisted(f: _Fact) -> Words:
    if f.kind is DemandKind.HOST_KNOWN:
        near = f", only {f.found}, which is named alike" if f.ground is Ground.SIMILAR_NAME else ""
        return (
            f"No matrix source knows the host {f.object}{near or ', nor how its versions are written'}",
            "Correct its name if it is misspelt, or have governance declare it with its dialect.",
        )
    return (
        f"No matrix source has a row about this release: {f.asked} is unknown to all of them",
        "Have its vendor or governance list it.",
    )


def _matrix_expired(f: _Fact) -> Words:
    return (
        f"Matrix source {f.object} is out of date: the time of its revision {f.found} is over",
        f"Refresh {f.object}: `compat-guard matrix publish FILE`.",
    )


def _matrix_row(f: _Fact) -> Words:
    why = f": {f.found.rstrip('.')}" if f.finding.found else ", and the row gives no reason"
    verb = "is blocked on" if f.finding.code is Code.MATRIX_BLOCK else "has a warning on"
    return f"{f.asked} {verb} {f.object}{why}", f"Install a version of {f.plugin} that the row does not cover."


def _constraint_invalid(f: _Fact) -> Words:
    demand = f.finding.required
    if demand.stated_by == "matrix":
        return (
            f"A row about {f.plugin} on {f.object} cannot be read, so it may as well block: {f.found}",
            f"Correct matrix[{demand.row}] of {demand.source}; `compat-guard matrix lint` shows what is wrong.",
        )
    if demand.stated_by == "guard" and f.object == "request":
        return (
            f"What the request says of {f.owner} cannot be judged: {_contradiction(f)}",
            "Correct the request and send it again.",
        )
    owner = f.asked if f.is_ours else f.owner
    example = EXAMPLES.get(demand.dialect)
    such_as = f", such as `{example}`" if example else ""
    way_out = f"Have it written in dialect {demand.dialect}{such_as}; `compat-guard satisfies` shows what is read."
    return f"What {owner} demands of {f.object}, `{f.demand}`, cannot be judged: {_illegible(f)}", way_out


def _contradiction(f: _Fact) -> str:
    """What a request says against itself, or cannot mean."""
    match f.kind:
        case DemandKind.ONE_DESCRIPTION:
            versions = f.found.split(ALTERNATIVES)
            told = " and ".join(versions) if len(versions) > 1 else f"{f.found}, described in two ways"
            return f"it needs one description of each installed plugin, and says {told}"
        case DemandKind.INSTALLED_VERSION:
            return f"it needs version {f.demand}, which is installed, as the one to replace, and says {f.found}"
        case _:
            return f"it says {f.found}"


def _illegible(f: _Fact) -> str:
    match f.ground:
        case Ground.EMPTY_RANGE:
            return "no version can satisfy it"
        case _:
            why = hint(f.demand, Dialect(f.finding.required.dialect)) if f.finding.required.dialect else ""
            told = f"`{f.found}` cannot be read" if f.finding.found else "it ends too early"
            return "; ".join(filter(None, (told, why)))


def _version_unreadable(f: _Fact) -> Words:
    if f.kind is DemandKind.READABLE_VERSION:
        return (
            f"The version of {f.owner}, `{f.found}`, cannot be read in dialect {f.demand}",
            "Correct the request or the dialect that the matrix declares, or ask for an exception.",
        )
    owner = f.asked if f.is_ours else f.owner
    wants = f"{f.object} {f.demand}" if f.kind is DemandKind.RANGE else f.demand
    return (
        f"{owner} needs {wants}, and {f.object} reports version `{f.found}` here, which cannot be read",
        "Correct the version that the request or the matrix states, or ask for an exception.",
    )


def _manifest_invalid(f: _Fact) -> Words:
    whose = f.asked if f.plugin else "a plugin without an id"
    return (
        f"The manifest of {whose} cannot be relied on: at `{f.object}`, {f.found}",
        "Check it with `compat-guard manifest lint`, and have its vendor correct it.",
    )


def _unknown(f: _Fact) -> Words:
    return f"{f.asked} does not fit {f.object}: {f.found}", "Upgrade this reader: it is older than the guard."


def _guard_off(f: _Fact) -> Words:
    return f"Nothing was checked for {f.asked}: the guard is switched off", f"Switch {f.object} on, and ask again."


_SENTENCES: dict[Code, Callable[[_Fact], Words]] = {
    Code.UNKNOWN: _unknown,
    Code.GUARD_OFF: _guard_off,
    Code.HOST_TOO_OLD: _host_too_old,
    Code.HOST_TOO_NEW: _host_too_new,
    Code.HOST_PRERELEASE_EXCLUDED: _host_prerelease,
    Code.HOST_UNDECLARED: _host_undeclared,
    Code.DEPENDENCY_MISSING: _dependency_missing,
    Code.DEPENDENCY_TOO_OLD: _dependency_too_old,
    Code.DEPENDENCY_TOO_NEW: _dependency_too_new,
    Code.DEPENDENCY_DISABLED: _dependency_disabled,
    Code.DEPENDENCY_CYCLE: _dependency_cycle,
    Code.DEPENDENT_BROKEN: _dependent_broken,
    Code.PLUGIN_CONFLICT: _plugin_conflict,
    Code.CONFLICT_REVERSE: _conflict_reverse,
    Code.RUNTIME_TOO_OLD: _runtime_too_old,
    Code.RUNTIME_TOO_NEW: _runtime_too_new,
    Code.RUNTIME_UNDECLARED: _runtime_undeclared,
    Code.DATABASE_UNSUPPORTED: _database_unsupported,
    Code.API_BREAK: _contract_break,
    Code.SCHEMA_BREAK: _contract_break,
    Code.MIGRATION_IRREVERSIBLE: _migration_irreversible,
    Code.MIGRATION_GAP: _migration_gap,
    Code.MIGRATION_CHECKSUM_CHANGED: _migration_checksum,
    Code.DATA_FORMAT_BREAK: _data_format,
    Code.DOWNGRADE: _downgrade,
    Code.LIFECYCLE_DEPRECATED: _deprecated,
    Code.LIFECYCLE_SUNSET: _sunset,
    Code.SECURITY_BASELINE_LOW: _baseline,
    Code.SECURITY_ADVISORY: _advisory,
    Code.MATRIX_MISSING: _matrix_missing,
    Code.MATRIX_UNLISTED: _matrix_unlisted,
    Code.MATRIX_EXPIRED: _matrix_expired,
    Code.MATRIX_BLOCK: _matrix_row,
    Code.MATRIX_WARN: _matrix_row,
    Code.CONSTRAINT_INVALID: _constraint_invalid,
    Code.VERSION_UNREADABLE: _version_unreadable,
    Code.MANIFEST_INVALID: _manifest_invalid,
}
