"""Whatever an id is made of, its report can be saved, and the header says nothing else."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from examples.hostile_texts import HOSTILE_TEXTS
from starlette.responses import Response

from processors.gateway.attachments import attachment

HEADER = re.compile(
    r"attachment; filename=\"([\w-]*\.html)\"(?:; filename\*=UTF-8''((?:%[0-9A-F]{2}|[\w.-])+))?", re.ASCII
)


@pytest.mark.parametrize(
    "text", [*HOSTILE_TEXTS, "\u65e5\u672c", "\u20ac", "\u0661", ""], ids=lambda text: ascii(text)[:20]
)
def test_any_id_makes_a_header(text: str) -> None:
    sent = Response("", headers=attachment(f"report-{text}", "html")).headers["content-disposition"]

    assert HEADER.fullmatch(sent), sent
    assert len(sent) < 1_200


def test_letters_of_any_script_stay_in_the_name() -> None:
    (sent,) = attachment("report-\u65e5\u672c-1", "html").values()

    found = HEADER.fullmatch(sent)
    assert found is not None
    assert (found[1], unquote(found[2])) == ("report--1.html", "report-\u65e5\u672c-1.html")
    assert attachment("proof-5f0c", "json") == {"Content-Disposition": 'attachment; filename="proof-5f0c.json"'}
