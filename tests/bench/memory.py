"""What a checker holds after very many questions that nobody has asked before, in a process of its own."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from processors.bootstrap.seal_keys import new_seals
from processors.checker.processor import Checker
from processors.configuration.settings import shipped
from processors.events.subject import Subject
from processors.matrix.text import load_matrix
from processors.observability.collector import collector_eased
from processors.observability.logs import silence_unless_configured
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas

from . import observing, subjects


class Held(NamedTuple):
    """Bytes of resident memory, after half of the questions and after all."""

    half: float
    all: float


def measured(matrix: Path, count: int) -> Held:
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    process = context.Process(target=_checked, args=(matrix, count, answers))
    process.start()
    held = Held(answers.get(), answers.get())
    process.join()
    return held


def _checked(matrix: Path, count: int, answers: Any) -> None:
    silence_unless_configured()
    codec = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())
    checker, view = Checker(codec, new_seals()), observing.View(load_matrix(matrix))
    numbers = subjects.counting(1)
    with collector_eased():
        for _half in range(2):
            for batch in observing.batches(codec, numbers, count // 2, _either):
                checker.handle(batch, view)  # type: ignore[arg-type]
            answers.put(float(psutil.Process().memory_info().rss))


def _either(number: int) -> Subject:
    """Half of them are new in all, half only as a whole."""
    return subjects.combination(number) if number % 2 else subjects.subject(number)
