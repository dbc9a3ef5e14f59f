"""What a version check costs: with its range read before, and with nothing read before; npm's own beside it."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import platformdirs

from processors.versions import Dialect, satisfies

COUNT = 20_000
ROUNDS = 3
"""The best of so many counts: the others met the rest of the machine."""

_APART = 10 * COUNT
"""So that no version of one kind of row was read with the other."""

NODE = """
const semver = require(process.argv[1] + "/node_modules/semver");
const [known, cold] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const time = (rows) => {
  const start = process.hrtime.bigint();
  for (const [range, version] of rows) semver.satisfies(version, range);
  return Number(process.hrtime.bigint() - start) / 1000 / rows.length;
};
console.log(JSON.stringify([time(known), time(cold)]));
"""


class Cost(NamedTuple):
    """Microseconds a check: the range read before and the version new, both new, and both read before."""

    known_range: float
    cold: float
    known: float = 0.0


Row = tuple[str, str]


def rows(start: int) -> tuple[list[Row], list[Row]]:
    """Checks that share one range, and checks that share nothing."""
    numbers = range(start, start + COUNT)
    known = [("^1.2.3 || >=2.5.0 <3.0.0", _version(n)) for n in numbers]
    cold = [(f">={n % 3}.{n // 3 % 200}.{n // 600} <{n % 3 + 1}.0.0", _version(n + _APART)) for n in numbers]
    return known, cold


def _version(n: int) -> str:
    """Another one for each `n`, with numbers as small as those of real versions are."""
    return f"{n % 4}.{n // 4 % 300}.{n // 1200}"


def ours() -> Cost:
    costs = [_cost(*rows(n * COUNT)) for n in range(1, ROUNDS + 1)]
    return Cost(*(min(figures) for figures in zip(*costs, strict=True)))


def _cost(known: list[Row], cold: list[Row]) -> Cost:
    return Cost(_timed(known), _timed(cold), _timed(cold))


def npms() -> Cost | None:
    """None without node, or without npm's package in the cache, where the differential test puts it."""
    node, cache = shutil.which("node"), Path(platformdirs.user_cache_dir("compat-guard"))
    found = sorted(cache.glob("references-*/npm/node_modules/semver"))
    if node is None or not found:
        return None
    folder = str(found[-1].parents[1])
    costs: list[Cost] = []
    for n in range(1, ROUNDS + 1):
        done = subprocess.run(
            [node, "-e", NODE, folder],
            input=json.dumps(rows(n * COUNT)),
            capture_output=True,
            text=True,
            check=True,
        )
        costs.append(Cost(*json.loads(done.stdout)))
    return Cost(min(c.known_range for c in costs), min(c.cold for c in costs))


def _timed(checks: list[Row]) -> float:
    dialect = Dialect.NPM  # looked up once, as its host's is in a check
    started = time.process_time()
    for text, version in checks:
        satisfies(text, version, dialect)
    return (time.process_time() - started) / len(checks) * 1e6
