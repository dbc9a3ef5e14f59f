"""Does security accept what is inside the plugin?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from processors.checker.case import Case, readable
from processors.checker.statements import Statement
from processors.errors import Refused
from processors.events.report import Demand, Finding
from processors.events.vocabulary import Code, Dimension, Distance, Effect, Severity
from processors.policies import Advisory, Policy
from processors.versions import Dialect, parse_range

_ADVISORY = {
    "critical": (Effect.BLOCK, Severity.MAJOR),
    "high": (Effect.BLOCK, Severity.MINOR),
    "medium": (Effect.WARN, Severity.PRERELEASE),
    "low": (Effect.WARN, Severity.PATCH),
}
_UNRATED = (Effect.BLOCK, Severity.UNKNOWN)


def baseline_is_met(case: Case) -> Iterator[Finding]:
    """The host, its declaration in the matrix and a policy may each demand a lowest security baseline."""
    for statement in _baselines(case):
        has = case.security_baseline()
        if not has:
            yield _baseline(case, statement, Effect.WARN, Severity.UNKNOWN, None)
        elif _below(has, statement.text):
            yield _baseline(case, statement, Effect.BLOCK, Severity.MAJOR, has)


def no_advisory_applies(case: Case) -> Iterator[Finding]:
    """No known weakness affects the plugin or a component inside it. An advisory that cannot be read applies."""
    components = [(case.plugin, case.manifest.version), *((c.id, c.version) for c in case.manifest.components)]
    for component, version in components:
        policy = case.policies.about(component)
        for advisory in policy.advisories if policy else ():
            withdrawn = advisory.withdrawn_at is not None and advisory.withdrawn_at <= case.now
            if policy and not withdrawn and affects(advisory, version, policy.dialect):
                yield _advisory(case, policy, advisory, component, version)


def affects(advisory: Advisory, version: str, dialect: str) -> bool:
    """Whether the advisory is about this version. True where the version or a range cannot be read: fail closed."""
    try:
        known = Dialect(dialect)
    except ValueError:
        return True
    parsed = readable(version, known)
    if parsed is None:
        return True
    for text in advisory.affected:
        try:
            if parse_range(text, known).admits(parsed):
                return True
        except Refused:
            return True
    return False


def _baselines(case: Case) -> Iterator[Statement]:
    host, declared = case.subject.host, case.matrix.host(case.subject.host.name)
    if host.security_baseline:
        yield Statement(host.security_baseline, "host", host.name)
    if declared and declared.security_baseline:
        yield Statement(declared.security_baseline, "matrix", host.name)
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
        required=statement.demand(""),
        found=has,
        distance=Distance.MISSING if has is None else Distance.NONE,
    )


def _advisory(case: Case, policy: Policy, advisory: Advisory, component: str, version: str) -> Finding:
    effect, severity = _ADVISORY.get(advisory.severity.lower(), _UNRATED)
    fixed = f"{component} {' or '.join(advisory.fixed)}" if advisory.fixed else f"{component} without {advisory.id}"
    return Finding(
        code=Code.SECURITY_ADVISORY,
        dimension=Dimension.SECURITY,
        effect=effect,
        severity=severity,
        subject=case.plugin,
        object=advisory.id,
        required=Demand(constraint=fixed, stated_by="policy", source=policy.policy_id),
        found=f"{component} {version}",
        distance=Distance.NONE,
        help=advisory.url,
    )
