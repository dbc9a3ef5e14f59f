"""Does security accept the plugin and its components?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import zip_longest

from processors.checker.case import Case, readable
from processors.checker.statements import Statement
from processors.errors import Refused
from processors.events.report import ALTERNATIVES, Demand, Finding
from processors.events.vocabulary import Code, DemandKind, Dimension, Distance, Effect, Ground, Severity
from processors.policies import Advisory, SecurityPolicy
from processors.versions import Dialect, parse_range

_ADVISORY = {
    "critical": (Effect.BLOCK, Severity.MAJOR),
    "high": (Effect.BLOCK, Severity.MINOR),
    "medium": (Effect.WARN, Severity.PRERELEASE),
    "low": (Effect.WARN, Severity.PATCH),
}
_UNRATED = (Effect.BLOCK, Severity.UNKNOWN)


def baseline_is_met(case: Case) -> Iterator[Finding]:
    """The host, each source that declares it and a policy may demand a lowest security baseline; each binds."""
    for statement in _baselines(case):
        has = case.security_baseline()
        if not has:
            yield _baseline(case, statement, Effect.WARN, Severity.UNKNOWN, None)
        elif _below(has, statement.text):
            yield _baseline(case, statement, Effect.BLOCK, Severity.MAJOR, has)


def no_advisory_applies(case: Case) -> Iterator[Finding]:
    """No known vulnerability affects the plugin or one of its components. An advisory that cannot be read applies.

    If a component is included in several versions, an advisory names the first that it affects.
    """
    for component, versions in _inside(case).items() if case.policies.by_component else ():
        policy = case.policies.about(component)
        if policy is None:
            continue
        for advisory in policy.in_force(case.now):
            version = next((v for v in versions if affects(advisory, v, policy.dialect)), None)
            if version is not None:
                yield _advisory(case, policy, advisory, component, version)


def _inside(case: Case) -> Mapping[str, Collection[str]]:
    """The plugin itself and its components, each with its versions in the order of the manifest."""
    inside = {case.plugin: {case.manifest.version: None}}
    for component in case.manifest.components:
        inside.setdefault(component.id, {})[component.version] = None
    return inside


def affects(advisory: Advisory, version: str, dialect: str) -> bool:
    """Whether the advisory is about this version, by its place in the order: pre-releases are affected too.

    True if the version or a range cannot be read: fail closed.
    """
    try:
        known = Dialect(dialect)
    except ValueError:
        return True
    parsed = readable(version, known)
    if parsed is None:
        return True
    for text in advisory.affected:
        try:
            range = parse_range(text, known)
        except Refused:
            return True
        if range.admits(parsed) or range.excludes_only_as_prerelease(parsed):
            return True
    return False


def _baselines(case: Case) -> Iterator[Statement]:
    host = case.subject.host
    if host.security_baseline:
        yield Statement(host.security_baseline, "host", host.name)
    for source, baseline in case.matrix.baselines(host.name):
        yield Statement(baseline, "matrix", source.name, source.revision)
    policy = case.policies.about(case.plugin)
    if policy and policy.required_baseline:
        yield Statement(policy.required_baseline, "policy", policy.policy_id)


def _below(has: str, wants: str) -> bool:
    """Baselines are dotted numbers or ISO dates; what cannot be compared counts as below."""
    try:
        ours, theirs = ([int(p) for p in text.replace("-", ".").split(".")] for text in (has, wants))
    except ValueError:
        return has != wants
    return any(a != b for a, b in zip_longest(ours, theirs, fillvalue=0)) and ours < theirs


def _baseline(case: Case, statement: Statement, effect: Effect, severity: Severity, has: str | None) -> Finding:
    return Finding(
        code=Code.SECURITY_BASELINE_LOW,
        dimension=Dimension.SECURITY,
        effect=effect,
        severity=severity,
        subject=case.plugin,
        object="security baseline",
        required=statement.demand("", DemandKind.BASELINE),
        found=has,
        distance=Distance.MISSING if has is None else Distance.NONE,
    )


def _advisory(case: Case, policy: SecurityPolicy, advisory: Advisory, component: str, version: str) -> Finding:
    effect, severity = _ADVISORY.get(advisory.severity.lower(), _UNRATED)
    kind = DemandKind.FIXED_IN if advisory.fixed else DemandKind.WITHOUT
    fixed = f"{component} {ALTERNATIVES.join(advisory.fixed)}".strip()
    return Finding(
        code=Code.SECURITY_ADVISORY,
        dimension=Dimension.SECURITY,
        effect=effect,
        severity=severity,
        subject=case.plugin,
        object=advisory.id,
        required=Demand(constraint=fixed, kind=kind, stated_by="policy", source=policy.policy_id),
        found=f"{component} {version}",
        ground=Ground.UNLISTED if _is_unlisted(case, advisory, component) else Ground.UNKNOWN,
        distance=Distance.NONE,
        help=advisory.url,
    )


def _is_unlisted(case: Case, advisory: Advisory, component: str) -> bool:
    """Whether the plugin is fixed in releases that no source lists. For components, no source states that."""
    known = {release.version for release in case.matrix.releases(component)}
    return component == case.plugin and bool(advisory.fixed) and not known & {*advisory.fixed}
