"""The policy for exceptions: who approves what, how fast, how it is monitored, and what proves a decision.

Read once from config/exception_workflow.yaml. A policy that could never work (an unknown role, a quorum that nobody
can reach, steps that take longer than the whole) is refused at load, not discovered at night.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from ipaddress import ip_address
from itertools import chain, combinations
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from processors.documents import yaml_text
from processors.documents.complaints import refusal
from processors.documents.durations import Duration
from processors.documents.files import naming
from processors.errors import DocumentRefused, shorten
from processors.events.exceptions import ProofKind
from processors.events.vocabulary import NEVER_EXCEPTED, Band, Code

LONGEST_VALIDITY = 30 * 24 * 3_600_000
"""Milliseconds. No configuration can permit more."""

ALWAYS_NEVER = NEVER_EXCEPTED | {Code.UNKNOWN}


def instant(text: Any) -> int:
    """Milliseconds since the epoch of a time such as `2026-12-01T00:00:00Z`. Raises ValueError."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ValueError(f"`{shorten(str(text))}` is not a time such as 2026-12-01T00:00:00Z")
    return int(at.timestamp() * 1000)


def _strong(algorithms: tuple[str, ...]) -> tuple[str, ...]:
    if weak := set(algorithms) - {"ES256", "EdDSA", "Ed25519", "RS256", "PS256"}:
        raise ValueError(f"algorithm `{min(weak)}` proves nothing; ES256 or Ed25519 do")
    return algorithms


