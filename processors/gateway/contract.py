"""The HTTP contract as a document: what FastAPI knows of the resources, and the events in their answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from processors.configuration.settings import shipped
from processors.contracts.avro import parse
from processors.contracts.json_schema import json_schema
from processors.gateway import problems
from processors.gateway.api import check, exceptions

EVENTS: Final = ("CompatibilityChecked", "ExceptionDecided")
"""Events that are answered as they lie on their topic."""


def contract(app: FastAPI) -> dict[str, Any]:
    """OpenAPI 3.1 of the routes of an application."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas: dict[str, Any] = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):  # every error here is a Problem
        schemas.pop(unused, None)
    schemas["Problem"] = dict(problems.SCHEMA)
    for event in EVENTS:
        schemas[event] = json_schema(parse(json.loads((shipped("schemas") / f"{event}.avsc").read_text("utf-8"))))
    for model in (*check.SCHEMAS, *exceptions.SCHEMAS):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    for operation in _operations(document):
        if _is_frameworks(operation["responses"].get("422")):
            del operation["responses"]["422"]
    return document


def published() -> str:
    """The contract of the resources alone, as the file in deploy/ has it."""
    from processors.gateway.app import application  # noqa: PLC0415 - it asks for the contract itself

    document = contract(application())
    return yaml.safe_dump(document, sort_keys=False, width=110)  # pyright: ignore[reportUnknownMemberType]


def _operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def _is_frameworks(response: Mapping[str, Any] | None) -> bool:
    """Whether it is the 422 that FastAPI adds of its own; ours for such errors is 400."""
    return response is not None and "application/json" in response.get("content", {})
