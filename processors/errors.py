"""Every error of the guard, grouped by what the caller does next.

    GuardError
    ├── Refused                 the input is wrong: a dead letter, a finding or exit 2; trying again changes nothing
    │   ├── VersionInvalid      a version that its dialect cannot read
    │   ├── RangeInvalid        a range that its dialect cannot read
    │   ├── EventUnreadable     bytes on a topic that are not the event they should be
    │   ├── OutputTooLarge      an answer that is too large for a topic
    │   ├── DocumentRefused     a YAML or JSON document that is unsafe, malformed or says something impossible
    │   ├── MatrixRefused       a matrix refresh that is incomplete, altered or inconsistent
    │   ├── Undeliverable       an event that a target of the relay did not take, however often it was tried
    │   ├── ContractBroken      a topic or schema change that would lose data or break a reader
    │   ├── TextRefused         a text that no row of the ledger can have
    │   └── SettingsInvalid     a setting or argument that cannot be used
    │       ├── AccessDenied    the broker denies this principal a topic, a group or a transactional id
    │       └── NamesUnreadable  a search for a person, without the keys that turn names into pseudonyms
    ├── Unavailable             a dependency is down: try again with back-off; a command exits with 3
    │   ├── BrokerUnavailable
    │   ├── TransactionAborted  nothing of a batch took effect: the same records again
    │   ├── RegistryUnavailable
    │   ├── DatabaseUnavailable
    │   ├── GatewayUnavailable
    │   ├── NotAnchored         an event that no signed anchor covers yet: the next one will
    │   └── StackPartFailed     a part of the embedded stack did not start
    └── Fatal                   this process must stop (exit 70) and be restarted
        ├── Fenced              another process owns this identity, or the outcome of a commit is unknown
        ├── OffsetsLost         committed offsets are outside the log
        ├── OriginChanged       a topic was created again, or is one of another cluster
        └── BreakerOpen         so many records are refused that the release, not the data, is to blame

Wording: lower case, no full stop, the user's own text in backticks, what was expected and what was found,
the way out after a semicolon.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar


class GuardError(Exception):
    """The root. `exit_code` is what a command that ends with this error returns."""

    exit_code: ClassVar[int] = 2


class Refused(GuardError):
    """The input is wrong. Deterministic: the same input is refused again, so nobody retries."""

    reason: ClassVar[str] = "refused"
    """Stable word for metrics and dead letters; bounded, never built from input."""


class Unavailable(GuardError):
    """Something this process depends on does not answer. Nothing is lost by trying again."""

    exit_code = 3


class Fatal(GuardError):
    """The process cannot know its own state any more. Its supervisor restarts it, and it restores its state."""

    exit_code = 70


class VersionInvalid(Refused):
    """A version that its dialect cannot read. The check turns it into a finding, never into a silent "no"."""

    reason = "version_invalid"

    def __init__(self, text: str, dialect: str, why: str) -> None:
        super().__init__(f"`{shorten(text)}` is not a version in dialect {dialect}: {why}")
        self.text, self.dialect, self.why = text, dialect, why


class RangeInvalid(Refused):
    """A range that its dialect cannot read. The check makes it CONSTRAINT_INVALID, never a silent "no"."""

    reason = "range_invalid"

    def __init__(self, text: str, dialect: str, at: int, example: str) -> None:
        rest = shorten(text[at:])
        where = f"cannot read `{rest}`" if rest else "it ends too early"
        super().__init__(
            f"`{shorten(text)}` is not a range in dialect {dialect}: {where}; a range looks like `{example}`"
        )
        self.text, self.dialect, self.at = text, dialect, at


class EventUnreadable(Refused):
    """Bytes on a topic that are not the event they should be. `stage` says where reading failed."""

    reason = "unreadable"

    def __init__(self, stage: str, message: str) -> None:
        super().__init__(message)
        self.stage = stage


class OutputTooLarge(Refused):
    """An answer that is too large for a topic. Found before the transaction, so the input becomes a dead letter."""

    reason = "output_too_large"


class DocumentRefused(Refused):
    """A YAML or JSON document that is unsafe, malformed, or says something impossible. `where` is a path in it."""

    reason = "document_refused"

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.where = where

    @classmethod
    def unopened(cls, file: object, error: OSError) -> DocumentRefused:
        """For a file that cannot be opened."""
        return cls(str(file), f"cannot be opened: {(error.strerror or 'unknown error').lower()}")

    def of(self, file: object) -> DocumentRefused:
        """The same, with the name of the file in front."""
        return self if self.where == str(file) else DocumentRefused(str(file), str(self))


class MatrixRefused(Refused):
    """A matrix refresh that is incomplete, altered or inconsistent. The one that was active stays active."""

    reason = "matrix_refused"


class Undeliverable(Refused):
    """An event that a target of the relay did not take, however often it was tried."""

    reason = "undeliverable"


class ContractBroken(Refused):
    """A topic or schema change that would lose data or break an existing reader."""

    reason = "contract_broken"


class SettingsInvalid(Refused):
    """A setting or an argument that cannot be used."""

    reason = "settings_invalid"


class AccessDenied(SettingsInvalid):
    """The broker denies this principal a topic, a group or a transactional id. The message names it."""


class NamesUnreadable(SettingsInvalid):
    """A search for a person by name, without the keys that turn names into the ledger's pseudonyms."""


