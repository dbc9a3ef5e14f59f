"""Plans for a whole installation, without any request: to move it to another host version, or to repair it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from processors.checker import words
from processors.checker.case import Case, read_case
from processors.checker.plans.installation_search import HeldBack, InstallationSearch
from processors.checker.rules.invalid import host_version_is_valid, the_request_agrees_with_itself
from processors.checker.rules.matrix import host_is_known, matrix_is_fresh, matrix_is_loaded
from processors.events.report import Finding, Remediation, SourceStanding
from processors.events.subject import Host, InstalledPlugin, Manifest, Provision, Subject
from processors.matrix.merged import Matrix
from processors.policies import NO_POLICIES, Policies


class Outlook(StrEnum):
    """The answer in one word. Only the first two mean that every plugin can fit."""

    FITS = "FITS"
    PLAN = "PLAN"
    HELD_BACK = "HELD_BACK"
    STOPPED = "STOPPED"
    UNJUDGED = "UNJUDGED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What is installed on a host. `present` is the host as it runs now, `wanted` is the target.

    Without `wanted`, the installation is to be repaired where it is, on a newer host only if nothing else helps.
    Without `present`, it is unknown which changes can be made before the host is upgraded. At least one of the two
    is stated, and both have the same name.
    """

    present: Host | None
    wanted: Host | None
    plugins: tuple[InstalledPlugin, ...]
    runtimes: tuple[Provision, ...] = ()
    database: Provision | None = None

    @property
    def target(self) -> Host:
        """Raises ValueError if neither host is stated."""
        if (host := self.wanted or self.present) is None:
            raise ValueError("an installation without a host")
        return host

    @property
    def moves(self) -> bool:
        """Whether the host is to be upgraded."""
        return self.wanted is not None and self.wanted != self.present


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationPlan:
    """The answer. `plans` are at most five, the cheapest first; after each of them every enabled plugin fits.

    `held_back` are the plugins that rule out every plan, and `closest` is the plan for all others. `unstated` are
    the plugins for which nobody states which versions of the host they run on. `unjudged` is what has to be
    corrected before anything can be judged. `is_cheapest` says that no plan is cheaper than the first.
    """

    outlook: Outlook
    installation: Installation
    plans: tuple[Remediation, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    closest: Remediation | None = None
    unstated: tuple[str, ...] = ()
    unjudged: tuple[Finding, ...] = ()
    is_cheapest: bool = True
    sources: tuple[SourceStanding, ...] = ()


def plan_for(
    installation: Installation, matrix: Matrix, now: int, policies: Policies = NO_POLICIES
) -> InstallationPlan:
    """The plans after which every enabled plugin fits the host, or which plugins hold the installation back, and
    why.

    Pure, and the same for the same arguments on any machine. `now` is milliseconds since the epoch, UTC.
    """
    end = _case(installation, installation.target, matrix, policies, now)
    start = _case(installation, installation.present, matrix, policies, now) if installation.present else None
    expired = matrix.expired(now)
    answer = InstallationPlan(
        outlook=Outlook.UNJUDGED,
        installation=replace(installation, plugins=end.subject.installed),
        sources=tuple(SourceStanding(s.name, s.revision, s.digest, s in expired) for s in matrix.sources),
    )
    unjudged = {finding.id: finding for case in (start, end) if case for finding in _unjudged(case)}
    if unjudged:
        return replace(answer, unjudged=tuple(unjudged.values()))
    found = InstallationSearch(start, end, moves=installation.moves).found()
    answer = replace(
        answer, held_back=found.held_back, unstated=found.unstated, is_cheapest=found.is_cheapest, plans=found.plans
    )
    if found.stopped:
        return replace(answer, outlook=Outlook.STOPPED, plans=())
    if found.held_back:
        return replace(answer, outlook=Outlook.HELD_BACK, plans=(), closest=next(iter(found.plans), None))
    return replace(answer, outlook=Outlook.PLAN if found.plans else Outlook.FITS)


def _case(installation: Installation, host: Host, matrix: Matrix, policies: Policies, now: int) -> Case:
    """The installation on a host, with a question that requests nothing."""
    subject = Subject(
        manifest=Manifest(id="", version=""),
        host=host,
        installed=installation.plugins,
        runtimes=installation.runtimes,
        database=installation.database,
    )
    return read_case(subject, matrix, policies, now)


def _unjudged(case: Case) -> Iterator[Finding]:
    """Errors in the matrix, the host or the list of plugins, because of which nothing can be judged."""
    rules = matrix_is_loaded, matrix_is_fresh, host_is_known, host_version_is_valid, the_request_agrees_with_itself
    host = case.subject.host
    asked = words.Asked(host.name, host.version, host.name)
    for finding in (finding for rule in rules for finding in rule(case)):
        if finding.blocks:
            yield replace(finding, sentence=words.sentence(finding, asked))
