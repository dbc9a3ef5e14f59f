"""The question of a check as callers send it: as JSON, or as a form with files."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, cast

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from processors.client.install_request import UnderException
from processors.client.installed import id_and_version, listed, printable
from processors.documents.scalars import unprintable
from processors.errors import shorten
from processors.events.subject import Host, InstalledPlugin, Manifest, Provision, Subject
from processors.gateway.intake import (
    AT_ONCE,
    LARGEST_MANIFEST,
    media_type,
    parsed,
    read_form,
    read_json,
    size_read,
    validated,
)
from processors.gateway.problems import Problem
from processors.manifests import read_manifest

MOST_TOGETHER: Final = 50


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ManifestFile(_Body):
    """A manifest as the file it is: plugin.yaml, package.json, plugin.json, Chart.yaml, MANIFEST.MF."""

    name: str = Field(default="plugin.yaml", min_length=1, max_length=255, description="tells the formats apart")
    content: str = Field(
        min_length=1,
        description=f"the file's text, unchanged; with more than {LARGEST_MANIFEST} bytes in UTF-8 it is refused",
        json_schema_extra={"maxLength": LARGEST_MANIFEST},
    )

    @field_validator("content")
    @classmethod
    def _bounded(cls, content: str, info: ValidationInfo) -> str:
        """Raises Problem, which is none of pydantic's errors: it ends the request as it is."""
        if (size := len(content.encode("utf-8", "replace"))) > LARGEST_MANIFEST:
            name = shorten(info.data.get("name", "it"))
            said = f"manifest: `{name}` has {size} bytes, and over HTTP a manifest has at most {LARGEST_MANIFEST}"
            raise Problem("too-large", said, limit=LARGEST_MANIFEST, size=size)
        return content


class ExceptionUse(_Body):
    """An approved exception to run under, and what it demands."""

    id: str = Field(min_length=1, max_length=200)
    acknowledge_risk: str | None = Field(
        default=None, max_length=4000, description="the risk, in the caller's words"
    )
    monitoring: str | None = Field(
        default=None, max_length=200, description="monitoring profile that will be attached"
    )
    addons: tuple[Annotated[str, Field(max_length=200)], ...] = Field(default=(), max_length=50)


class CheckRequest(_Body):
    """May this plugin be installed, or upgraded to, on that host?"""

    manifest: ManifestFile
    together: tuple[ManifestFile, ...] = Field(
        default=(), max_length=MOST_TOGETHER, description="manifests of what is installed in the same step"
    )
    host: str = Field(description="NAME@VERSION, such as corex@1.9.0", max_length=512)
    installed: tuple[str | Mapping[str, Any], ...] = Field(
        default=(), max_length=5000, description="ID@VERSION, or an object with `id`, `version` and what is known"
    )
    runtimes: tuple[Annotated[str, Field(max_length=512)], ...] = Field(default=(), max_length=100)
    database: str | None = Field(default=None, max_length=512, description="NAME@VERSION")
    previous: str | None = Field(default=None, max_length=512, description="version that this one replaces")
    tenant: str | None = Field(default=None, max_length=200, description="the token's only one by default")
    environment: str = Field(default="production", min_length=1, max_length=200)
    target: str = Field(default="", max_length=200, description="installation it is meant for")
    exception: ExceptionUse | None = None


_FILE: Final[dict[str, Any]] = {
    "type": "string",
    "contentMediaType": "application/octet-stream",
    "maxLength": LARGEST_MANIFEST,
}
_FORM_TEXTS: Final = ("host", "database", "previous", "tenant", "environment", "target")
REQUEST_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/CheckRequest"}},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["manifest", "host"],
                "properties": {
                    "manifest": _FILE,
                    "together": {
                        "type": "array",
                        "maxItems": MOST_TOGETHER,
                        "items": _FILE,
                    },
                    "installed_from": {"type": "string", "contentMediaType": "application/json"},
                    "exception": {
                        "type": "string",
                        "contentMediaType": "application/json",
                        "contentSchema": {"$ref": "#/components/schemas/ExceptionUse"},
                    },
                    **{name: {"type": "array", "items": {"type": "string"}} for name in ("installed", "runtime")},
                    **{name: {"type": "string"} for name in _FORM_TEXTS},
                },
            }
        },
    },
}
"""Of the contract: FastAPI reads neither of the two forms itself."""


