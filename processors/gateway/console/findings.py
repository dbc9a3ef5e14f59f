"""What each finding code means: pages for everybody, because reports link to them from anywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from fastapi import APIRouter, Request, Response

from processors.checker.findings import sections
from processors.errors import shorten
from processors.gateway.console.rendering import Page
from processors.gateway.console.routing import PageRoute, show

_PART: Final = re.compile(r"\*\*(?P<name>.+?)\*\*\s*(?P<text>.*)")

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings(Page):
    """All codes, each with what it means."""

    template = "findings.html"
    codes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingPage(Page):
    """One code: what it means, why it matters, what to do, how it counts."""

    template = "finding.html"
    code: str
    parts: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSuchFinding(Page):
    """A code that there is not, and those that may be meant."""

    template = "no_finding.html"
    code: str
    close: Sequence[str]


@router.get("/findings")
async def findings(request: Request) -> Response:
    codes = {code: parts_of(text)[0][1] for code, text in sections().items()}
    return show(request, Findings(title="What findings mean", codes=codes))


@router.get("/findings/{code}")
async def finding(request: Request, code: str) -> Response:
    known = sections()
    wanted = code.upper().replace("-", "_")
    if wanted not in known:
        close = get_close_matches(wanted[:100], known, n=5)
        return show(request, NoSuchFinding(title="No such finding code", code=shorten(code), close=close), 404)
    return show(request, FindingPage(title=wanted, code=wanted, parts=parts_of(known[wanted])))


def parts_of(section: str) -> list[tuple[str, str]]:
    """The parts of a section of FINDINGS.md: a heading, such as `Means`, and its text."""
    found = [_PART.fullmatch(line) for line in section.splitlines() if line.strip()]
    return [(part["name"], part["text"][:1].upper() + part["text"][1:]) for part in found if part is not None]
