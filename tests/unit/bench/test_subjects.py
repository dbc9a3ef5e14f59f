"""What the measurements are made of is made of events as they are now."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from processors.configuration.settings import shipped
from processors.events.topics import INSTALL_REQUESTS, RESULTS
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas

CODEC = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    """`scripts/bench` runs from the root of the project."""
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parents[3]), *sys.path])


def test_the_result_that_everybody_encodes_is_what_the_checker_answers() -> None:
    from tests.bench.throughput import ordinary_result

    result = ordinary_result()
    assert result["verdict"] == "ALLOW"
    encoded = CODEC.encoder(RESULTS, "CompatibilityChecked")(result)
    assert CODEC.decoder(RESULTS, "CompatibilityChecked")(encoded) == result


def test_the_requests_that_everybody_reads_are_requests() -> None:
    from tests.bench import subjects

    encoder = CODEC.encoder(INSTALL_REQUESTS, "InstallRequested")
    read = CODEC.decoder(INSTALL_REQUESTS, "InstallRequested")
    for ask in (subjects.subject, subjects.combination):
        (request,) = subjects.requests(encoder, iter([1]), 1, ask)
        assert read(request.value)["subject"]["manifest"]["id"] == (request.key or b"").decode()
