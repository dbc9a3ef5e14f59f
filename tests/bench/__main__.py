"""`scripts/bench`: every measurement in one run, each beside its baseline."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from confluent_kafka.admin import NewTopic
from platformdirs import user_cache_path
from rich.text import Text

from processors.bootstrap.clients import stream_settings
from processors.cli.demo.commands import environment_of
from processors.cli.tables import show
from processors.configuration.settings import Settings, settings_from, shipped
from processors.embedded import Stack
from processors.matrix.text import load_matrix
from processors.observability.logs import silence_unless_configured
from processors.stream.io.clients import admin
from processors.stream.wire.schema import Schemas

from . import (
    exceptions,
    gateway,
    impact,
    latency,
    ledger,
    matrix,
    memory,
    observing,
    peers,
    plans,
    ready,
    rounds,
    startup,
    subjects,
    throughput,
    versions,
)
from .figures import Figure, Figures, number, talk
from .machine import QUIET, of_this_machine
from .page import write_page

CHOICES = (
    *("startup", "versions", "plans", "matrix", "observing", "memory"),
    *("throughput", "latency", "ready", "gateway", "impact", "ledger", "exceptions"),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    parser.add_argument("--records", type=int, default=100_000, help="requests for each throughput")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the large matrix")
    parser.add_argument("--subjects", type=int, default=1_000_000, help="distinct questions of the measured memory")
    parser.add_argument("--events", type=int, default=1_000_000, help="events of the ledger that is searched")
    parser.add_argument("--exceptions", type=int, default=100_000, help="live exceptions to restore")
    parser.add_argument("--kept", type=int, default=1_000_000, help="kept requests whose answers may change")
    parser.add_argument("--seconds", type=float, default=15.0, help="length of each latency measurement")
    parser.add_argument(
        "--only",
        choices=CHOICES,
        action="append",
        help="measure only this",
    )
    parser.add_argument("--peers", action="store_true", help="also Kafka Streams and Quix Streams, which are built")
    parser.add_argument("--page", type=Path, metavar="FOLDER", help="also write RESULTS.md and its plot there")
    options = parser.parse_args()
    silence_unless_configured()
    machine = of_this_machine()
    if machine.busy > QUIET:
        talk.print(f"[yellow]the machine is not quiet: {machine.busy:.0%} of it is used by others[/yellow]")
    figures = Figures()
    chosen = options.only or CHOICES
    without_servers: Mapping[str, Callable[[], None]] = {
        "startup": lambda: _startup(figures),
        "versions": lambda: _versions(figures),
        "plans": lambda: _plans(figures),
        "matrix": lambda: _matrix(figures, options.rows),
        "observing": lambda: _observing(figures, options.records),
        "memory": lambda: _memory(figures, options.subjects),
    }
    for name, measure in without_servers.items():
        if name in chosen:
            measure()
    beside_servers: Mapping[str, Callable[[Settings], None]] = {
        "throughput": lambda of: _throughput(figures, of, options.records, with_peers=options.peers),
        "latency": lambda of: _latency(figures, of, options.seconds),
        "ready": lambda of: _ready(figures, of),
        "gateway": lambda of: _gateway(figures, of, options.seconds),
        "impact": lambda of: _impact(figures, of, options.kept),
        "ledger": lambda of: _ledger(figures, of.postgres.url.get_secret_value(), options.records, options.events),
        "exceptions": lambda of: _exceptions(figures, of, options.exceptions),
    }
    if beside_servers.keys() & set(chosen):
        with _guard() as settings:
            for name, measure_beside in beside_servers.items():
                if name in chosen:
                    measure_beside(settings)
    _show(figures.all)
    if options.page:
        write_page(options.page, figures.all, machine)
    if options.json:
        options.json.write_text(json.dumps([asdict(f) for f in figures.all], indent=2) + "\n", "utf-8")


@contextmanager
def _guard() -> Iterator[Settings]:
    """Servers with topics and a matrix, and a topic for echoes."""
    talk.print("starting the servers")
    with tempfile.TemporaryDirectory(prefix="compat-guard-bench-") as folder:
        stack = Stack(Path(folder), optimised=True)
        try:
            addresses = stack.start()
            settings = settings_from(environment_of(addresses))
            for arguments in (("topics", "apply"), ("matrix", "publish", str(_matrix_file(Path(folder))))):
                subprocess.run(
                    [sys.executable, "-m", "processors.cli", *arguments],
                    env=environment_of(addresses),
                    check=True,
                    stdout=subprocess.DEVNULL,
                )
            client = admin(stream_settings(settings))
            client.create_topics([NewTopic(throughput.ECHO, 6, 1)])[throughput.ECHO].result()
            yield settings
        finally:
            stack.stop()


def _matrix_file(folder: Path) -> Path:
    """A matrix that knows the plugins of the measurement, and the host and dialect that they are for."""
    releases = [{"plugin": subjects.plugin(n), "version": "1.0.0"} for n in range(subjects.PLUGINS)]
    content = {
        "source": "governance",
        "revision": "1",
        "hosts": {"corex": {"releases": ["2.0.0", "3.0.0"]}},
        "matrix": [{"host": "corex", "plugin": "com.acme.plugins.*", "action": "allow"}],
        "releases": releases,
    }
    path = folder / "matrix.json"
    path.write_text(json.dumps(content), "utf-8")
    return path


def _startup(figures: Figures) -> None:
    for name, seconds in startup.measured().items():
        figures.add(f"startup-{name}", "ms", seconds * 1e3, None if name == "base" else "startup-base")


def _versions(figures: Figures) -> None:
    theirs = versions.npms()
    if theirs is None:
        talk.print("node and npm's semver are not in the cache, so there is nothing to compare versions with")
    else:
        figures.add("npm-semver-known-range", "us", theirs.known_range)
        figures.add("npm-semver-cold", "us", theirs.cold)
    ours = versions.ours()
    figures.add("version-known", "us", ours.known)
    figures.add("version-known-range", "us", ours.known_range, "npm-semver-known-range" if theirs else None)
    figures.add("version-cold", "us", ours.cold, "npm-semver-cold" if theirs else None)


def _plans(figures: Figures) -> None:
    found = plans.measured()
    figures.add("plans-check-fits", "ms", found.fits)
    figures.add("plans-block-p50", "ms", found.p50, "plans-check-fits")
    figures.add("plans-block-p99", "ms", found.p99, "plans-check-fits")


def _throughput(figures: Figures, settings: Settings, count: int, *, with_peers: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="compat-guard-bench-") as folder:
        others = peers.available(user_cache_path("compat-guard") / "bench-peers") if with_peers else {}
        peers.hand_out(Path(folder), Schemas.load(shipped("schemas")), throughput.ordinary_result())
        for rate in rounds.rates(settings, count, others, Path(folder), talk.print):
            figures.add(rate.name, "records/s", rate.median, rounds.AGAINST.get(rate.name), rate.spread)
            if rate.cpu is not None:
                figures.add(f"{rate.name}-cpu", "us", rate.cpu, None if rate.name == "raw" else "raw-cpu")


def _observing(figures: Figures, count: int) -> None:
    talk.print(f"checking {count} requests, and counting and logging the answers")
    cases = (
        ("known-subjects", subjects.cycling(200)),
        ("zipf", subjects.zipf(50_000)),
        ("new-subjects", subjects.counting(2_000_000)),
    )
    with tempfile.TemporaryDirectory(prefix="compat-guard-bench-") as folder:
        document = load_matrix(_matrix_file(Path(folder)))
    for name, numbers in cases:
        found = observing.measured(document, numbers, count if name != "new-subjects" else count // 10)
        figures.add(f"check-{name}", "us", found.check * 1e6)
        figures.add(f"observing-{name}", "us", found.observing * 1e6, f"check-{name}")


def _memory(figures: Figures, count: int) -> None:
    talk.print(f"checking {count} different requests")
    with tempfile.TemporaryDirectory(prefix="compat-guard-bench-") as folder:
        held = memory.measured(_matrix_file(Path(folder)), count)
    figures.add("checker-memory-half", "MB", held.half / 1e6)
    figures.add("checker-memory", "MB", held.all / 1e6, "checker-memory-half")


def _impact(figures: Figures, settings: Settings, count: int) -> None:
    talk.print(f"judging {count} kept requests by another matrix")
    with tempfile.TemporaryDirectory(prefix="compat-guard-bench-") as folder:
        seconds = impact.measured(settings, load_matrix(_matrix_file(Path(folder))), count)
    figures.add("impact", "s", seconds)


def _latency(figures: Figures, settings: Settings, seconds: float) -> None:
    """Both in turn, as often as the throughputs, so that one pause of the machine decides nothing."""
    found: dict[str, list[latency.Percentiles]] = {"echo": [], "checker": []}
    for turn in range(rounds.ROUNDS):
        for which in ("echo", "checker") if turn % 2 == 0 else ("checker", "echo"):
            talk.print(f"asking the {which} {latency.RATE} times a second for {seconds:g} s")
            throughput.skip_to_end(settings, which)
            found[which].append(latency.measured(which, settings, seconds))
    for percentile in ("p50", "p99"):
        for which, each in found.items():
            waits = [getattr(one, percentile) for one in each]
            against = None if which == "echo" else f"latency-echo-{percentile}"
            spread = (max(waits) - min(waits)) / statistics.median(waits)
            figures.add(f"latency-{which}-{percentile}", "ms", statistics.median(waits), against, spread)


def _ready(figures: Figures, settings: Settings) -> None:
    talk.print(f"starting a checker {ready.RUNS} times")
    throughput.skip_to_end(settings, "checker")
    figures.add("checker-ready", "s", ready.measured(_addresses(settings)))


def _addresses(settings: Settings) -> dict[str, str]:
    """Variables that lead a child to the same servers."""
    return {
        "GUARD_KAFKA__BOOTSTRAP": settings.kafka.bootstrap,
        "GUARD_REGISTRY__URL": settings.registry.url,
        "GUARD_POSTGRES__URL": settings.postgres.url.get_secret_value(),
    }


def _gateway(figures: Figures, settings: Settings, seconds: float) -> None:
    talk.print(f"asking {gateway.RATE} times a second for {seconds:g} s, through Kafka and over HTTP")
    throughput.skip_to_end(settings, "checker")
    with tempfile.TemporaryDirectory(prefix="compat-guard-bench-") as folder:
        found = gateway.measured(settings, _addresses(settings), Path(folder), seconds)
    figures.add("gateway-kafka-p50", "ms", found.kafka.p50)
    figures.add("gateway-http-p50", "ms", found.http.p50, "gateway-kafka-p50")
    figures.add("gateway-kafka-p99", "ms", found.kafka.p99)
    figures.add("gateway-http-p99", "ms", found.http.p99, "gateway-kafka-p99")


def _ledger(figures: Figures, url: str, records: int, events: int) -> None:
    talk.print(f"filing {records} records, each batch beside a bare copy of its rows")
    filed = ledger.sink_beside_copy(url, records)
    figures.add("bare-copy", "rows/s", filed.bare)
    figures.add("ledger-sink", "rows/s", filed.sink, "bare-copy")
    figures.add("ledger-sink-handle", "us", filed.handle)
    figures.add("ledger-bytes-per-event", "bytes", filed.size)
    talk.print(f"filling a ledger with {events} events")
    with ledger.filled_ledger(url, events) as engine:
        figures.add("ledger-verify", "rows/s", ledger.verified_a_second(engine))
        for name, milliseconds in ledger.search_p95(engine).items():
            figures.add(f"ledger-search-{name.replace('_', '-')}-p95", "ms", milliseconds)


def _exceptions(figures: Figures, settings: Settings, count: int) -> None:
    talk.print(f"restoring {count} live exceptions")
    found = exceptions.measured(settings, count)
    figures.add("exceptions-restore", "s", found.restore)
    figures.add("exceptions-memory", "bytes each", found.memory)
    figures.add("exceptions-tick-idle", "ms", found.idle_tick * 1e3)
    figures.add("exceptions-tick-1000-clocks", "ms", found.busy_tick * 1e3)
    figures.add("exceptions-verification", "ms", found.verification * 1e3)


def _matrix(figures: Figures, rows: int) -> None:
    schemas = Schemas.load(shipped("schemas"))
    small = matrix.loaded(1000, schemas).matrix
    figures.add("matrix-check-1k-rows", "us", matrix.seconds_per_check(small) * 1e6)
    talk.print(f"loading a matrix of {rows} rows")
    large, speed, memory, signed = matrix.loaded(rows, schemas)
    figures.add("matrix-load", "rows/s", speed)
    figures.add("matrix-load-signed", "times the time of the same unsigned", signed)
    figures.add("matrix-memory", "MB", memory / 1e6)
    figures.add("matrix-check-large", "us", matrix.seconds_per_check(large) * 1e6, "matrix-check-1k-rows")


def _show(figures: list[Figure]) -> None:
    rows = ((f.name, _right(number(f.value)), f.unit, _right(_ratio(f)), f.ratio_to or "") for f in figures)
    show(("measurement", "value", "unit", "ratio", "of"), rows)


def _right(text: str) -> Text:
    return Text(text, justify="right")


def _ratio(figure: Figure) -> str:
    return "" if figure.ratio is None else f"{figure.ratio:.2f}"


if __name__ == "__main__":
    main()
