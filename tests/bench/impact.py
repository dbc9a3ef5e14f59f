"""What a new matrix would change about very many requests that are kept: `replay` and `matrix publish --impact`."""

from __future__ import annotations

import time
from dataclasses import replace

from processors.bootstrap.clients import codec
from processors.client.impact import replayed
from processors.configuration.settings import Settings
from processors.matrix.document import MatrixDocument

from . import subjects, throughput

DISTINCT = 50_000


def measured(settings: Settings, document: MatrixDocument, count: int) -> float:
    """Seconds until all of them are judged by both matrices. Few of the questions come often, and many seldom."""
    since = time.time_ns() // 1_000_000
    throughput.load(settings, subjects.zipf(DISTINCT), count)
    proposed = replace(document, revision=f"{document.revision}-proposed")
    with codec(settings) as events:
        started = time.perf_counter()
        found = replayed(settings, events, [proposed], since, until=time.time_ns() // 1_000_000)
        seconds = time.perf_counter() - started
    if found.impact.requests != count:
        raise RuntimeError(f"{found.impact.requests} of {count} requests were read")
    return seconds