Instant = Annotated[int, BeforeValidator(instant)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Role(_Part):
    """A role at the identity provider. `members` is how many people hold it: quorums are checked against it."""

    members: int = Field(ge=0, le=100_000)
    notify: str = Field(min_length=1, description="recipient of notifications for the role")


class Threshold(_Part):
    """How many people have to agree, and in which role. One denial always ends a request."""

    approve: int = Field(ge=1, le=20)
    deny: Literal[1] = 1
    roles: tuple[str, ...] = Field(min_length=1)


class Step(_Part):
    name: Name
    threshold: str
    sla: Duration
    escalate_to: tuple[str, ...] = Field(min_length=1, description="recipients or roles told when the SLA is over")


class BandRule(_Part):
    """The rules for one risk band."""

    flow: str
    max_validity: Duration
    use: Literal["single", "window"] = Field(description="`window` lets the requester choose")
    monitoring: str
    proofs: tuple[ProofKind, ...] = (ProofKind.SERVICE_JWS, ProofKind.ID_TOKEN_NONCE)


class Profile(_Part):
    """How an installation under an exception is monitored."""

    description: str
    addons: tuple[str, ...] = Field(description="must all be attached")


class Clocks(_Part):
    total: Duration = Field(description="a request is decided within")
    reminders: tuple[Annotated[int, Field(gt=0, lt=100)], ...] = Field(description="percent of a step's SLA")
    overdue_to: tuple[str, ...] = Field(min_length=1, description="told when the total is over")
    request_life: Duration = Field(description="after this an undecided request lapses")
    heads_up: tuple[Duration, ...] = Field(description="before the end of validity")
    parking: Duration = Field(description="how long a decision waits for its request")
    digest: Duration = Field(description="how long notifications of one refresh are gathered")


class Mfa(_Part):
    methods: tuple[tuple[str, ...], ...] = Field(
        min_length=1, description="one of these sets, in whole, is in `amr`"
    )
    max_age: Duration = Field(description="since the person logged in")


class Proves(StrEnum):
    """What an issuer may prove."""

    DECISIONS = "decisions"
    COMMANDS = "commands"


class Issuer(_Part):
    """An issuer whose tokens identify people."""

    issuer: str = Field(min_length=1)
    kinds: tuple[ProofKind, ...] = Field(min_length=1)
    proves: tuple[Proves, ...] = Field(
        default=tuple(Proves), min_length=1, description="`commands` alone for a service that asks for people"
    )
    speaks_for: tuple[str, ...] = Field(
        default=(), description="identity providers whose people it may name in the claim `idp`"
    )
    audience: str
    jwks: str = Field(
        min_length=1, description="file, relative to the configuration, or URL; https unless on loopback"
    )
    algorithms: Annotated[tuple[str, ...], AfterValidator(_strong)] = ("ES256", "Ed25519", "EdDSA")
    development: bool = Field(default=False, description="keys of a laptop; refused beyond loopback")


class ProofRules(_Part):
    mfa: Mfa
    skew: Duration
    max_life: Duration = Field(description="from `iat` to `exp`")
    issuers: tuple[Issuer, ...]
    commands_signed_since: Instant = Field(
        default=0, description="commands that the broker took earlier count without a signature; default: none do"
    )


class Owner(_Part):
    """The owners of the plugins that match: they are notified of every execution, and never approve one."""

    plugin: str
    people: tuple[str, ...] = ()
    notify: str


class RiskStatement(_Part):
    min_length: int = Field(ge=1, le=1000)
    template: str


class ExceptionPolicy(_Part):
    """The whole of exception_workflow.yaml."""

    version: Literal[1]
    clocks: Clocks
    roles: Mapping[str, Role]
    thresholds: Mapping[str, Threshold]
    flows: Mapping[str, tuple[Step, ...]]
    bands: Mapping[Band, BandRule]
    monitoring: Mapping[str, Profile]
    never: tuple[Code, ...]
    proof: ProofRules
    revocation_roles: tuple[str, ...] = Field(min_length=1)
    security: str = Field(description="recipient of security events")
    owners: tuple[Owner, ...] = ()
    risk_statement: RiskStatement
    link: str = Field(description="where an exception is shown; `{exception_id}` is filled in")

    def band_rule(self, band: Band) -> BandRule:
        """The rule of a band. A block without a score counts as low, an unknown band as the highest."""
        known = {Band.NONE: Band.LOW, Band.UNKNOWN: Band.CRITICAL}.get(band, band)
        return self.bands[known]

    def flow(self, band: Band) -> tuple[Step, ...]:
        return self.flows[self.band_rule(band).flow]

    def step(self, band: Band, name: str) -> Step | None:
        return next((step for step in self.flow(band) if step.name == name), None)

    def max_validity(self, band: Band) -> int:
        return min(self.band_rule(band).max_validity, LONGEST_VALIDITY)

    def is_never(self, code: str) -> bool:
        return code in ALWAYS_NEVER or code in self.never

    def owners_of(self, plugin_id: str) -> tuple[Owner, ...]:
        return tuple(owner for owner in self.owners if fnmatchcase(plugin_id, owner.plugin))

    def recipient(self, role_or_name: str) -> str:
        """Where to notify a role. A name that is not a role is itself a recipient."""
        role = self.roles.get(role_or_name)
        return role_or_name if role is None else role.notify


def load(path: Path) -> ExceptionPolicy:
    """Read and check the policy. Raises DocumentRefused that names the file, the place and the way out."""
    with naming(path):
        return parse(path.read_bytes())


def parse(text: bytes | str) -> ExceptionPolicy:
    document = yaml_text.load(text)
    try:
        policy = ExceptionPolicy.model_validate(document.value)
    except ValidationError as error:
        raise refusal(error, ExceptionPolicy) from None
    for where, problem in chain(_bands(policy), _thresholds(policy), _flows(policy), _issuers(policy)):
        raise DocumentRefused(where, problem)
    return policy


Problem = tuple[str, str]


def _bands(policy: ExceptionPolicy) -> Iterable[Problem]:
    for band in (Band.LOW, Band.MEDIUM, Band.HIGH, Band.CRITICAL):
        rule = policy.bands.get(band)
        if rule is None:
            yield "bands", f"band `{band}` has no rule; every band needs one"
            continue
        if rule.flow not in policy.flows:
            yield f"bands.{band}.flow", f"there is no flow `{rule.flow}`"
        if rule.monitoring not in policy.monitoring:
            yield f"bands.{band}.monitoring", f"there is no monitoring profile `{rule.monitoring}`"
        if rule.max_validity > LONGEST_VALIDITY:
            yield f"bands.{band}.max_validity", "an exception lasts at most 30d"


def _flows(policy: ExceptionPolicy) -> Iterable[Problem]:
    for name, steps in policy.flows.items():
        where = f"flows.{name}"
        if not steps:
            yield where, "a flow needs at least one step; nothing approves itself"
        if len({step.name for step in steps}) < len(steps):
            yield where, "two steps have the same name"
        if sum(step.sla for step in steps) > policy.clocks.total:
            yield where, "the SLAs of the steps exceed the total SLA"
        missing = [step.threshold for step in steps if step.threshold not in policy.thresholds]
        if missing:
            yield where, f"there is no threshold `{missing[0]}`"
        else:
            yield from _reachable(policy, where, steps)


def _reachable(policy: ExceptionPolicy, where: str, steps: tuple[Step, ...]) -> Iterable[Problem]:
    """Nobody approves twice, so any set of steps needs as many people as the sum of their quorums (Hall's
    theorem)."""
    for size in range(1, len(steps) + 1):
        for some in combinations(steps, size):
            thresholds = [policy.thresholds[step.threshold] for step in some]
            roles = {role for threshold in thresholds for role in threshold.roles} & set(policy.roles)
            needed, there = sum(t.approve for t in thresholds), sum(policy.roles[r].members for r in roles)
            if needed > there:
                names = ", ".join(step.name for step in some)
                yield where, f"the quorum of {names} needs {needed} people, and their roles have {there}"
                return


def _thresholds(policy: ExceptionPolicy) -> Iterable[Problem]:
    used = [(f"thresholds.{name}", role) for name, t in policy.thresholds.items() for role in t.roles]
    for where, role in used + [("revocation_roles", role) for role in policy.revocation_roles]:
        if role not in policy.roles:
            yield where, f"there is no role `{shorten(role)}`"


def _issuers(policy: ExceptionPolicy) -> Iterable[Problem]:
    names = [issuer.issuer for issuer in policy.proof.issuers]
    for what in Proves:
        if not any(what in issuer.proves for issuer in policy.proof.issuers):
            yield "proof.issuers", f"nobody could prove {what}; name at least one issuer that does"
    if len(set(names)) < len(names):
        yield "proof.issuers", "one issuer is named twice"
    if policy.clocks.request_life < policy.clocks.total:
        yield "clocks.request_life", "a request would lapse before its SLA is over"
    for number, issuer in enumerate(policy.proof.issuers):
        if issuer.jwks.startswith("http://") and not _stays_here(issuer.jwks):
            yield f"proof.issuers[{number}].jwks", "keys that come in the clear prove nothing; use https or a file"


def _stays_here(url: str) -> bool:
    """Whether it is an address of this machine.

    Only numeric addresses count: a name could later resolve to another one.
    """
    try:
        return ip_address(urlsplit(url).hostname or "").is_loopback
    except ValueError:
        return False
