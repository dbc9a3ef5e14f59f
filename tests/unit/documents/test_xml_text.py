"""XML that a stranger wrote: read, or refused with a reason, and never expanded or fetched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.documents import xml_text
from processors.errors import DocumentRefused

BILLION = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><l>&b;&b;&b;</l>'
OUTSIDE = '<!DOCTYPE l [<!ENTITY f SYSTEM "file:///etc/passwd">]><l>&f;</l>'


def read(text: str) -> xml_text.Element:
    return xml_text.load(text, limit=1 << 20, depth=32)


def test_elements_attributes_and_text_are_read() -> None:
    """White space around and within a text is layout."""
    root = read('<?xml version="1.0"?><!-- a --><p><id> org.example\n lens </id><b since="241"/></p>')

    assert [child.name for child in root.children] == ["id", "b"]
    assert root.all("id")[0].text == "org.example lens"
    assert root.all("b")[0].attributes == {"since": "241"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BILLION, "declarations"),
        (OUTSIDE, "declarations"),
        ("<l>&undeclared;</l>", "not XML"),
        ("<l>", "not XML"),
        ("", "not XML"),
        ("<a>" * 40 + "</a>" * 40, "32 levels"),
        ("<l>" + "<a/>" * 20_001 + "</l>", "20000 elements"),
    ],
    ids=["a billion laughs", "a file", "an entity", "cut off", "nothing", "deep", "wide"],
)
def test_what_is_hostile_is_refused(text: str, said: str) -> None:
    """With its reason, before anything grows."""
    with pytest.raises(DocumentRefused, match=said):
        read(text)


@pytest.mark.parametrize("encoding", ["foo", "shift_jis", "utf-7", "utf-16", "punycode", "rot13", "undefined"])
def test_an_encoding_that_the_text_is_not_in_is_refused(encoding: str) -> None:
    """The bytes are UTF-8, whatever they say of themselves."""
    with pytest.raises(DocumentRefused, match=f"expected UTF-8, found the encoding `{encoding}`"):
        read(f'<?xml version="1.0" encoding="{encoding}"?><l/>')


@pytest.mark.parametrize("encoding", ["UTF-8", "utf-8", "US-ASCII", "ISO-8859-1", "windows-1252"])
def test_plain_letters_are_the_same_in_all_of_these(encoding: str) -> None:
    head = f'<?xml version="1.0" encoding="{encoding}"?>'

    assert read(f"{head}<l>a</l>").text == "a"
    if encoding.startswith(("ISO", "windows")):
        with pytest.raises(DocumentRefused, match="expected UTF-8"):
            read(f"{head}<l>ä</l>")


def test_half_a_character_is_refused() -> None:
    with pytest.raises(DocumentRefused, match="not XML"):
        read("<l>\ud800</l>")


def test_a_document_type_alone_is_harmless() -> None:
    """Old plugin.xml files have one; nothing is fetched for it."""
    assert read('<!DOCTYPE idea-plugin PUBLIC "x" "http://192.0.2.1/x.dtd"><idea-plugin/>').name == "idea-plugin"


@given(st.text("<>/&;!ab=\"' []", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No other error."""
    try:
        read(text)
    except DocumentRefused:
        return
