"""Sentences about a release: its age, its security, and what the matrix says."""

from __future__ import annotations

from processors.checker.sentences.fact import Fact, Words
from processors.events.vocabulary import Code, DemandKind, Ground
from processors.policies.document import EXPIRED, UNUSABLE


def downgrade(f: Fact) -> Words:
    return (
        f"{f.asked} is older than the version that it would replace, {f.demand}",
        "Continue only if you intend a downgrade, and take a backup first.",
    )


def deprecated(f: Fact) -> Words:
    ending = f"deprecated, and its support ends on {f.found}" if f.ground is Ground.ENDS else f.found
    return f"{f.asked} is {ending}", _successor(f, "Plan to move to", "Ask its vendor what replaces it.")


def sunset(f: Fact) -> Words:
    over = f": its support ended on {f.found}" if f.ground is Ground.ENDED else f": it is {f.found}"
    return f"{f.asked} is no longer supported{over}", _successor(f, "Install", "Install a supported release.")


def _successor(f: Fact, verb: str, otherwise: str) -> str:
    if f.object == f.plugin:
        return f"{verb} a newer release of {f.plugin}."
    return otherwise if f.object == "release" else f"{verb} {f.object} instead."


def baseline(f: Fact) -> Words:
    has = f"was built to {f.found}" if f.finding.found else "does not say which it was built to"
    return (
        f"Security baseline {f.demand} is demanded here, and {f.asked} {has}",
        f"Install a version of {f.plugin} that was built to {f.demand} or later.",
    )


_UNJUDGED = {
    EXPIRED: "what security said of it held until a time that has passed",
    UNUSABLE: "what security last said of it is not to be had",
}
"""Advisories that stand for a policy that is not available any more."""


def advisory(f: Fact) -> Words:
    if f.object in _UNJUDGED:
        inside = "" if f.found == f.asked else f", which contains {f.found},"
        why = f"{f.asked}{inside} cannot be judged: {_UNJUDGED[f.object]}"
        return why, "Let security publish its policy again."
    affected = f"contains {f.found}, which {f.object} affects"
    what = f"{f.asked} {f'is affected by {f.object}' if f.found == f.asked else affected}"
    if f.kind is DemandKind.WITHOUT:
        return what, "No version that fixes it is known: do without it, or ask for an exception with safeguards."
    if f.ground is Ground.UNLISTED:
        return what, f"It is fixed in {f.demand}, which no matrix source lists: have its vendor list it."
    inside = "" if f.found == f.asked else f"a version of {f.plugin} with "
    return what, f"Install {inside}{f.demand}."


def matrix_missing(f: Fact) -> Words:
    if f.object != "matrix":
        return (
            f"{f.asked} cannot be judged without the matrix source {f.object}, which is required and not there",
            f"Let its owner publish it again: `compat-guard matrix publish FILE`, signed as {f.object}.",
        )
    return (
        f"{f.asked} cannot be judged without a compatibility matrix, and none is loaded",
        "Publish one: `compat-guard matrix publish FILE`.",
    )


def matrix_unlisted(f: Fact) -> Words:
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


def matrix_expired(f: Fact) -> Words:
    return (
        f"Matrix source {f.object} is out of date: the time of its revision {f.found} is over",
        f"Refresh {f.object}: `compat-guard matrix publish FILE`.",
    )


def matrix_row(f: Fact) -> Words:
    why = f": {f.found.rstrip('.')}" if f.finding.found else ", and the row gives no reason"
    verb = "is blocked on" if f.finding.code is Code.MATRIX_BLOCK else "has a warning on"
    return f"{f.asked} {verb} {f.object}{why}", f"Install a version of {f.plugin} that the row does not cover."
