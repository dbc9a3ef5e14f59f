"""The published HTTP contract is the one that is served, and says of every operation what can come of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from processors.gateway.app import application
from processors.gateway.contract import contract, published
from processors.gateway.problems import KINDS, page

FILE = Path(__file__).parents[3] / "deploy" / "gateway" / "openapi.yaml"


def operations() -> list[tuple[str, dict[str, Any]]]:
    paths = contract(application())["paths"]
    return [(f"{method} {path}", operation) for path, item in paths.items() for method, operation in item.items()]


def test_the_published_contract_is_the_one_that_is_served() -> None:
    """`compat-guard gateway openapi > deploy/gateway/openapi.yaml` writes it."""
    assert FILE.read_text("utf-8") == published()
    assert yaml.safe_load(FILE.read_text("utf-8"))["openapi"].startswith("3.1")


@pytest.mark.parametrize(("name", "operation"), operations())
def test_every_operation_is_described_and_documents_its_errors(name: str, operation: dict[str, Any]) -> None:
    assert operation["summary"], name
    assert operation["operationId"], name
    if operation.get("security"):
        assert {"400", "401", "403", "429", "503"} <= set(operation["responses"]), name


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for _, operation in operations()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_problem_has_a_page(name: str) -> None:
    assert KINDS[name].advice in (page(name) or "").replace("&#x27;", "'").replace("&lt;", "<")
