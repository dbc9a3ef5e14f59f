"""Folds current state from the events: which columns of which table an event sets, and the SQL for it.

A register is a group of columns that the newest event of one kind sets. Events arrive in any order across
partitions, so each register stores the position of its event; an older one changes nothing. The same statement
folds one batch and the whole ledger, which is why a rebuilt table equals the one that grew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

POSITION: Final = 'ARRAY[(extract(epoch FROM e.appended_at) * 1000)::bigint, e.partition, e."offset"]'
"""Orders all events of a key: arrays compare item by item."""

TABLES: Final = ("asked", "answers", "blocks", "exceptions", "executions")
"""`requests` is a view: each request with the newest answer to exactly its question, even if others use the same
id."""


@dataclass(frozen=True, slots=True)
class Register:
    """Columns of `table` that the newest event of `topic` with the same `key` sets. Expressions are over `e`."""

    table: str
    name: str
    topic: str
    key: str
    columns: Mapping[str, str]
    where: str = "true"
    further_keys: Mapping[str, str] = field(default_factory=dict[str, str])
    """Columns that are part of the key as well, and their expressions."""

    @property
    def keys(self) -> Mapping[str, str]:
        """The key's columns, and their expressions."""
        first = {"blocks": "block_id", "exceptions": "exception_id"}.get(self.table, "request_id")
        return {first: f"e.{self.key}", **self.further_keys}

    @property
    def position_column(self) -> str:
        return f"{self.name}_position"


def _same(*names: str) -> dict[str, str]:
    return {name: f"e.{name}" for name in names}


_SCOPE = ("tenant", "environment", "plugin_id", "plugin_version", "host", "host_version")


_QUESTION = (*_SCOPE, "operator", "exception_id", "input_digest")
_PARTS = ", ".join(f"coalesce(e.{name}, '')" for name in _QUESTION)
QUESTION: Final = f"md5(concat_ws(chr(31), {_PARTS}))"
"""The question of a request, and the question that a result answers: equal if one is the answer to the other.

An id alone would not do: the sender chooses it. Columns contain no control characters, so chr(31) separates them.
"""


def _number(name: str, type_: str) -> str:
    return f"(e.payload->>'{name}')::{type_}"


REGISTERS: Final = (
    Register(
        "asked",
        "requested",
        "compat.install-requests",
        "request_id",
        {
            **_same(*_SCOPE, "operator", "exception_id"),
            "question": QUESTION,
            "recheck": "e.state IS NOT NULL",
            "requested_at": "e.appended_at",
        },
    ),
    Register(
        "answers",
        "answered",
        "compat.results",
        "request_id",
        {**_same("verdict", "band", "approval_id"), "answered_at": "e.appended_at"},
        further_keys={"question": QUESTION},
    ),
    Register(
        "asked",
        "finished",
        "compat.install-outcomes",
        "request_id",
        {"outcome": "e.state", "finished_at": "e.appended_at"},
        "e.state <> 'UNKNOWN'",
    ),
    Register(
        "blocks",
        "blocked",
        "compat.blocks",
        "event_id",
        {
            **_same("request_id", *_SCOPE, "operator", "band", "finding_codes"),
            "blocked_at": "e.appended_at",
        },
    ),
    Register(
        "exceptions",
        "asked",
        "compat.exception-requests",
        "exception_id",
        {"requester": "e.operator", "category": "e.payload->>'category'", "asked_at": "e.appended_at"},
        "e.state = 'REQUESTED'",
    ),
    Register(
        "exceptions",
        "changed",
        "compat.exception-decisions",
        "exception_id",
        {
            **_same(*_SCOPE, "request_id", "band", "approval_id", "monitoring_profile", "state"),
            "event": "e.payload->>'event'",
            "round": _number("round", "integer"),
            "change": _number("sequence", "integer"),
            "uses": _number("uses", "integer"),
            "valid_until_ms": _number("valid_until", "bigint"),
            "due_at_ms": _number("due_at", "bigint"),
            "changed_at": "e.appended_at",
        },
    ),
    Register(
        "executions",
        "authorised",
        "compat.results",
        "request_id",
        {
            **_same("exception_id", "approval_id"),
            "required_profile": "e.monitoring_profile",
            "authorised_at": "e.appended_at",
        },
        "e.verdict = 'ALLOW_BY_EXCEPTION'",
    ),
    Register(
        "executions",
        "outcome",
        "compat.install-outcomes",
        "request_id",
        {"outcome": "e.state", "outcome_at": "e.appended_at"},
        "e.exception_id IS NOT NULL AND e.state <> 'UNKNOWN'",
    ),
    Register(
        "executions",
        "monitoring",
        "compat.install-outcomes",
        "request_id",
        {**_same("monitoring", "monitoring_profile"), "monitoring_at": "e.appended_at"},
        "e.exception_id IS NOT NULL AND e.monitoring <> 'UNKNOWN'",
    ),
)

WHOLE_LEDGER: Final = "ledger.ledger_events e"

ONE_BATCH: Final = (
    "unnest(%(partitions)s::int[], %(firsts)s::bigint[], %(lasts)s::bigint[]) AS span(partition, first, last) "
    'JOIN ledger.ledger_events e ON e.partition = span.partition AND e."offset" BETWEEN span.first AND span.last '
    "AND e.appended_at BETWEEN %(earliest)s AND %(latest)s"
)
"""The rows of a batch in one topic, by their range of offsets in each partition."""


def fold(register: Register, source: str, into: str | None = None) -> str:
    """The statement that folds the events of `source` into a table. Keys are locked in order, against deadlocks."""
    position, keys = register.position_column, ", ".join(register.keys)
    held = ", ".join(register.keys.values())
    columns = [*register.columns, position]
    values = ", ".join([*register.columns.values(), POSITION])
    updates = ", ".join(f"{column} = excluded.{column}" for column in columns)
    return (
        f"INSERT INTO {into or f'ledger.{register.table}'} AS t ({keys}, {', '.join(columns)}) "
        f"SELECT DISTINCT ON ({held}) {held}, {values} FROM {source} "
        f"WHERE e.topic = '{register.topic}' AND e.status = 'recorded' AND e.{register.key} IS NOT NULL "
        f"AND {register.where} ORDER BY {held}, {POSITION} DESC "
        f"ON CONFLICT ({keys}) DO UPDATE SET {updates} "
        f"WHERE t.{position} IS NULL OR excluded.{position} > t.{position}"
    )


def keep(register: Register, into: str) -> str:
    """The statement that keeps what events from before `:retired`, in milliseconds, have set."""
    position, keys = register.position_column, ", ".join(register.keys)
    columns = [*register.columns, position]
    return (
        f"INSERT INTO {into} ({keys}, {', '.join(columns)}) SELECT {keys}, {', '.join(columns)} "
        f"FROM ledger.{register.table} WHERE {position}[1] < :retired "
        f"ON CONFLICT ({keys}) DO UPDATE SET {', '.join(f'{column} = excluded.{column}' for column in columns)}"
    )


def registers_of(topic: str) -> list[Register]:
    return [register for register in REGISTERS if register.topic == topic]
