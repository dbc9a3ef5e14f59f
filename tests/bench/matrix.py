"""A large matrix: how fast it loads, what it weighs, and what a check costs beside it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import psutil

from processors.bootstrap.seal_keys import new_seals
from processors.checker.check import check
from processors.checker.processor import Checker
from processors.configuration.settings import shipped
from processors.events.topics import RESULTS
from processors.matrix.canonical import digest_of as matrix_digest
from processors.matrix.document import HostDeclaration, MatrixDocument, Release, Rule
from processors.matrix.fold import MatrixFold
from processors.matrix.merged import Matrix
from processors.matrix.parts import key_of, split, statement_of
from processors.stream.types import Inbound
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas
from processors.trust.keys import new_signing_key, public_half, read_public_keys, read_signer
from processors.trust.signatures import sign, verify
from processors.trust.sources import Trust, TrustedSource
from processors.trust.statements import Statement

from . import observing, subjects

NOW = 1_800_000_000_000
DAY = 86_400_000


def document(rows: int, source: str = "governance") -> MatrixDocument:
    """A matrix that lists every plugin of the measurement, and then others up to that many rows, a tenth globs."""
    listed = [_release(source, n, subjects.plugin(n), "1.0.0") for n in range(subjects.PLUGINS)]
    rules = [
        Rule(source, "1", subjects.PLUGINS + n, "corex", "", _pattern(n), "0.1.0", "0.9.9", "warn")
        for n in range(rows - subjects.PLUGINS)
    ]
    allowed = Rule(source, "1", rows, "corex", "", "com.acme.plugins.*", None, None, "allow")
    parts: dict[str, Any] = {
        "source": source,
        "revision": "1",
        "hosts": {"corex": HostDeclaration("corex", releases=("2.0.0", "3.0.0"))},
        "rules": (*rules, allowed),
        "releases": tuple(listed),
    }
    undigested = MatrixDocument(**parts, digest="")
    digest = matrix_digest(source, undigested, undigested.rules, undigested.releases)
    return replace(undigested, digest=digest)


def _pattern(number: int) -> str:
    return f"com.other{number // 10 % 9973}.x{number}.*" if number % 10 == 0 else f"com.other.plugin-{number}"


def _release(source: str, row: int, plugin: str, version: str) -> Release:
    return Release(source, "1", row, plugin, version)


class Loaded(NamedTuple):
    """The matrix, rows a second through the fold, bytes of memory that it added, and how many times as long as
    without its signature it took."""

    matrix: Matrix
    speed: float
    memory: int
    signed: float


def loaded(rows: int, schemas: Schemas) -> Loaded:
    event = schemas["MatrixRefreshed"]
    publisher = new_signing_key("bench")
    signer, (public,) = read_signer(publisher), read_public_keys(json.dumps({"keys": [public_half(publisher)]}))
    statement = statement_of(large := document(rows), NOW, 1)
    signature = sign(statement, signer)
    records = list(_records(large, statement, signature, event.encode))
    del large
    process = psutil.Process()
    before, started = process.memory_info().rss, time.perf_counter()
    fold = MatrixFold(event.decode, Trust(others=TrustedSource((public,))))
    rejects = fold.apply(records)
    elapsed, memory = time.perf_counter() - started, process.memory_info().rss - before
    if rejects:
        raise RuntimeError(rejects[0].message)
    started = time.perf_counter()
    verify(statement, signature, [public], NOW)
    verified = time.perf_counter() - started
    return Loaded(fold.snapshot(), rows / elapsed, memory, elapsed / (elapsed - verified))


def _records(of: MatrixDocument, statement: Statement, signature: str, encode: Any) -> Iterator[Inbound]:
    for offset, part in enumerate(split(of, statement, signature)):
        yield Inbound("compat.matrix-refreshes", 0, offset, NOW, key_of(of.source, offset + 1), encode(part))


def seconds_per_check(matrix: Matrix, count: int = 4000) -> float:
    asked = [subjects.subject(n) for n in range(1, count + 1) if n % subjects.BLOCKED_EVERY]
    for subject in asked[:200]:
        check(subject, matrix, NOW, "")
    started = time.process_time()
    for subject in asked:
        check(subject, matrix, NOW, "")
    return (time.process_time() - started) / len(asked)


def answer_to(number: int) -> dict[str, Any]:
    """A whole result record for the question of that number, as the checker makes it."""
    codec = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())
    (batch,) = observing.batches(codec, iter([number]), 1)
    (answer,) = Checker(codec, new_seals()).handle(batch, observing.View(document(1000))).outputs  # type: ignore[arg-type]
    return codec.decoder(RESULTS, "CompatibilityChecked")(answer.value)