async def question_of(request: Request) -> CheckRequest:
    """The question in the body of a request. Raises Problem."""
    if media_type(request) != "multipart/form-data":
        return await read_json(request, CheckRequest)
    fields = await read_form(request)
    if size_read(request) <= AT_ONCE:
        return _of_form(fields)
    return await asyncio.to_thread(_of_form, fields)


def _of_form(fields: dict[str, Any]) -> CheckRequest:
    document: dict[str, Any] = {
        "manifest": _manifest("manifest", fields.pop("manifest", ())),
        "installed": [*fields.pop("installed", []), *_listed(fields.pop("installed_from", []))],
        "runtimes": fields.pop("runtime", []),
        "together": [_manifest("together", [file]) for file in fields.pop("together", [])],
    }
    if "exception" in fields:
        document["exception"] = parsed(_one_text("exception", fields.pop("exception")).encode())
    for field, values in fields.items():
        document[field] = _one_text(field[:80], values)
    return validated(document, CheckRequest)


def _listed(files: Sequence[Any]) -> Sequence[Any]:
    if not files:
        return []
    found: Any = parsed(_file("installed_from", files)[1])
    if not isinstance(found, list):
        raise Problem("unprocessable", "installed_from: expected a JSON list of plugins")
    return cast("list[Any]", found)


def _file(field: str, values: Sequence[Any]) -> tuple[str, bytes]:
    if len(values) != 1 or not isinstance(values[0], tuple):
        raise Problem("unprocessable", f"{field}: expected one file")
    return cast("tuple[str, bytes]", values[0])


def _manifest(field: str, values: Sequence[Any]) -> dict[str, str]:
    name, content = _file(field, values)
    return {"name": name or "plugin.yaml", "content": _text(field, content)}


def _one_text(field: str, values: Sequence[Any]) -> str:
    if len(values) != 1 or not isinstance(values[0], str):
        raise Problem("unprocessable", f"{field}: expected one text")
    return values[0]


def _text(field: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Problem("unprocessable", f"{field}: expected UTF-8") from None


def subject_of(question: CheckRequest) -> Subject:
    """The question for the checker. Raises DocumentRefused or SettingsInvalid that names the place."""
    for name, text in {"environment": question.environment, "target": question.target}.items():
        printable(name, text)
    plain = [text for text in question.installed if isinstance(text, str)]
    described = [plugin for plugin in question.installed if not isinstance(plugin, str)]
    return Subject(
        manifest=_read(question.manifest),
        together=tuple(_read(manifest) for manifest in question.together),
        host=Host(*id_and_version("host", question.host, "NAME@VERSION, such as corex@1.9.0")),
        installed=(
            *(InstalledPlugin(*id_and_version("installed", text)) for text in plain),
            *listed(described),
        ),
        runtimes=tuple(
            Provision(*id_and_version("runtimes", text, "NAME@VERSION, such as go@1.22"))
            for text in question.runtimes
        ),
        database=None
        if question.database is None
        else Provision(*id_and_version("database", question.database, "NAME@VERSION, such as postgresql@16.4")),
        previous_version=None if question.previous is None else printable("previous", question.previous),
    )


def _read(manifest: ManifestFile) -> Manifest:
    return read_manifest(manifest.content.encode(), manifest.name)


def under_exception(use: ExceptionUse | None) -> UnderException | None:
    if use is None:
        return None
    for text in (use.id, use.acknowledge_risk or "", use.monitoring or "", *use.addons):
        if unprintable(text):
            raise Problem("unprocessable", "exception: expected text, found control characters")
    return UnderException(
        exception_id=use.id, statement=use.acknowledge_risk, profile=use.monitoring, addons=use.addons
    )
