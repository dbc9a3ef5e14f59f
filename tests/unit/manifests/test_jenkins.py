"""Jenkins' attributes: long lines are folded, every version is a lowest one, case of names does not count."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.errors import DocumentRefused
from processors.events.subject import Requirement
from processors.manifests import read_manifest
from processors.manifests.jenkins import attributes

HEAD = "Manifest-Version: 1.0\nShort-Name: gate\nPlugin-Version: 5.2.0\n"


def folded(text: str, width: int) -> bytes:
    """A line as JAR tools write it: bytes, cut wherever the limit falls."""
    line = text.encode()
    rest = [line[at : at + width - 1] for at in range(width, len(line), width - 1)]
    return b"\r\n ".join([line[:width], *rest]) + b"\r\n"


@settings(max_examples=100, deadline=None)
@given(value=st.text(st.characters(categories=["L", "N", "P"]), max_size=200), width=st.integers(20, 72))
def test_a_folded_line_is_read_as_it_was_before(value: str, width: int) -> None:
    """Lines may be cut within a character."""
    data = b"Manifest-Version: 1.0\r\n" + folded(f"Long-Name: {value}", width)

    assert attributes(data, 1 << 20)["Long-Name"] == value


def test_only_the_main_section_counts() -> None:
    """Sections after the first blank line speak of single entries."""
    data = HEAD.encode() + b"\nName: a/b.class\nPlugin-Version: 9.9.9\n"

    assert read_manifest(data, "MANIFEST.MF").version == "5.2.0"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do(end: str) -> None:
    """The JAR specification allows three."""
    assert read_manifest(HEAD.replace("\n", end).encode(), "MANIFEST.MF").id == "gate"


def test_the_case_of_a_name_does_not_count() -> None:
    """By the JAR specification."""
    assert read_manifest(HEAD.lower().encode(), "MANIFEST.MF").version == "5.2.0"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(HEAD + "short-name: other\n", "line 4: the attribute `Short-Name` occurs twice", id="twice"),
        pytest.param(HEAD + "no separator\n", "line 4: expected `Name: value`", id="no separator"),
        pytest.param(" folded\n" + HEAD, "line 1: expected `Name: value`", id="a continuation of nothing"),
        pytest.param(HEAD + "Long-Name: a\0b\n", "line 4: expected text", id="NUL"),
    ],
)
def test_malformed_attributes_are_refused(data: str, says: str) -> None:
    """Half of a manifest is not one."""
    with pytest.raises(DocumentRefused, match=says):
        read_manifest(data.encode(), "MANIFEST.MF")


def test_needs_are_lowest_versions_and_may_be_optional() -> None:
    """`git:5.2.0` means 5.2.0 or newer; other directives change nothing."""
    manifest = read_manifest(
        (HEAD + "Plugin-Dependencies: git:5.2.0,mailer:489;resolution:=optional,a:1;x:=y\n").encode(), "MANIFEST.MF"
    )

    assert manifest.requires == (
        Requirement("git", ">=5.2.0"),
        Requirement("mailer", ">=489", optional=True),
        Requirement("a", ">=1"),
    )


def test_a_need_without_a_version_is_a_defect() -> None:
    """Jenkins always writes one, so something was lost."""
    manifest = read_manifest((HEAD + "Plugin-Dependencies: git:5.2.0,mailer\n").encode(), "MANIFEST.MF")

    assert [defect.path for defect in manifest.defects] == ["Plugin-Dependencies[1]"]
