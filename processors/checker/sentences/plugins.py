"""Sentences about what plugins state of the host and of each other."""

from __future__ import annotations

from processors.checker.sentences.fact import Fact, Words
from processors.events.vocabulary import Ground


def host_too_old(f: Fact) -> Words:
    return (
        f"{f.subject} needs {f.wants}, and this host runs {f.found}",
        f"Upgrade {f.object} to {f.a_version}, or install a version of {f.plugin} that runs on {f.found}.",
    )


def host_too_new(f: Fact) -> Words:
    return (
        f"{f.subject} needs {f.wants}, and this host already runs {f.found}",
        f"Install a newer version of {f.plugin} that knows {f.object} {f.found}.",
    )


def host_prerelease(f: Fact) -> Words:
    return (
        f"{f.subject} needs {f.wants}, and this host runs {f.found}, a pre-release, which the range leaves out",
        f"Upgrade {f.object} to a release: {f.needed}.",
    )


def host_undeclared(f: Fact) -> Words:
    if f.finding.found:
        return (
            f"The manifest of {f.subject} is for {f.found} and says nothing of {f.object}, nor does any source",
            f"Name the host that it is for, or have governance list this release for {f.object}.",
        )
    return (
        f"{f.subject} does not say which versions of {f.object} it runs on, and no matrix source knows",
        "Ask its vendor to state the host range in the manifest, or have governance list this release.",
    )


def dependency_missing(f: Fact) -> Words:
    version = f", {f.needed}," if f.demand else ""
    advice = f"Install {f.object}{version} first."
    if f.ground is Ground.UNLISTED:
        return f"{f.subject} needs {f.wants}, which is not installed and which no matrix source lists", advice
    return f"{f.subject} needs {f.wants}, which is not installed", advice


def dependency_too_old(f: Fact) -> Words:
    if f.only_prerelease:
        return (
            f"{f.subject} needs {f.wants}, and {f.found} is installed, a pre-release, which the range leaves out",
            f"Install a release of {f.object}: {f.needed}.",
        )
    return (
        f"{f.subject} needs {f.wants}, and {f.found} is installed",
        f"Upgrade {f.object} to {f.a_version}.",
    )


def dependency_too_new(f: Fact) -> Words:
    return (
        f"{f.subject} needs {f.wants}, and the newer {f.found} is installed",
        f"Install a version of {f.plugin} that works with {f.object} {f.found}.",
    )


def dependency_disabled(f: Fact) -> Words:
    return f"{f.subject} needs {f.wants}, and {f.found} is installed, but disabled", f"Enable {f.object}."


def dependency_cycle(f: Fact) -> Words:
    if f.object == f.plugin:
        return f"{f.subject} needs itself, so it can never start", "Ask its vendor to take that requirement out."
    way = f.object if f.found == f.object else f"{f.object}, which in the end needs {f.found}"
    return (
        f"{f.subject} needs {way}, and that needs {f.plugin} again: neither can start first",
        "Only their vendors can break the cycle.",
    )


def dependent_broken(f: Fact) -> Words:
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


def plugin_conflict(f: Fact) -> Words:
    though = ", though disabled" if f.disabled else ""
    return (
        f"{f.subject} cannot run beside {f.wants}, and {f.found} is installed{though}",
        f"Remove {f.object} first, or do without {f.plugin}.",
    )


def conflict_reverse(f: Fact) -> Words:
    meant = f", so not beside {f.asked}" if f.demand else ""
    return (
        f"{f.subject} cannot run beside {f.wants}{meant}",
        f"Remove {f.owner} first, or do without {f.plugin}.",
    )
