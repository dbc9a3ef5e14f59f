"""Strict YAML: what people write is read; what only an attacker or an accident writes is refused, and quickly."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.documents import yaml_text
from processors.errors import DocumentRefused

BOMB = "\n".join(
    ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10))],
)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("a: 1\na: 2", "occurs twice", id="duplicate key"),
        pytest.param("a: {b: 1, b: 1}", "occurs twice", id="duplicate key further down"),
        pytest.param("a: &x 1\nb: *x", "anchor", id="anchor"),
        pytest.param("b: *x", "alias", id="alias"),
        pytest.param(BOMB, "anchor", id="alias bomb of nine levels"),
        pytest.param("<<: {a: 1}", "merge key", id="merge key"),
        pytest.param("a: !!python/object/apply:os.system [x]", "tag", id="tag"),
        pytest.param("a: !!str 1", "tag", id="harmless tag"),
        pytest.param("a: 1\n---\nb: 2", "second one", id="two documents"),
        pytest.param("[" * 10_000, "levels|nesting", id="10,000 open brackets"),
        pytest.param("[" * 10_000 + "]" * 10_000, "levels|nesting", id="10,000 nested lists"),
        pytest.param("{a: " * 10_000, "levels", id="10,000 nested mappings"),
        pytest.param("- " * 10_000 + "x", "levels", id="10,000 nested dashes"),
        pytest.param("a: .nan", "finite", id="NaN"),
        pytest.param("a: -.inf", "finite", id="infinity"),
        pytest.param("a: " + "9" * 100_000, "digits", id="a number of 100,000 digits"),
        pytest.param('a: "x\\0y"', "control", id="escaped NUL"),
        pytest.param("a: x\x00y", "control", id="NUL"),
        pytest.param("a: x\x1by", "control", id="terminal escape"),
        pytest.param(b"\xff\xfea\x00:\x00", "UTF-8", id="UTF-16"),
        pytest.param(b"a: \xc3\x28", "UTF-8", id="broken UTF-8"),
        pytest.param("? [a]\n: 1", "key that is text", id="a list as key"),
        pytest.param("a: [1", "not YAML", id="unfinished"),
        pytest.param("a: b: c", "not YAML", id="not YAML"),
        pytest.param("a: " + "x" * 5_000_000, "at most 1048576 bytes", id="5 MB"),
    ],
)
def test_dangerous_documents_are_refused(text: str | bytes, complaint: str) -> None:
    """Refused with a reason, without recursion, and in less time than a person notices."""
    began = time.process_time()

    with pytest.raises(DocumentRefused, match=complaint):
        yaml_text.load(text)

    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("", None, id="nothing"),
        pytest.param("a: ~", {"a": None}, id="null"),
        pytest.param("a: 1.10", {"a": 1.1}, id="a number"),
        pytest.param("a: '1.10'", {"a": "1.10"}, id="a quoted version"),
        pytest.param("a: 1.2.3", {"a": "1.2.3"}, id="a plain version"),
        pytest.param("a: no", {"a": "no"}, id="Norway"),
        pytest.param("a: 2026-11-24T00:00:00Z", {"a": "2026-11-24T00:00:00Z"}, id="a time stays text"),
        pytest.param("a: 12:30:00", {"a": "12:30:00"}, id="no base 60"),
        pytest.param("a: 0x1F", {"a": "0x1F"}, id="no hexadecimals"),
        pytest.param("1: true", {"1": True}, id="keys are text"),
        pytest.param("'<<': 1", {"<<": 1}, id="a quoted merge key is a key"),
        pytest.param("- [a, {b: c}]\n- |\n  d\n", [["a", {"b": "c"}], "d\n"], id="all shapes"),
        pytest.param(b"\xef\xbb\xbfa: \xc3\xa9", {"a": "é"}, id="a byte order mark"),
    ],
)
def test_plain_documents_are_read(text: str | bytes, value: object) -> None:
    """Only null, booleans and decimal numbers are more than text."""
    assert yaml_text.load(text).value == value


def test_numbers_keep_how_they_were_written() -> None:
    """So that a message can show a version as its author wrote it."""
    assert yaml_text.load("1.10").value.text == "1.10"
    assert yaml_text.load("007").value.text == "007"


def test_everything_has_its_line() -> None:
    """Lines count from 1 and are found by path."""
    lines = yaml_text.load("a: 1\nb:\n  - c\n  - d: 2\n").lines

    assert (lines["a",], lines["b", 0], lines["b", 1, "d"]) == (1, 3, 4)


def test_a_megabyte_of_small_things_is_read_in_seconds() -> None:
    """Cost grows with size, not with its square."""
    text = "a:\n" + "- {b: c}\n" * 110_000
    began = time.process_time()

    assert len(yaml_text.load(text).value["a"]) == 110_000
    assert time.process_time() - began < 20.0


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_foreign_exception_gets_through(content: bytes) -> None:
    """Whatever the bytes, there is a document or a refusal."""
    with suppress(DocumentRefused):
        yaml_text.load(content)
