"""Requests as thousands of hosts send them: about 600 bytes, 5 dependencies, 10 installed plugins."""

from __future__ import annotations

import itertools
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

from processors.events.subject import Host, InstalledPlugin, Manifest, Provision, Requirement, Subject
from processors.events.subject_record import subject_to_record
from processors.stream.types import Outbound
from processors.stream.wire.codec import Encoder
from processors.stream.wire.headers import event_headers

TOPIC = "compat.install-requests"
PLUGINS = 400
BLOCKED_EVERY = 50
TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def plugin(number: int) -> str:
    return f"com.acme.plugins.p{number:03d}"


@lru_cache(maxsize=1000)
def subject(number: int) -> Subject:
    """The question of that number: always the same one, and another one than that of any other number."""
    chosen = random.Random(number)
    ids = chosen.sample(range(PLUGINS), 11)
    needs = tuple(Requirement(plugin(n), "^1.0.0") for n in ids[1:6])
    there = tuple(InstalledPlugin(plugin(n), f"1.{chosen.randrange(5)}.{chosen.randrange(4)}") for n in ids[1:])
    return Subject(
        manifest=Manifest(
            id=plugin(ids[0]),
            version=f"2.{number // 1000 % 1000}.{number % 1000}",
            host_range=">=3.0.0" if number % BLOCKED_EVERY == 0 else ">=1.8.0 <3.0.0",
            requires=needs,
            runtimes=(Requirement("go", ">=1.21"),),
        ),
        host=Host("corex", f"2.{chosen.randrange(10)}.{number // 1_000_000}"),
        installed=there,
        runtimes=(Provision("go", "1.22"),),
    )


KNOWN = 200
"""Manifests, hosts and sets of installed plugins of which `combination` makes questions that nobody has asked."""


def combination(number: int) -> Subject:
    """A question of that number which is new as a whole, and in none of its parts."""
    chosen = random.Random(f"combination {number}")
    wanted, there = subject(chosen.randrange(1, KNOWN)), subject(chosen.randrange(1, KNOWN))
    known = [
        plugin for n in range(1, KNOWN, 20) for plugin in subject(n).installed if plugin not in there.installed
    ]
    extra = {plugin.id: plugin for plugin in chosen.sample(known, 8)}
    own = {plugin.id: plugin for plugin in (*there.installed, *wanted.installed)}
    return replace(wanted, installed=tuple({**extra, **own}.values()))


def requests(
    encoder: Encoder, numbers: Iterator[int], count: int, ask: Callable[[int], Subject] = subject
) -> Iterator[Outbound]:
    """Requests for the questions of these numbers, with the headers that a deployer's client writes."""
    tails: dict[int, tuple[bytes, bytes]] = {}
    for number in itertools.islice(numbers, count):
        if number not in tails:
            asked = ask(number)
            tails[number] = (asked.manifest.id.encode(), encoder.tail(subject_to_record(asked)))
        key, tail = tails[number]
        request_id = str(uuid.uuid4())
        yield Outbound(TOPIC, key, encoder.join(envelope(request_id), tail), headers(request_id))


def envelope(request_id: str) -> dict[str, Any]:
    return {
        "request_id": request_id,
        "requested_at": 1_800_000_000_000,
        "tenant": "acme",
        "operator": "deployer-7",
        "environment": "production",
        "target": "cluster-eu-1",
        "action": "INSTALL",
        "exception_id": None,
        "acknowledgement": None,
        "monitoring": None,
        "recheck_of": None,
    }


def headers(request_id: str) -> tuple[tuple[str, bytes | None], ...]:
    traced = (("traceparent", TRACE),)
    return event_headers(
        id=request_id, type="plugin.install.requested", source="/bench", time=1_800_000_000_000, cause=traced
    )


def cycling(distinct: int) -> Iterator[int]:
    return itertools.cycle(range(1, distinct + 1))


def zipf(distinct: int, exponent: float = 1.1) -> Iterator[int]:
    weights = list(itertools.accumulate(1 / rank**exponent for rank in range(1, distinct + 1)))
    chosen = random.Random(7)
    while True:
        yield from chosen.choices(range(1, distinct + 1), cum_weights=weights, k=10_000)


def counting(start: int) -> Iterator[int]:
    return itertools.count(start)


Numbers = Callable[[], Iterator[int]]
