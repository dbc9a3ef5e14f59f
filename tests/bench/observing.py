"""What counting and logging add to the checker's own work: the same batches, observed and not, in turn.

Without a broker, so that nothing else is in the figures: a commit makes the whole larger and the share smaller.
"""

from __future__ import annotations

import io
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from typing import Any, NamedTuple

import structlog

from processors.bootstrap.seal_keys import new_seals
from processors.checker.processor import Checker
from processors.configuration.settings import shipped
from processors.events.subject import Subject
from processors.events.topics import INSTALL_REQUESTS, MATRIX_REFRESHES, SECURITY_POLICIES
from processors.matrix.document import MatrixDocument
from processors.matrix.merged import Matrix
from processors.observability.collector import collector_eased
from processors.observability.logs import configure_logging, silence_unless_configured
from processors.policies import NO_POLICIES
from processors.stream.loop.measures import Measures
from processors.stream.types import Inbound
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas

from . import subjects

BATCH = 2000
DAY = 86_400_000


class Share(NamedTuple):
    """Seconds of a request's check, and what observing it adds."""

    check: float
    observing: float


class View:
    """What a checker looks at: a matrix that knows the plugins."""

    def __init__(self, document: MatrixDocument) -> None:
        self.now = time.time_ns() // 1_000_000
        matrix = Matrix.of([(document, self.now, self.now + DAY)])
        self._tables: dict[str, Any] = {MATRIX_REFRESHES: matrix, SECURITY_POLICIES: NO_POLICIES}

    def table(self, topic: str) -> Any:
        return self._tables[topic]


def measured(document: MatrixDocument, numbers: Iterator[int], count: int) -> Share:
    """The medians over batches. Logs are rendered and masked as ever, and go nowhere."""
    codec = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())
    checker, view, measures = Checker(codec, new_seals()), View(document), Measures("checker")
    checks: list[float] = []
    observed: list[float] = []
    with _logging(), collector_eased():
        for batch in batches(codec, numbers, count):
            began = time.perf_counter()
            outcome = checker.handle(batch, view)  # type: ignore[arg-type]
            handled = time.perf_counter()
            checker.observe(outcome, view)  # type: ignore[arg-type]
            measures.committed(batch, outcome.outputs, outcome.rejects, 0)
            checks.append(handled - began)
            observed.append(time.perf_counter() - handled)
    return Share(statistics.median(checks) / BATCH, statistics.median(observed) / BATCH)


def batches(
    codec: Codec, numbers: Iterator[int], count: int, ask: Callable[[int], Subject] = subjects.subject
) -> Iterator[Sequence[Inbound]]:
    """Requests as the loop hands them in."""
    encoder = codec.encoder(INSTALL_REQUESTS, "InstallRequested")
    now = time.time_ns() // 1_000_000
    for first in range(0, count, BATCH):
        made = subjects.requests(encoder, numbers, BATCH, ask)
        yield [
            Inbound(record.topic, 0, first + n, now, record.key, record.value, record.headers)
            for n, record in enumerate(made)
        ]


@contextmanager
def _logging() -> Iterator[None]:
    with redirect_stderr(io.StringIO()):
        configure_logging("info")
        try:
            yield
        finally:
            structlog.reset_defaults()
            silence_unless_configured()
            sys.stderr.flush()
