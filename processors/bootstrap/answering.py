"""Whether an exception may be requested, according to the report and the policy of exceptions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import structlog

from processors.bootstrap.exception_workflow import read_policy
from processors.checker.views.outline import may_be_excepted
from processors.configuration.settings import Settings
from processors.errors import DocumentRefused
from processors.events.report import Report
from processors.exception_workflow.config import ExceptionPolicy

_log = structlog.get_logger(__name__)


def may_be_asked_for(report: Report, policy: ExceptionPolicy) -> bool:
    """Whether an exception may be requested: only if the policy permits one for every finding that blocks, since
    the workflow refuses any other request."""
    return may_be_excepted(report) and not never_excepted(report, policy)


def never_excepted(report: Report, policy: ExceptionPolicy) -> tuple[str, ...]:
    """Codes of blocking findings that no exception may cover, each once."""
    return tuple(dict.fromkeys(f.code for f in report.findings if f.blocks and policy.is_never(f.code)))


def exceptions_of(of: Settings) -> Callable[[Report], bool | None]:
    """As `may_be_asked_for`, by the policy of the configuration folder.

    A policy that cannot be read stops the workflow but no check: the answer is then unknown.
    """
    try:
        return partial(may_be_asked_for, policy=read_policy(of))
    except DocumentRefused as error:
        _log.warning("answers do not say whether an exception may be asked for", message=str(error))
        return lambda _: None
