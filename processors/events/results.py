"""The guard's answers to a request. Mirrors `CompatibilityChecked` and `InstallBlocked` in schemas/."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from processors.events.exceptions import Scope, scope_from_record
from processors.events.fields import fields_of
from processors.events.questions import Question, answered_by
from processors.events.report import Report
from processors.events.report_record import report_from_record
from processors.events.vocabulary import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The common fields of results and blocks. The report is separate, as bytes: they are reused."""

    request_id: str
    decided_at: int
    report_url: str
    tenant: str
    operator: str
    environment: str
    target: str
    action: str
    exception_id: str | None
    recheck_of: str | None
    plugin_id: str
    plugin_version: str
    plugin_name: str
    host: str
    host_version: str
    verdict: Verdict
    band: str
    score: int
    approval_id: str | None = None
    monitoring_profile: str | None = None
    refusals: tuple[str, ...] = ()
    matrix_expires_at: int | None
    exception_possible: bool | None
    report_digest: str

    @property
    def key(self) -> str:
        return self.request_id

    def record(self) -> dict[str, Any]:
        """Everything but the report."""
        return fields_of(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompatibilityChecked(Answer):
    """The one result of a request."""

    result_id: str

    @property
    def id(self) -> str:
        return self.result_id


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallBlocked(Answer):
    """A block, for readers that need only blocks."""

    block_id: str
    finding_codes: tuple[str, ...]

    @property
    def id(self) -> str:
        return self.block_id


@dataclass(frozen=True, slots=True)
class Result:
    """A result for its readers.

    `record` is the whole record, from a topic or a gateway; an older one lacks newer fields. The report is parsed
    on demand.
    """

    record: Mapping[str, Any]

    @property
    def request_id(self) -> str:
        return self.record["request_id"]

    @property
    def tenant(self) -> str:
        return self.record["tenant"]

    @property
    def operator(self) -> str:
        return self.record["operator"]

    @property
    def environment(self) -> str:
        return self.record["environment"]

    @property
    def target(self) -> str:
        return self.record["target"]

    @property
    def exception_id(self) -> str | None:
        return self.record["exception_id"]

    @property
    def recheck_of(self) -> str | None:
        return self.record["recheck_of"]

    @property
    def plugin_id(self) -> str:
        return self.record["plugin_id"]

    @property
    def plugin(self) -> str:
        """Id and version."""
        return f"{self.record['plugin_id']} {self.record['plugin_version']}"

    @property
    def plugin_name(self) -> str:
        return self.record.get("plugin_name", "")

    @property
    def where(self) -> str:
        """The host and its version."""
        return f"{self.record['host']} {self.record['host_version']}"

    @property
    def verdict(self) -> Verdict:
        """UNKNOWN for a verdict of a newer guard, which does not permit an installation."""
        text = self.record["verdict"]
        return Verdict(text) if text in Verdict.__members__ else Verdict.UNKNOWN

    @property
    def band(self) -> str:
        return self.record["band"]

    @property
    def score(self) -> int:
        return self.record["score"]

    @property
    def approval_id(self) -> str | None:
        return self.record["approval_id"]

    @property
    def monitoring_profile(self) -> str | None:
        return self.record["monitoring_profile"]

    @property
    def refusals(self) -> tuple[str, ...]:
        return tuple(self.record["refusals"])

    @property
    def report_url(self) -> str:
        """The page of its report; empty where there is none."""
        return self.record.get("report_url", "")

    @property
    def decided_at(self) -> int | None:
        return self.record.get("decided_at")

    @property
    def matrix_expires_at(self) -> int | None:
        return self.record.get("matrix_expires_at")

    @property
    def exception_possible(self) -> bool | None:
        return self.record.get("exception_possible")

    @property
    def report_digest(self) -> str:
        return self.record["report_digest"]

    @property
    def summary(self) -> str:
        return self.record["report"]["summary"]

    @property
    def codes(self) -> list[str]:
        """Codes of all findings, each once."""
        return sorted({finding["code"] for finding in self.record["report"]["findings"]})

    @property
    def scope(self) -> Scope:
        return scope_from_record(self.record)

    @property
    def question(self) -> Question:
        return answered_by(self.record)

    @property
    def report(self) -> Report:
        """As the guard made it, without knowledge of exceptions."""
        return report_from_record(self.record["report"])

    @property
    def seen(self) -> Report:
        """The report with the verdict of the result, which an exception may have changed."""
        return replace(self.report, verdict=self.verdict)
