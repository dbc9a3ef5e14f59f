"""Bytes that nobody honest writes, at every reader that strangers reach: refused in our own words, or read.

`GUARD_FUZZ=200000` tries so many mutants of each; `python -m fuzz` (tests/fuzz) looks further, by coverage.
"""

from __future__ import annotations

import os
import random
from contextlib import suppress

import pytest
from fuzz.targets import TARGETS

from processors.errors import GuardError
from processors.exception_workflow.rules.reasons import Objection

MUTANTS = int(os.environ.get("GUARD_FUZZ", "2000"))
pytestmark = pytest.mark.timeout(300 + MUTANTS // 50)

SPLICES = (
    b"\0", b"\xff", b"\n", b"\t", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"---\n", b"&a *a", b"!!python/object:x ",
    b"{{", b"]" * 40, b"[" * 400, b"{" * 400, b"9" * 5000, b"1e999", b"-0", b"0x7f", b"1_000", b"2026-02-30", b"~",
    b"<<: ", b"<!DOCTYPE a [", b"&#0;", b"\xe2\x80\xae", b"../../", b"=cmd|", b".", b"..", b"\x80" * 10 + b"\x01",
    b'<?xml version="1.0" encoding="foo"?>', b"0x" + b"f" * 5000, b".a" * 1000, b"=[" * 1020, b'"""', b"'''",
)  # fmt: skip


def mutant(seed: bytes, dice: random.Random) -> bytes:
    data = bytearray(seed)
    for _ in range(dice.choice((1, 1, 2, 6))):
        at = dice.randrange(len(data) + 1)
        match dice.randrange(5):
            case 0 if at < len(data):
                data[at] = dice.randrange(256)
            case 1:
                data[at:at] = dice.choice(SPLICES)
            case 2:
                del data[at : at + dice.choice((1, 4, 64, len(data)))]
            case 3:
                data[at:at] = data[dice.randrange(len(data) + 1) :][:64]
            case _:
                data[at : at + 1] = dice.choice(SPLICES)
    return bytes(data)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_what_honest_writers_send_is_a_seed(name: str) -> None:
    """A corpus that is refused at the first byte would reach nothing."""
    accepted = 0
    for seed in TARGETS[name].corpus():
        with suppress(GuardError, Objection):
            TARGETS[name].read(seed)
            accepted += 1

    assert accepted >= (1 if name == "jws" else 3)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_what_has_been_found_is_refused_or_read(name: str) -> None:
    """Each seed as it is, also where an earlier release had no answer."""
    for seed in TARGETS[name].corpus():
        TARGETS[name](seed)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_mutants_are_refused_in_our_own_words(name: str) -> None:
    """Nothing escapes but our refusals. The seed of a mutant is in the failure."""
    target = TARGETS[name]
    seeds = list(target.corpus())
    for number in range(MUTANTS):
        dice = random.Random(f"{name}/{number}")
        data = mutant(dice.choice(seeds), dice)
        try:
            target(data)
        except Exception as error:
            raise AssertionError(f"{name}/{number}: {data[:2000]!r}") from error
