"""Traces that are really sent: the loop on the real broker, OpenTelemetry's exporter, and a receiver of OTLP."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from examples.counting import Counting
from examples.ground import Ground, eventually
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from processors.embedded import Addresses

pytestmark = pytest.mark.stack

SAMPLED = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = b"00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


class Collector(BaseHTTPRequestHandler):
    """Takes what any OTLP collector takes."""

    spans: list[tuple[str, Any]]

    def do_POST(self) -> None:
        request = ExportTraceServiceRequest()
        request.ParseFromString(self.rfile.read(int(self.headers["Content-Length"])))
        for resource in request.resource_spans:
            service = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
            self.spans += [(service, span) for scope in resource.scope_spans for span in scope.spans]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    spans: list[tuple[str, Any]] = []
    handler = type("OneCollector", (Collector,), {"spans": spans})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", spans
    server.shutdown()
    server.server_close()


def test_a_sampled_request_leaves_a_span_in_its_own_trace(
    stack: Addresses, collector: tuple[str, list[tuple[str, Any]]]
) -> None:
    """Trace and parent are those of `traceparent`; a trace that nobody samples leaves nothing."""
    endpoint, spans = collector
    ground = Ground(stack.bootstrap, stack.registry)
    ground.settings = replace(ground.settings, otlp_endpoint=endpoint)
    counting = Counting(ground.name)
    ground.for_processor(counting)
    for trace in (SAMPLED, UNSAMPLED, b"nonsense"):
        ground.write(counting.inputs[0], [(b"a", b"x")], headers=[("traceparent", trace)])

    with ground.running(counting):
        eventually(lambda: len(ground.values(counting.output)) == 3)
    ground.close()

    assert len(spans) == 1
    service, span = spans[0]
    assert service == f"compat-guard-{counting.name}"
    assert span.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert span.parent_span_id.hex() == "b7ad6b7169203331"
    assert span.name == f"{counting.name} {counting.inputs[0]}"
    assert span.start_time_unix_nano < span.end_time_unix_nano
