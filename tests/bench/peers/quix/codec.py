"""Quix Streams: decodes each request whole and encodes a result of ordinary size, exactly once.

Runs in an environment of its own. Arguments: bootstrap, input, output, consumer group, records, folder. The folder
has `request.avsc`, `result.avsc` and `result.bin`: the body of the result that is encoded for every request.
Prints the seconds from the first record to the last.
"""

from __future__ import annotations

import gc
import io
import sys
import time
from pathlib import Path

import fastavro
from quixstreams import Application

PREFIX = 5
bootstrap, source, target, group, count, folder = sys.argv[1:]
request = fastavro.parse_schema(fastavro.schema.load_schema(Path(folder) / "request.avsc"))
answer = fastavro.parse_schema(fastavro.schema.load_schema(Path(folder) / "result.avsc"))
result = fastavro.schemaless_reader(io.BytesIO((Path(folder) / "result.bin").read_bytes()), answer, None)
app = Application(
    bootstrap,
    consumer_group=group,
    auto_offset_reset="earliest",
    processing_guarantee="exactly-once",
    commit_every=2000,
    auto_create_topics=False,
    use_changelog_topics=False,
    loglevel="ERROR",
    consumer_extra_config={"fetch.queue.backoff.ms": 20},
    producer_extra_config={"compression.type": "lz4", "linger.ms": 5},
)
gc.set_threshold(50_000, 20, 100)  # as the product has it: the default looks through each batch again and again
gc.freeze()
times: list[float] = []
left = int(count)


def recode(value: bytes) -> bytes:
    global left  # noqa: PLW0603 - one thread handles all partitions
    times.append(time.perf_counter()) if not times else None
    asked = fastavro.schemaless_reader(io.BytesIO(value[PREFIX:]), request, None)
    made = io.BytesIO(value[:PREFIX])
    made.seek(PREFIX)
    fastavro.schemaless_writer(made, answer, {**result, "request_id": asked["request_id"]})
    left -= 1
    if left == 0:
        times.append(time.perf_counter())
        app.stop()
    return made.getvalue()


requests = app.topic(source, key_deserializer="bytes", value_deserializer="bytes")
results = app.topic(target, key_serializer="bytes", value_serializer="bytes")
app.dataframe(requests).apply(recode).to_topic(results)
app.run()
print(times[1] - times[0])
