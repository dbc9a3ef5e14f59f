"""Sentences about what a plugin runs on and works with: runtimes, databases, contracts, and existing data."""

from __future__ import annotations

from processors.checker.sentences.fact import Fact, Words
from processors.errors import shorten
from processors.events.vocabulary import DemandKind, Ground, Severity


def runtime_too_old(f: Fact) -> Words:
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


def runtime_too_new(f: Fact) -> Words:
    return (
        f"{f.subject} needs {f.wants}, and this host already has {f.found}",
        f"Install a newer version of {f.plugin}, or provide an older {f.object} beside it: {f.needed}.",
    )


def runtime_undeclared(f: Fact) -> Words:
    if f.object == "runtime":
        return (
            f"{f.subject} does not say which runtime it needs, so nobody can tell whether this host has it",
            'Ask its vendor to state it, such as `runtime: {go: ">=1.21"}`.',
        )
    return (
        f"{f.subject} needs {f.wants}, and the request does not say which {f.object} this host has",
        f"State it with the request, such as `--runtime {f.object}@VERSION`.",
    )


def database_unsupported(f: Fact) -> Words:
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


def contract_break(f: Fact) -> Words:
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


def migration_irreversible(f: Fact) -> Words:
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


def migration_gap(f: Fact) -> Words:
    if f.ground is Ground.SKIPPED:
        what = f"migration `{f.object}` of {f.demand} to have run, and the upgrade from {f.found} skips it"
    else:
        what = f"data at version {f.demand} for migration `{f.object}`, and the data here is at version {f.found}"
    return f"{f.asked} needs {what}", "Upgrade in steps, through the releases in between."


def migration_checksum(f: Fact) -> Words:
    before, after = (shorten(text, 24) for text in (f.demand, f.found))
    return (
        f"Migration `{f.object}` of {f.asked} has checksum {after}, and it ran here with {before}",
        "Ask its vendor for a release that leaves it as it was and adds another migration.",
    )


def data_format(f: Fact) -> Words:
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
