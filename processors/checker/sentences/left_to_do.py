"""What was searched in vain, and who could do something about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from processors.checker.sentences.dead_ends import OF_A_RELEASE, OF_AN_OLD_HOST, OF_THE_HOST, chains, tried
from processors.checker.sentences.fact import Asked
from processors.checker.sentences.lists import joined
from processors.events.report import Inference
from processors.events.vocabulary import Code

NONE_FOUND = "no listed release helps"


def left_to_do(links: Sequence[Inference], asked: Asked) -> str:
    """Why nothing was found, whom to ask, and for what; without a full stop."""
    found = chains(links)
    kept = list(dict.fromkeys(id for chain in found for id in _kept(chain, asked)))
    asks = list(dict.fromkeys(ask for chain in found for ask in _asks(chain)))[:_MOST_ASKS]
    whom = asks or [f"ask the vendor of {asked.plugin} for a release that fits"]
    return f"{_searched(kept)}; {', '.join(whom)}, or ask for an exception"


_MOST_ASKS = 3


def unlisted(names: Sequence[str]) -> str:
    """As `left_to_do`, where no source lists any release of these plugins. At least one."""
    named = [*names[:_MOST_ASKS], f"{len(names) - _MOST_ASKS} more"] if len(names) > _MOST_ASKS else names
    any_of = joined(named, "or")
    ask = "have its vendor list it" if len(names) == 1 else "have their vendors list them"
    return f"{NONE_FOUND}, and no source lists {any_of}; {ask}, or ask for an exception"


def _searched(kept: Sequence[str]) -> str:
    if not kept:
        return NONE_FOUND
    them = "it" if len(kept) == 1 else "them"
    goes = "goes" if len(kept) == 1 else "go"
    return f"{NONE_FOUND} while {joined(kept)} {goes} on working (removing or disabling {them} was not tried)"


def _kept(chain: Sequence[Inference], asked: Asked) -> Iterable[str]:
    """An installed plugin that is in the way and is not needed: removing it is a decision that no search takes."""
    last = chain[-1].finding
    root = last.path[0] if last.path else last.subject
    if last.code not in OF_A_RELEASE | {Code.DEPENDENT_BROKEN}:
        return
    if root not in {asked.plugin, *asked.together, *tried(chain)}:
        yield root


def _asks(chain: Sequence[Inference]) -> Iterable[str]:
    """Whom to ask for what, from the last link of a chain."""
    last, demand = chain[-1].finding, chain[-1].finding.required.constraint
    vendor = f"ask the vendor of {last.subject} for a release that"
    chosen = [link.chosen.to for link in chain if link.chosen and link.chosen.target == last.object]
    if last.code in OF_THE_HOST:
        if last.code in OF_AN_OLD_HOST:
            yield f"have a newer release of {last.object} in {demand} listed"
        yield f"{vendor} runs on {last.object} {last.found or 'here'}"
    elif last.code in OF_A_RELEASE and not chosen:
        within = f" in {demand}" if demand.strip() else ""
        yield f"ask the vendor of {last.object} for a release{within}, and have it listed"
    elif last.code in OF_A_RELEASE:
        yield f"{vendor} works {f'with {last.object} {chosen[-1]}' if chosen[-1] else f'without {last.object}'}"
    elif last.code is Code.DEPENDENT_BROKEN:
        yield f"{vendor} works {f'with {last.object} {last.found}' if last.found else f'without {last.object}'}"
    elif last.code in (Code.PLUGIN_CONFLICT, Code.CONFLICT_REVERSE):
        yield f"{vendor} runs beside {last.object} {last.found or ''}".rstrip()
    else:
        yield f"{vendor} fits"
