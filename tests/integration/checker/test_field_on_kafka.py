"""The situations out of public bug reports through a checker on Kafka: the same answers as everywhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from examples.checkers import Answers, Desk, a_request
from examples.field import CASES, FILE, MISSING, assert_right, in_few_matrices, subject_of
from examples.ground import eventually
from examples.guard import now

from processors.client.matrix_topic import publish_matrix
from processors.events.report_record import report_from_record
from processors.events.topics import RESULTS

pytestmark = [pytest.mark.stack, pytest.mark.skipif(not FILE.exists(), reason=MISSING)]


def test_every_situation_is_answered_right(untaught: tuple[Desk, Answers], tmp_path: Path) -> None:
    """All requests that one matrix is about at once; verdict, plans, names, and what must not be proposed."""
    desk, _ = untaught
    answered = 0
    for document, asked in in_few_matrices([(case, subject_of(case, tmp_path)) for case in CASES]):
        publish_matrix(desk.guard.of, document, now())
        eventually(lambda digest=document.digest: standing(desk) == digest)
        requests = [a_request(subject) for _, subject in asked]
        desk.hand_in(*requests)
        ids = {request["request_id"] for request in requests}
        eventually(lambda ids=ids: results(desk).keys() >= ids, 60)
        found = results(desk)
        for (case, _), request in zip(asked, requests, strict=True):
            assert_right(case, report_from_record(found[request["request_id"]]["report"]))
            answered += 1

    assert answered == len(CASES)


def standing(desk: Desk) -> str | None:
    """The digest of the matrix that an answer rests on."""
    sources = desk.ask(a_request()).result["report"]["sources"]
    return next((source["digest"] for source in sources), None)


def results(desk: Desk) -> dict[str, dict[str, Any]]:
    """What lies on the topic, by the request that it is about."""
    read = desk.guard.codec.decoder(RESULTS, "CompatibilityChecked")
    return {result["request_id"]: result for record in desk.ground.read(RESULTS) if (result := read(record.value))}
