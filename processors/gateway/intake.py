"""Reads requests: a body of bounded size within a bounded time, as strict JSON or a form."""

from __future__ import annotations

import asyncio
import re
from typing import Any, Final, TypeVar, cast

from pydantic import BaseModel, ValidationError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from processors.documents import json_text
from processors.documents.complaints import refusal
from processors.errors import DocumentRefused, shorten
from processors.gateway.problems import Problem

LARGEST_BODY: Final = 4 * 1024 * 1024
"""Bytes: manifests as JSON text, where every character may take several, and the installed plugins."""

LARGEST_MANIFEST: Final = 256 * 1024
"""Bytes of a manifest in UTF-8: a hundred times a usual one, parsed in half a second. Topics take larger ones."""

AT_ONCE: Final = 8 * 1024
"""The most bytes that are parsed in the event loop: a few milliseconds at most, and mostly less than it takes to
wake a thread. Larger bodies are parsed in a thread, so that others are answered meanwhile."""

LARGE: Final = 64 * 1024
"""Bytes above which parsing takes half a second and more, so that it is done for each caller one at a time."""

DEEPEST: Final = 40
"""The most levels of a JSON body."""

LONGEST_WAIT: Final = 30
USUAL_WAIT: Final = 25
"""Seconds."""

_MOST_FIELDS: Final = 5_000
_MOST_FILES: Final = 60
_JSON: Final = re.compile(r"application/(?:[\w.-]+\+)?json", re.IGNORECASE)
_WAIT: Final = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,4})\"?\s*(?=$|[,;])", re.IGNORECASE)

M = TypeVar("M", bound=BaseModel)


async def read_json(request: Request, model: type[M]) -> M:
    """The body as the model. Raises Problem: duplicate keys, unknown keys and wrong types are refused."""
    if not _JSON.fullmatch(media_type(request)):
        raise Problem("unsupported-media-type", "expected a body of type application/json")
    body = await request.body()
    if len(body) <= AT_ONCE:
        return validated(parsed(body), model)
    return await asyncio.to_thread(lambda: validated(parsed(body), model))


async def read_form(request: Request) -> dict[str, Any]:
    """The fields of a form by name: lists of texts, and files as `(name, content)`. Raises Problem.

    It may be read again.
    """
    _refuse_charset(request)
    if len(await request.body()) <= AT_ONCE:
        return await _fields(request)
    return await asyncio.to_thread(lambda: asyncio.run(_fields(request)))


def _refuse_charset(request: Request) -> None:
    """Forms are UTF-8 (RFC 7578, HTML). The parser would decode them as their sender says, by any codec of Python,
    and some need minutes for a megabyte."""
    _, parameters = parse_options_header(request.headers.get("content-type"))
    charset = parameters.get(b"charset", b"utf-8").decode("latin-1")
    if charset.lower() not in ("utf-8", "utf8"):
        raise Problem(
            "unsupported-media-type", f"expected a form in UTF-8, found charset `{shorten(charset)}`; leave it out"
        )


async def _fields(request: Request) -> dict[str, Any]:
    """The body has been read, so this waits for nobody."""
    try:
        form = await request.form(max_files=_MOST_FILES, max_fields=_MOST_FIELDS, max_part_size=LARGEST_BODY)
    except HTTPException as error:
        raise Problem("malformed", f"the form cannot be read: {error.detail}") from None
    except UnicodeError:
        raise Problem("malformed", "the form cannot be read: expected UTF-8") from None
    fields: dict[str, list[Any]] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            await value.seek(0)
            fields.setdefault(name, []).append((value.filename or "", await value.read()))
        else:
            fields.setdefault(name, []).append(value)
    return cast("dict[str, Any]", fields)


def media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip()


def size_read(request: Request) -> int:
    """Bytes of the body that have been read. The length in the head is only the caller's claim."""
    return int(request.scope["state"]["size"])


def parsed(body: bytes) -> Any:
    """Raises Problem."""
    try:
        value = json_text.load(body, limit=LARGEST_BODY)
    except DocumentRefused as error:
        raise Problem("malformed", f"the body cannot be read: {error}") from None
    if _deeper_than(value, DEEPEST):
        raise Problem("malformed", f"the body has more than {DEEPEST} levels")
    return value


def validated(value: Any, model: type[M]) -> M:
    """Raises Problem that names the place."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise Problem("unprocessable", str(refusal(error, model))) from None


def patience(request: Request) -> int:
    """Seconds that the caller is willing to wait: `Prefer: wait=n` (RFC 7240), at most 30."""
    found = _WAIT.search(",".join(request.headers.getlist("prefer")))
    return USUAL_WAIT if found is None else min(int(found[1]), LONGEST_WAIT)


def _deeper_than(value: Any, levels: int) -> bool:
    level = [value]
    for _ in range(levels):
        level = [inner for outer in level for inner in _inside(outer)]
    return bool(level)


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(cast("dict[str, Any]", value).values())
    return cast("list[Any]", value) if isinstance(value, list) else []
