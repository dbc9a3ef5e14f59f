"""Are the APIs and schemas that plugins use still offered?

An id that begins with `schema:` is a schema; any other is an API.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from processors.checker.case import Case, readable
from processors.checker.fit import misfit
from processors.checker.offers import Offers, offers_by_id
from processors.checker.rules.invalid import unreadable
from processors.checker.statements import Statement
from processors.errors import Refused
from processors.events.report import Finding
from processors.events.subject import Provision, Requirement
from processors.events.vocabulary import Code, Dimension, Distance, Effect, Severity
from processors.versions import Dialect, Version, parse_range

_SHORT = re.compile(r"v?([0-9]{1,15})(?:\.([0-9]{1,15}))?", re.ASCII)


def contracts_are_offered(case: Case) -> Iterator[Finding]:
    """Each API and schema that the plugin uses is offered here.

    If nobody states what is offered, that is a warning.
    """
    if not case.manifest.consumes and not any(release.consumes for release in case.listed):
        return
    offered = _offered(case)
    for need, statement in case.consumes():
        if need.id in offered:
            yield from _fits(case, case.plugin, need, statement, offered[need.id], Effect.BLOCK)
        else:
            effect = Effect.BLOCK if offered else Effect.WARN
            severity = Severity.MISSING if offered else Severity.UNKNOWN
            yield _break(case.plugin, need, statement, None, severity, Distance.MISSING, effect)


def contracts_are_kept(case: Case) -> Iterator[Finding]:
    """What the replaced version or plugin offered is still offered to the plugins that use it.

    Blocks if they were served before; if nothing is taken away, it warns.
    """
    before = offers_by_id(case.offered_before(), _contract_version)
    if not before:
        return
    after = _offered(case)
    for plugin in case.others.values():
        for need in case.consumed_by(plugin) if plugin.enabled else ():
            if need.id not in before:
                continue
            statement = Statement(need.range, "installed", plugin.id)
            effect = Effect.BLOCK if _serves(before[need.id], need) else Effect.WARN
            if need.id in after:
                yield from _fits(case, plugin.id, need, statement, after[need.id], effect)
            else:
                yield _break(plugin.id, need, statement, None, Severity.MISSING, Distance.MISSING, effect)


@lru_cache(4_096)
def _contract_version(text: str) -> Version | None:
    """The version of an API or schema, read in npm's dialect; `1.4` and `2` are 1.4.0 and 2.0.0."""
    short = _SHORT.fullmatch(text)
    return readable(f"{short[1]}.{short[2] or 0}.0" if short else text, Dialect.NPM)


def _offered(case: Case) -> Mapping[str, Offers]:
    """Every version on offer, by id: from the host, the plugin itself, and the other enabled plugins."""
    own = [Provision(id, version) for id, version in case.provides().items()]
    return offers_by_id((*case.subject.host.provides, *own, *case.offered_by_others()), _contract_version)


def _serves(offers: Offers, need: Requirement) -> bool:
    """Whether any of the versions is admitted. A version that cannot be read may have been."""
    if not need.range.strip():
        return True
    try:
        return offers.may_fit(parse_range(need.range, Dialect.NPM))
    except Refused:
        return True


def _fits(
    case: Case, subject: str, need: Requirement, statement: Statement, offers: Offers, effect: Effect
) -> Iterator[Finding]:
    try:
        range = parse_range(need.range, Dialect.NPM)
    except Refused as error:
        yield unreadable(case, Dimension.API_SCHEMA, need.id, statement, error, subject, Dialect.NPM)
        return
    if not need.range.strip():
        return
    best = offers.best(range)
    if best.version is None or range.is_empty():
        unread = None if best.version else best.text
        yield unreadable(case, Dimension.API_SCHEMA, need.id, statement, None, subject, Dialect.NPM, unread)
    elif (miss := misfit(range, best.version)) is not None:
        yield _break(subject, need, statement, best.text, miss.severity, miss.distance, effect)


def _break(
    subject: str,
    need: Requirement,
    statement: Statement,
    found: str | None,
    severity: Severity,
    distance: Distance,
    effect: Effect,
) -> Finding:
    return Finding(
        code=Code.SCHEMA_BREAK if need.id.startswith("schema:") else Code.API_BREAK,
        dimension=Dimension.API_SCHEMA,
        effect=Effect.WARN if need.optional else effect,
        severity=severity,
        subject=subject,
        object=need.id,
        required=statement.demand(Dialect.NPM),
        found=found,
        distance=distance,
        optional=need.optional,
    )
