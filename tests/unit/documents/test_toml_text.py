"""TOML that a stranger wrote: read as it is written, or refused with a reason, and never at any price."""

from __future__ import annotations

import time
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.documents import toml_text
from processors.documents.scalars import WrittenFloat, WrittenInt
from processors.documents.toml_text import MOST_PARTS
from processors.errors import DocumentRefused

LIMIT = 1 << 20
LONG = ".".join("a" * (MOST_PARTS + 1))
TOO_LONG = f"at most {MOST_PARTS} parts"


def read(text: str) -> Any:
    return toml_text.load(text, limit=LIMIT)


def test_numbers_and_times_are_the_texts_that_stand_for_them() -> None:
    """`1.10` is another release than 1.1."""
    value = read("a = 7\nb = 1.10\nc = 2026-12-01\nd = inf\n")

    assert isinstance(value["a"], WrittenInt)
    assert isinstance(value["b"], WrittenFloat)
    assert (value["a"].text, value["b"].text, value["c"], value["d"].text) == ("7", "1.10", "2026-12-01", "inf")


@pytest.mark.parametrize(
    "text",
    ["a = " + "1" * 5_000, "a = 0x" + "f" * 5_000, "a = 1" + "0" * 5_000 + ".0", "a = 0b" + "1" * 500],
    ids=["decimal", "hexadecimal", "a fraction", "binary"],
)
def test_a_number_without_end_is_refused(text: str) -> None:
    """Python cannot write it as text again."""
    with pytest.raises(DocumentRefused, match="number"):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "{} = 1",
        "[{}]",
        "[[{}]]",
        "x = {{{} = 1}}",
        "[a]\n'x'.\"y\" . {} = 1",
        "'#' . {} = 1",
        "x = '\\'\n{} = 1",
        'x = "\\""\n{} = 1',
        'x = """\\""""\n{} = 1',
        'x = [{{y = """"a""""", {} = "b"}}]',
        "x = [{{y = '''a'''', {} = 'b'}}]",
        "x = [ # '\n1]\n{} = 1",
        '# """\n{} = 1',
    ],
)
def test_a_key_of_many_parts_is_refused_wherever_it_hides(text: str) -> None:
    with pytest.raises(DocumentRefused, match=TOO_LONG):
        read(text.format(LONG))


@pytest.mark.parametrize(
    "text",
    [
        'x = "{}"',
        "x = '{}'",
        'x = """\n{}\n"""',
        "x = '''{}'''",
        'x = 1 # "{}',
        "# it's {}",
        'x = ["{}", "b"]',
        '"{}" = 1',
    ],
)
def test_dots_that_part_no_key_are_no_matter(text: str) -> None:
    """A description may have many sentences on one line, and a list many versions."""
    assert isinstance(read(text.format(LONG)), dict)
    assert read(f"x = [{', '.join(['1.5'] * 100)}]")["x"][99].text == "1.5"


PIECES = st.sampled_from(
    ["KEY", "KEY = 1\n", "x", "= 1\n", "= {", "}", "[", "]", ",", '"', "'", '"""', "'''", "\\", "#", "\n", ".", " "]
)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return max(map(depth, value), default=0) if isinstance(value, list) else 0


@settings(max_examples=1_000, deadline=None)
@given(st.lists(PIECES, max_size=16).map("".join))
def test_a_key_is_too_long_exactly_where_the_reader_would_read_one(text: str) -> None:
    """The text has a long key wherever it says KEY, and Python's reader tells which of them are keys."""
    text = text.replace("KEY", LONG)
    try:
        is_sound = depth(tomllib.loads(text)) <= MOST_PARTS
    except tomllib.TOMLDecodeError:
        is_sound = False

    if is_sound:
        assert isinstance(read(text), dict)
    else:
        with pytest.raises(DocumentRefused):
            read(text)


@pytest.mark.parametrize(
    "text",
    [
        LONG + " = 1",
        ".".join(["a"] * 400_000) + " = 1",
        '"""\n' + "." * 40 + '\\"""\n' * 190_000,
        "x = " + "." * 40 + '\\"' * 480_000,
        "'" * 5 + "." * 40 + "a'" * 400_000,
        "a" + " " * 900_000 + "." * 40,
    ],
    ids=["short", "a megabyte", "texts without end", "quotes without end", "crooked quotes", "spaces"],
)
def test_what_is_no_toml_is_refused_at_once(text: str) -> None:
    """Each takes less than a tenth of this; what looked at the rest of the text again and again took minutes."""
    began = time.process_time()

    with pytest.raises(DocumentRefused):
        read(text)

    assert time.process_time() - began < 5
