"""What each finding code means: the sections of FINDINGS.md, the only place where this is written."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from processors.events.vocabulary import Code


def meaning(code: Code) -> str:
    """The section of a code as Markdown, without its heading. Raises KeyError for UNKNOWN, which has none."""
    return sections()[code]


@cache
def sections() -> dict[str, str]:
    """Every section by its heading, in page order."""
    page = files("processors.checker").joinpath("FINDINGS.md").read_text("utf-8")
    _, *parts = page.split("\n## ")
    return {heading: body.strip() for heading, _, body in (part.partition("\n") for part in parts)}
