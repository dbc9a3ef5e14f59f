"""The whole check as one pure function from the bytes of a subject to the bytes of its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from processors.checker.bounds import MOST_BYTES_OF_REPORT, brief, too_large
from processors.checker.bystanders import Bystanders
from processors.checker.check import Answer
from processors.checker.memo import Answered
from processors.documents.canonical import digest_of
from processors.events.report import Report
from processors.events.report_record import report_to_record
from processors.events.subject import Subject
from processors.events.subject_record import subject_from_record
from processors.matrix.merged import Matrix
from processors.policies import Policies

LOGGED = 10
"""The most dependencies of a plugin that a log line names."""


def evaluator(
    decode_subject: Callable[[bytes], Mapping[str, Any]],
    encode_report: Callable[[Mapping[str, Any]], bytes],
    encode_said: Callable[[Mapping[str, Any]], bytes],
    judge: Callable[[Subject, Matrix, int, str, Policies], Answer],
    bystanders: Bystanders | None = None,
    may_be_excepted: Callable[[Report], bool | None] = lambda _: None,
    *,
    checked: bool = True,
) -> Callable[[bytes, Matrix, Policies, int], Answered]:
    """A pure function from the bytes of a subject to the bytes of its answer, at a time in milliseconds.

    `may_be_excepted` says whether an exception may be requested, None if that is unknown; it must be constant.
    `bystanders` may know the answer without a check. `checked` is False if `judge` is the stand-in for a guard that
    is switched off.
    """

    def evaluate(subject: bytes, matrix: Matrix, policies: Policies, now: int) -> Answered:
        if bystanders is not None and (known := bystanders.answer(subject, matrix, policies, now)) is not None:
            return known
        record = decode_subject(subject)
        question = subject_from_record(record)
        report, valid_until = judge(question, matrix, now, digest_of(subject), policies)
        data = encode_report(report_to_record(report))
        if len(data) > MOST_BYTES_OF_REPORT:  # every request has a result, and this one must not pass
            report, valid_until = too_large(report, len(data)), None
            data = encode_report(report_to_record(report))
        digest = digest_of(data)
        said = {
            **_about(report, question),
            "matrix_expires_at": matrix.expires_at if report.sources else None,
            "exception_possible": may_be_excepted(report),
            "report_digest": digest,
        }
        answered = Answered(
            plugin_id=report.plugin_id,
            plugin_version=report.plugin_version,
            host=report.host,
            host_version=report.host_version,
            dependencies=tuple(f"{need.id} {need.range}" for need in question.manifest.requires[:LOGGED]),
            verdict=report.verdict,
            band=report.risk.band,
            score=report.risk.score,
            summary=report.summary,
            finding_codes=tuple(sorted({f.code for f in report.findings if f.blocks})),
            checked=checked,
            said=encode_said(said),
            report=data,
            digest=digest,
            valid_until=valid_until,
        )
        if bystanders is not None:
            bystanders.learn(subject, record, question, answered)
        return answered

    return evaluate


def _about(report: Report, question: Subject) -> dict[str, Any]:
    """The fields of an answer beside its report. The checker knows no exceptions, so those fields stay empty."""
    return {
        "plugin_id": report.plugin_id,
        "plugin_version": report.plugin_version,
        "plugin_name": brief(question.manifest.name),
        "host": report.host,
        "host_version": report.host_version,
        "verdict": report.verdict,
        "band": report.risk.band,
        "score": report.risk.score,
        "approval_id": None,
        "monitoring_profile": None,
        "refusals": (),
    }
