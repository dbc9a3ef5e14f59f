"""What the workflow knows of one exception: a frozen value, and its form in the changelog.

Nested values are named tuples, which JSON writes as lists. A new field goes to the end, with a default.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple, cast

from processors.errors import EventUnreadable, shorten
from processors.events.exceptions import NO_SCOPE, NOBODY, Category, Person, ProofKind, Scope, Status
from processors.events.outcomes import InstallOutcome
from processors.events.vocabulary import Band
from processors.exception_workflow.state.typed import Misshapen, fields_of, reader_of

LAYOUT = 1
"""Version of the layout; it increases only if an older process could not read the new one."""


class Approval(NamedTuple):
    """A person's proved consent to a step."""

    step: str
    person: Person
    at: int


class Execution(NamedTuple):
    """An installation that was permitted. `ended` is empty until the rollout reports the outcome."""

    request_id: str
    question: str
    """Digest of what was permitted, so that the same request with different content does not count as a
    repetition."""
    operator: str
    target: str
    at: int
    ended: str = ""
    monitored: bool = False
    round: int = 0
    profile: str = ""
    """The monitoring that was approved in that round."""

    @property
    def runs(self) -> bool:
        """Whether the installation may be running, as far as the rollout has reported."""
        return self.ended in ("", InstallOutcome.SUCCEEDED)


class Parked(NamedTuple):
    """A verified decision that came before its request.

    It is judged again, at its own broker time, once that is here.
    """

    kind: ProofKind
    proof: str
    decision: str | None
    at: int
    cause: str
    jti: str = ""


class PastRound(NamedTuple):
    """What is kept of a round that is over."""

    round: int
    status: Status
    approval_id: str | None
    ended_at: int


class Asked(NamedTuple):
    """What a round was about, for comparison with the next one."""

    round: int
    requester: Person
    finding_ids: tuple[str, ...]
    codes: tuple[str, ...]
    band: Band
    score: int
    risk_statement: str
    controls: tuple[str, ...]
    single_use: bool
    report_digest: str


class Spent(NamedTuple):
    """A used token, kept until it would be refused as expired."""

    jti: str
    until: int


class ExceptionCase(NamedTuple):
    """One exception. Times are milliseconds since the epoch, UTC, by the broker's clock.

    `opened_at` is when the current review began: a request, an amendment or an extension. `requested_at` does not
    change with an amendment, so that nobody keeps a request alive by amending it. `granted_at` is the round's first
    approval, from which the longest validity counts, `approved_at` the last. `fired` names the timers that have
    fired. `mark` is the state of the matrix under which the case was last judged. `executions` are those of this
    round, and those of earlier rounds that may still run. `subject` is the question, kept as long as it may be
    asked again. `basis_digest` is what the report says that it was judged by, `checked_as` the request id under
    which the guard itself gave that report, `latest_report` the digest of its answer to the last re-check, `before`
    what the previous round requested.
    """

    exception_id: str
    round: int = 0
    sequence: int = 0
    status: Status = Status.UNKNOWN
    changed_at: int = 0
    scope: Scope = NO_SCOPE
    requester: Person = NOBODY
    request_id: str = ""
    report_digest: str = ""
    superseded: tuple[str, ...] = ()
    input_digest: str = ""
    band: Band = Band.UNKNOWN
    score: int = 0
    summary: str = ""
    finding_ids: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    risk_statement: str = ""
    category: Category = Category.UNKNOWN
    controls: tuple[str, ...] = ()
    asked_until: int | None = None
    single_use: bool = True
    requested_at: int = 0
    opened_at: int = 0
    step_since: int = 0
    approvals: tuple[Approval, ...] = ()
    fired: tuple[str, ...] = ()
    approval_id: str | None = None
    granted_at: int | None = None
    approved_at: int | None = None
    valid_until: int | None = None
    profile: str = ""
    extended: bool = False
    uses: int = 0
    executions: tuple[Execution, ...] = ()
    spent: tuple[Spent, ...] = ()
    commands: tuple[str, ...] = ()
    parked: tuple[Parked, ...] = ()
    past: tuple[PastRound, ...] = ()
    mark: str = ""
    rechecks: int = 0
    outcomes: tuple[str, ...] = ()
    subject: bytes = b""
    basis_digest: str = ""
    checked_as: str = ""
    latest_report: str = ""
    before: Asked | None = None

    @property
    def asked(self) -> Asked:
        """What this round is about."""
        return Asked._make(getattr(self, name) for name in Asked._fields)

    @property
    def key(self) -> str:
        return self.exception_id

    @property
    def reports(self) -> tuple[str, ...]:
        """Digests of the reports that it is, or was, based on."""
        return (self.report_digest, *self.superseded)

    @property
    def exists(self) -> bool:
        """False while there are only decisions that wait for their request."""
        return self.round > 0


class PendingDigest(NamedTuple):
    """Notifications of one kind for one recipient that wait to be sent as one message."""

    partition: int
    recipient: str
    kind: str
    urgency: str
    since: int
    gathered: int
    lines: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"{DIGESTS}{self.partition}/{self.kind}/{self.recipient}"


DIGESTS = "digest/"
"""The prefix of the keys of digests; the keys of exceptions are UUIDs."""

Held = ExceptionCase | PendingDigest
"""The values of the state."""


def encode(held: Held) -> str:
    """The document of the changelog, without the subject's bytes."""
    if isinstance(held, PendingDigest):
        document: dict[str, Any] = {"digest": held}
    else:
        document = {name: getattr(held, name) for name in _FIELDS}
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def decode(document: str, subject: bytes = b"") -> Held:
    """The inverse of `encode`. Raises EventUnreadable, stage `document`, for whatever `encode` does not write."""
    try:
        raw: Any = json.loads(document)
        if not isinstance(raw, dict):
            raise Misshapen("expected an object")
        return _held(cast("dict[str, Any]", raw), subject)
    except (ValueError, RecursionError) as error:  # also of JSON itself
        raise EventUnreadable("document", f"this is no state: {shorten(str(error))}") from error


def _held(raw: dict[str, Any], subject: bytes) -> Held:
    if "digest" in raw:
        return cast("PendingDigest", _DIGEST(raw["digest"]))
    if raw.get("exception_id") is None:
        raise Misshapen("expected the id of an exception")
    fields = {name: read(raw[name]) for name, read in _FIELDS.items() if raw.get(name) is not None}
    return ExceptionCase(**fields, subject=subject)


_DIGEST = reader_of(PendingDigest)
_FIELDS = {name: read for name, read in fields_of(ExceptionCase).items() if name != "subject"}
