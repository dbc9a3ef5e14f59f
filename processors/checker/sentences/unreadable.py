"""Sentences about what cannot be judged, because it is unreadable or contradicts itself."""

from __future__ import annotations

from processors.checker.sentences.fact import Fact, Words
from processors.events.report import ALTERNATIVES
from processors.events.vocabulary import DemandKind, Ground
from processors.versions import EXAMPLES, Dialect, hint


def constraint_invalid(f: Fact) -> Words:
    demand = f.finding.required
    if demand.stated_by == "matrix":
        return (
            f"A row about {f.plugin} on {f.object} cannot be read, so it may as well block: {f.found}",
            f"Correct matrix[{demand.row}] of {demand.source}; `compat-guard matrix lint` shows what is wrong.",
        )
    if demand.stated_by == "guard" and f.object == "request":
        return (
            f"What the request says of {f.owner} cannot be judged: {_contradiction(f)}",
            "Ask about less at once." if f.kind is DemandKind.UNKNOWN else "Correct the request and send it again.",
        )
    owner = f.asked if f.is_ours else f.owner
    example = EXAMPLES.get(demand.dialect)
    such_as = f", such as `{example}`" if example else ""
    way_out = f"Have it written in dialect {demand.dialect}{such_as}; `compat-guard satisfies` shows what is read."
    return f"What {owner} demands of {f.object}, `{f.demand}`, cannot be judged: {_illegible(f)}", way_out


def _contradiction(f: Fact) -> str:
    """How a request contradicts itself, or what it says that makes no sense."""
    match f.kind:
        case DemandKind.ONE_DESCRIPTION:
            versions = f.found.split(ALTERNATIVES)
            told = " and ".join(versions) if len(versions) > 1 else f"{f.found}, described in two ways"
            return f"it needs one description of each installed plugin, and says {told}"
        case DemandKind.INSTALLED_VERSION:
            return f"it needs version {f.demand}, which is installed, as the one to replace, and says {f.found}"
        case _:
            return f.found


def _illegible(f: Fact) -> str:
    match f.ground:
        case Ground.EMPTY_RANGE:
            return "no version can satisfy it"
        case _:
            why = hint(f.demand, Dialect(f.finding.required.dialect)) if f.finding.required.dialect else ""
            told = f"`{f.found}` cannot be read" if f.finding.found else "it ends too early"
            return "; ".join(filter(None, (told, why)))


def version_unreadable(f: Fact) -> Words:
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


def manifest_invalid(f: Fact) -> Words:
    whose = f.asked if f.plugin else "a plugin without an id"
    return (
        f"The manifest of {whose} cannot be relied on: at `{f.object}`, {f.found}",
        "Check it with `compat-guard manifest lint`, and have its vendor correct it.",
    )


def unknown(f: Fact) -> Words:
    return f"{f.asked} does not fit {f.object}: {f.found}", "Upgrade this reader: it is older than the guard."


def guard_off(f: Fact) -> Words:
    return f"Nothing was checked for {f.asked}: the guard is switched off", f"Switch {f.object} on, and ask again."
