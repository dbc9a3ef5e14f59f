"""What each finding code means: the sections of FINDINGS.md, which is the one place where that is written."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from processors.events.vocabulary import Code


def meaning(code: Code) -> str:
    """The section of a code as Markdown, without its heading. Raises KeyError for UNKNOWN, which means nothing."""
    return sections()[code]


@cache
def sections() -> dict[str, str]:
    """Every section by its heading, in the order of the page."""
    page = files("processors.checker").joinpath("FINDINGS.md").read_text("utf-8")
    _, *parts = page.split("\n## ")
    return {heading: body.strip() for heading, _, body in (part.partition("\n") for part in parts)}
