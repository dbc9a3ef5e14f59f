"""The block for which an exception is requested: its report, its question, and the selected findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from processors.client.results import request_of, result_of
from processors.client.transport import Record
from processors.configuration.settings import Settings
from processors.errors import SettingsInvalid, nearest, shorten
from processors.events.exceptions import Scope
from processors.exception_workflow.rules.scope import Blocking
from processors.stream.wire.codec import Codec


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The basis of a request for an exception: a blocked request with its question and report as records, and
    the ids of the selected findings."""

    scope: Scope
    request_id: str
    report_digest: str
    finding_ids: tuple[str, ...]
    subject: Mapping[str, Any]
    report: Record


def from_block(
    of: Settings,
    events: Codec,
    request_id: str,
    named: Sequence[str] | None,
    otherwise: Sequence[str] = (),
    question: str | None = None,
) -> Block:
    """The block of an install request, and the selected findings.

    These are the ones `named` by id or code, else the ids `otherwise`, else all that block. Raises SettingsInvalid
    if there is no such block or it does not have what is named, and QuestionUnclear if several questions were asked
    under the id and none is named.
    """
    result = result_of(of, events, request_id, question)
    asked = request_of(of, events, result)
    if asked is None:
        raise SettingsInvalid(f"the topic does not hold request `{request_id}` any more; ask again and be blocked")
    blocking = [Blocking(finding.id, finding.code) for finding in result.report.findings if finding.blocks]
    return Block(
        scope=result.scope,
        request_id=request_id,
        report_digest=result.report_digest,
        finding_ids=tuple(chosen(blocking, named) if named else otherwise or [f.id for f in blocking]),
        subject=asked.subject_record,
        report=result.record["report"],
    )


def chosen(blocking: Sequence[Blocking], named: Sequence[str]) -> list[str]:
    """Ids of the named findings: by id, or by a code, which selects all findings with it.

    Each id once, in the order of the names. Raises SettingsInvalid for a name without a match. If nothing blocks,
    the names are passed on unchanged, because the workflow has the better error message.
    """
    if not blocking:
        return list(named)
    return list(dict.fromkeys(chain.from_iterable(_meant(blocking, name) for name in named)))


def _meant(blocking: Sequence[Blocking], name: str) -> list[str]:
    ids = [finding.id for finding in blocking if name in finding]
    if not ids:
        codes = {finding.code for finding in blocking}
        raise SettingsInvalid(f"--finding `{shorten(name)}` blocks nothing in this report; {nearest(name, codes)}")
    return ids
