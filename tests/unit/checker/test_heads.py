"""How an answer begins is written by hand, and must be what an Avro writer makes."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from processors.checker.heads import circumstances, ids
from processors.configuration.settings import shipped
from processors.events.addresses import report_address
from processors.stream.wire.schema import Schemas
from processors.stream.wire.spans import Run

HEAD = Run(Schemas.load(shipped("schemas"))["CompatibilityChecked"], "result_id", "report_url")


@given(
    id=st.uuids().map(str),
    request=st.text(st.characters(codec="utf-8"), min_size=1, max_size=200),
    at=st.integers(-(2**63), 2**63 - 1),
    pages=st.sampled_from(["", "https://guard.example", "https://guard.example/"]),
)
def test_a_head_is_what_an_avro_writer_makes(id: str, request: str, at: int, pages: str) -> None:
    address = report_address(pages, request)
    written = {"result_id": id, "request_id": request, "decided_at": at, "report_url": address}

    assert ids(id, request) + circumstances(at, address) == HEAD.encode(written)


def test_an_id_of_the_sender_s_choice_stays_one_part_of_the_address() -> None:
    """It may hold anything, and must lead to no other page."""
    address = report_address("https://guard.example", "../ledger?x=1#\u202e")

    assert address == "https://guard.example/requests/..%2Fledger%3Fx%3D1%23%E2%80%AE"
    assert report_address("", str(uuid.uuid4())) == ""
