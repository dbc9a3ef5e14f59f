"""How large a manifest may be that comes over HTTP, in whichever form it comes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from processors.gateway.api.check_question import CheckRequest
from processors.gateway.app import application
from processors.gateway.console import check as page
from processors.gateway.contract import contract
from processors.gateway.intake import LARGEST_MANIFEST, validated
from processors.gateway.problems import Problem

FITS = "a" * LARGEST_MANIFEST
TOO_LARGE = "a" * (LARGEST_MANIFEST + 1)


def body(content: str, **more: Any) -> dict[str, Any]:
    return {"manifest": {"name": "plugin.yaml", "content": content}, "host": "corex@1.9.0", **more}


def test_a_manifest_of_256_kib_is_read() -> None:
    assert LARGEST_MANIFEST == 262_144
    assert validated(body(FITS), CheckRequest).manifest.content == FITS


@pytest.mark.parametrize(
    "question",
    [
        pytest.param(body(TOO_LARGE), id="one byte more"),
        pytest.param(body("é" * (LARGEST_MANIFEST // 2) + "a"), id="in bytes, not in characters"),
        pytest.param(
            body("a: 1", together=[{"name": "plugin.yaml", "content": TOO_LARGE}]), id="installed together"
        ),
    ],
)
def test_a_larger_one_is_refused_with_its_size_and_the_limit(question: dict[str, Any]) -> None:
    with pytest.raises(Problem) as refused:
        validated(question, CheckRequest)
    assert refused.value.kind.status == 413
    assert refused.value.detail == (
        f"manifest: `plugin.yaml` has {LARGEST_MANIFEST + 1} bytes, and over HTTP a manifest has at most "
        f"{LARGEST_MANIFEST}"
    )
    answer = json.loads(bytes(refused.value.response().body))
    assert (answer["limit"], answer["size"]) == (LARGEST_MANIFEST, LARGEST_MANIFEST + 1)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"manifest": [TOO_LARGE]}, id="pasted"),
        pytest.param({"manifest_file": [("plugin.yaml", TOO_LARGE.encode())]}, id="chosen"),
    ],
)
def test_the_console_takes_no_larger_one(fields: dict[str, Any]) -> None:
    with pytest.raises(Problem) as refused:
        page._question({"host": ["corex@1.9.0"], **fields}, None)  # pyright: ignore[reportPrivateUsage]
    assert refused.value.kind.name == "too-large"


def test_the_contract_names_the_limit() -> None:
    document = contract(application())
    stated = document["components"]["schemas"]["ManifestFile"]["properties"]["content"]
    form = document["paths"]["/internal/version/compat/check"]["post"]["requestBody"]["content"][
        "multipart/form-data"
    ]
    assert stated["maxLength"] == LARGEST_MANIFEST
    assert str(LARGEST_MANIFEST) in stated["description"]
    assert form["schema"]["properties"]["manifest"]["maxLength"] == LARGEST_MANIFEST
    assert {"limit", "size"} <= document["components"]["schemas"]["Problem"]["properties"].keys()
