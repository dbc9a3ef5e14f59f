"""A question that is read by what was read before is the one that an Avro reader reads."""

from __future__ import annotations

import random

import pytest
from examples import questions as ask
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.checker.reading import QuestionReader
from processors.configuration.settings import shipped
from processors.errors import EventUnreadable
from processors.events.subject import Host, InstalledPlugin, Manifest, Requirement, Subject
from processors.events.subject_record import subject_from_record, subject_to_record
from processors.events.topics import INSTALL_REQUESTS
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas

CODEC = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())
REQUESTS = CODEC.decoder(INSTALL_REQUESTS, "InstallRequested")
ENCODE = CODEC.encoder(INSTALL_REQUESTS, "InstallRequested").tail


def bytes_of(subject: Subject) -> bytes:
    return ENCODE(subject_to_record(subject))


def assert_read_as_whole(read: QuestionReader, raw: bytes) -> None:
    try:
        whole = subject_from_record(REQUESTS.tail(raw))
    except EventUnreadable as refused:
        with pytest.raises(EventUnreadable, match=str(refused)):
            read(raw)
    else:
        assert read(raw) == whole


@settings(max_examples=100, deadline=None)
@given(st.lists(ask.subjects, min_size=1, max_size=5), st.integers(0, 2**32))
def test_every_question_is_read_as_an_avro_reader_reads_it(subjects: list[Subject], seed: int) -> None:
    """Also bytes that are cut short or changed, once all of their parts are known."""
    read, dice = QuestionReader(REQUESTS), random.Random(seed)
    for subject in subjects * 2:
        raw = bytes_of(subject)
        assert read(raw) == subject
        for _ in range(5):
            at = dice.randrange(len(raw))
            assert_read_as_whole(read, raw[:at])
            assert_read_as_whole(read, raw[:at] + bytes([dice.randrange(256)]) + raw[at + 1 :])


A, B = InstalledPlugin("a", "1.0.0"), InstalledPlugin("b", "1.0.0", requires=(Requirement("a"),))


def beside(*installed: InstalledPlugin) -> Subject:
    return Subject(manifest=Manifest(id="p", version="1.0.0"), host=Host("h", "1.0.0"), installed=installed)


def test_arrays_and_counts_that_are_written_in_an_unusual_way_are_read_alike() -> None:
    read = QuestionReader(REQUESTS)
    raw = bytes_of(beside(A, B))
    empty = bytes_of(beside())
    at = next(n for n in range(len(empty)) if raw[n] != empty[n])
    a, b = (REQUESTS.part("installed")(subject_to_record(beside(plugin))["installed"][0]) for plugin in (A, B))
    rest = empty[at + 1 :]
    assert raw == raw[:at] + b"\x04" + a + b + b"\x00" + rest

    for there in (
        b"\x02" + a + b"\x02" + b + b"\x00",
        b"\x84\x00" + a + b + b"\x00",
        b"\x03" + bytes([len(a + b) << 1]) + a + b + b"\x00",
        b"\x80\x00",
        b"\x04" + a + b,
    ):
        for _ in range(2):
            assert_read_as_whole(read, raw[:at] + there + rest)


def test_plugins_of_one_name_and_version_are_told_apart() -> None:
    read = QuestionReader(REQUESTS)
    kinds = [InstalledPlugin("a", "1.0.0", requires=(Requirement(f"n{n}"),)) for n in range(20)]
    for plugin in (A, *kinds, *kinds, A):
        assert read(bytes_of(beside(plugin, B))) == beside(plugin, B)


def test_memory_is_bounded_however_much_a_plugin_says() -> None:
    read = QuestionReader(REQUESTS, kept=200_000)
    for n in range(50):
        read(bytes_of(beside(InstalledPlugin(f"t{n}", "1.0.0", requires=(Requirement("x" * 5000),)))))

    assert 0 < read.held() <= 400_000
