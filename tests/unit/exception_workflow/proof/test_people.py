"""Who may be who: names that two people share, and names that nobody may bear."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.events.exceptions import Person
from processors.exception_workflow.proof.people import objection, same_person

ANYWHERE = "https://login.example"


def alike(one: str, other: str) -> bool:
    return same_person(Person(ANYWHERE, one), Person("https://elsewhere.example", other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("alice", "ALICE", id="case"),
        pytest.param("alice@x.example", "alice+work@x.example", id="a tag in an address"),
        pytest.param("alice", "\u0430lice", id="a Cyrillic a"),
        pytest.param("coco", "\u0441\u043e\u0441\u043e", id="all of it Cyrillic"),
        pytest.param("alice", "\uff41lice", id="a wide letter"),
        pytest.param("bob", "b\u200bob", id="a space of no width"),
        pytest.param("bob", "bo\u00adb", id="a soft hyphen"),
        pytest.param("bob", "bob\ufe0f", id="a variation selector"),
        pytest.param("mary", "rnary", id="r and n for m"),
        pytest.param("user1", "userl", id="an l for a 1"),
        pytest.param("user1", "userI", id="a capital i for a 1"),
        pytest.param("strauss", "strau\u00df", id="sharp s"),
    ],
)
def test_names_that_look_alike_are_one_person(one: str, other: str) -> None:
    """Whoever asked must not decide under another spelling, nor approve twice."""
    assert alike(one, other)
    assert alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("alice", "alicia"), ("petra", "sabine"), ("jürgen", "jurgen"), ("u-1001", "u-1002"), ("a@x", "a@y")],
)
def test_names_that_differ_to_the_eye_are_two_people(one: str, other: str) -> None:
    """Else nobody could approve for anybody."""
    assert not alike(one, other)


@given(st.text(min_size=1, max_size=20))
def test_everybody_is_their_own_person(name: str) -> None:
    """Whatever a provider calls them."""
    assert alike(name, name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("x" * 257, "257 characters"),
        ("b\u200bob", "U+200B"),
        ("bo\u00adb", "U+00AD"),
        ("bob\u3164", "U+3164"),
        ("bob\u2028", "U+2028"),
        ("a\u3000b", "U+3000"),
        ("bob\u202e", "U+202E"),
        ("ju\u0308rgen", "NFKC"),
        ("\uff41lice", "NFKC"),
        ("\u0430lice", "cyrillic and latin"),
    ],
)
def test_a_name_that_could_show_as_another_s_is_borne_by_nobody(name: str, why: str) -> None:
    """It is refused where it comes in, so that no page and no log has to tell it apart."""
    assert why in objection(name)


@pytest.mark.parametrize(
    "name", ["alice", "auth0|5f7c", "jürgen", "алиса", "田中さん", "김민수 kim", "o'neil", "a b"]
)
def test_an_honest_name_is_accepted(name: str) -> None:
    """In any one script, and in those that are written together."""
    assert objection(name) == ""