class TextRefused(Refused):
    """A text that no row of the ledger can have, so that nobody can ask for it."""

    reason = "text_refused"


class BrokerUnavailable(Unavailable):
    """No Kafka broker answers."""


class TransactionAborted(Unavailable):
    """A transaction was rolled back, mostly because of a rebalance. Nothing of the batch took effect."""


class RegistryUnavailable(Unavailable):
    """The schema registry does not answer. Never a dead letter: the record is fine."""


class DatabaseUnavailable(Unavailable):
    """Postgres does not answer."""


class QueryTooLong(DatabaseUnavailable):
    """Postgres is there, and a query took longer than whoever asks may keep it busy."""


class GatewayUnavailable(Unavailable):
    """The gateway does not answer, or cannot at the moment."""


class NotAnchored(Unavailable):
    """An event that is in the ledger, and that no signed anchor covers yet. `due` is when the next anchor comes, in
    milliseconds since the epoch."""

    def __init__(self, message: str, event_id: str, due: int) -> None:
        super().__init__(message)
        self.event_id, self.due = event_id, due


class StackPartFailed(Unavailable):
    """A part of the embedded stack did not start. Carries the last lines of its log."""

    def __init__(self, part: str, why: str, log_tail: str = "") -> None:
        super().__init__(f"{part} did not start: {why}" + (f"\n{log_tail}" if log_tail else ""))
        self.part, self.why, self.log_tail = part, why, log_tail


class PortTaken(StackPartFailed):
    """It did not start because another process listens on one of its ports."""


class Fenced(Fatal):
    """Another process owns this transactional id or partition, or the outcome of a commit is unknown."""


class OffsetsLost(Fatal):
    """Committed offsets are outside the log: continuing would skip records silently."""


class OriginChanged(Fatal):
    """A topic is not the one from which the ledger was filed: its offsets mean something else."""


class BreakerOpen(Fatal):
    """So many records are refused that the release, not the data, is to blame."""


def shorten(text: str, limit: int = 80) -> str:
    """The text as it may stand in a message: one line, printable, at most `limit` characters."""
    clean = "".join(c if c.isprintable() else "�" for c in text[: limit + 1])
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def nearest(word: str, known: Iterable[str]) -> str:
    """What a message may add about a word that is not known: the one probably meant, else all that there are."""
    there = sorted(known)
    close = get_close_matches(word[:100], there, n=1)
    return f"did you mean `{close[0]}`?" if close else f"known are {', '.join(there)}"
