"""Spans for records of sampled traces that the loop handled; sent by OTLP if that is configured.

A request's `traceparent` is passed on to everything that it leads to, so the spans of the checker, the workflow and
the ledger end up in one trace. Without an endpoint nothing is loaded and no header is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from processors.errors import SettingsInvalid
from processors.stream.types import Headers, Inbound
from processors.stream.wire.headers import TRACEPARENT, header

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

MOST_SPANS: Final = 100
"""The most spans of one batch. A trace is for single requests; metrics show bursts."""

_SAMPLED: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]([13579bdf])")

Trace = Callable[[Sequence[Inbound], int, int], None]
"""Called for a committed batch, with the nanoseconds since the epoch at which it began and ended."""


class Tracing:
    """Use as a context manager: leaving it sends the remaining spans.

    Raises:
        SettingsInvalid: an endpoint is given, and the extra `tracing` is not installed.
    """

    def __init__(self, processor: str, endpoint: str) -> None:
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
            from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an optional extra
            from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
            from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        except ImportError:
            raise SettingsInvalid(
                "traces are to be sent, and OpenTelemetry is not installed; install compat-guard[tracing]"
            ) from None
        service = {"service.name": f"compat-guard-{processor}", "service.namespace": "compat-guard"}
        self._provider = TracerProvider(resource=Resource.create(service), shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("compat-guard")
        self._processor = processor

    def __enter__(self) -> Trace:
        return self._trace

    def __exit__(self, *_: object) -> None:
        self._provider.shutdown()

    def _trace(self, batch: Sequence[Inbound], began: int, ended: int) -> None:
        left = MOST_SPANS
        for record in batch:
            parent = sampled(record.headers)
            if parent is None:
                continue
            self._span(record, parent, began, ended)
            left -= 1
            if not left:
                return

    def _span(self, record: Inbound, parent: SpanContext, began: int, ended: int) -> None:
        from opentelemetry.trace import NonRecordingSpan, SpanKind, set_span_in_context  # noqa: PLC0415

        attributes: dict[str, Any] = {
            "messaging.system": "kafka",
            "messaging.operation.type": "process",
            "messaging.destination.name": record.topic,
            "messaging.destination.partition.id": str(record.partition),
            "messaging.kafka.offset": record.offset,
        }
        span = self._tracer.start_span(
            f"{self._processor} {record.topic}",
            context=set_span_in_context(NonRecordingSpan(parent)),
            kind=SpanKind.CONSUMER,
            attributes=attributes,
            start_time=began,
        )
        span.end(ended)


def sampled(headers: Headers) -> SpanContext | None:
    """The span that caused a record, if its trace is sampled (W3C Trace Context)."""
    from opentelemetry.trace import SpanContext, TraceFlags  # noqa: PLC0415

    match = _SAMPLED.fullmatch(header(headers, TRACEPARENT) or "")
    if match is None:
        return None
    return SpanContext(int(match[1], 16), int(match[2], 16), is_remote=True, trace_flags=TraceFlags(1))
