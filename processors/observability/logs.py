"""Logs of a process: one JSON line for each event on stderr, with ECS names, masked like the ledger."""

from __future__ import annotations

import logging
import secrets
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog

from processors.masking.masker import Masker
from processors.masking.pseudonyms import PseudonymKeys
from processors.masking.texts import LONGEST_WORD, labelled, scrub, word

PEOPLE = frozenset({"operator", "actor", "requester", "approver", "owner", "recipient"})
"""Fields with names of people: only a pseudonym is written."""


IDS = frozenset({"@timestamp", "level", "request_id", "exception_id", "approval_id", "trace.id"})
"""Fields whose values never repeat, so that caching their masked form is useless."""


def configure_logging(level: str, masker: Masker | None = None) -> None:
    """Set up once, at the start of a process. All logs, librdkafka's included, go to stderr as JSON.

    `masker` gives people the pseudonyms that they have in the ledger. Without one, pseudonyms are valid for this
    process only.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", key="@timestamp"),
        structlog.processors.format_exc_info,
    ]
    written: list[Any] = [_Masked(masker or passing_masker()), _ecs, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*shared, *written],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Stderr())),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *written],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(number, logging.WARNING))


def passing_masker() -> Masker:
    """Pseudonyms under a temporary key: equal within a process, and useless beyond it."""
    return Masker(PseudonymKeys("process", {"process": secrets.token_bytes(32)}))


class _Stderr:
    """The present stderr: loggers are created once, while tests and shells redirect it later.

    It is not an `io.TextIOBase`: that class flushes when the interpreter ends, after stderr is gone.
    """

    def write(self, text: str, /) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def silence_unless_configured() -> None:
    """For commands: a person reads their output, so only errors are logged beside it.

    Does nothing in a process that has called `configure_logging`.
    """
    if structlog.is_configured():
        return
    logging.getLogger().addHandler(logging.NullHandler())
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Stderr())),
    )


class _Masked:
    """The last step before an event becomes text."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker

    def __call__(self, _: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for name, value in event.items():
            if value and name in PEOPLE:
                event[name] = self._masker.pseudonym(str(value))
            else:
                event[name] = word(value) if name in IDS and isinstance(value, str) else _clean(value, name)
        return event


def _clean(value: Any, name: str = "") -> Any:
    """Removes secrets, control characters and addresses from texts at any depth.

    `name` is the name of the field, which may mark it as a secret.
    """
    if isinstance(value, str):
        return labelled(name, value)
    if isinstance(value, dict):
        return {
            scrub(str(key), LONGEST_WORD): _clean(item, str(key))
            for key, item in cast("dict[str, Any]", value).items()
        }
    if isinstance(value, list | tuple):
        return [_clean(item, name) for item in cast("list[Any]", value)]
    return value if value is None or isinstance(value, bool | int | float) else scrub(repr(value))


def _ecs(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Elastic Common Schema: `message`, `log.level`, and the time first; the text of an error is
    `error.message`."""
    first = {
        "@timestamp": event.pop("@timestamp", None),
        "log.level": event.pop("level", None),
        "message": event.pop("event", None),
    }
    said = {"error.message": event.pop("message")} if "message" in event else {}
    return {**first, **event, **said}
