"""The console's own files. There are no others: no font, no script and no image comes from anywhere else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Request, Response

from processors.checker.views.html import stylesheet
from processors.gateway.problems import Problem

router = APIRouter(include_in_schema=False)

_MEDIA: Final[Mapping[str, str]] = {
    "console.css": "text/css",
    "console.mjs": "text/javascript",
    "icon.svg": "image/svg+xml",
}


@router.get("/static/{name}")
async def static(request: Request, name: str) -> Response:
    if name not in _MEDIA:
        raise Problem("not-found", "there is no such file")
    text, tag = _content(name)
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Content-Security-Policy": "default-src 'none'"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(text, media_type=_MEDIA[name], headers=headers)


@cache
def _content(name: str) -> tuple[str, str]:
    """A file and its tag. The style begins with that of reports, so that both look alike."""
    text = files("processors.gateway.console").joinpath("static", name).read_text("utf-8")
    if name == "console.css":
        text = stylesheet() + text
    return text, f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'
