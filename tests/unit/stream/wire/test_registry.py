"""A server that is no registry, or one that is broken, makes records wait, whatever it answers."""

from __future__ import annotations

import httpx
import pytest

from processors.errors import RegistryUnavailable
from processors.stream.admin.subjects import Subjects
from processors.stream.wire.registry import SchemaRegistry


def answering(content: bytes, content_type: str) -> httpx.Client:
    answer = httpx.Response(500, content=content, headers={"Content-Type": content_type})
    return httpx.Client(transport=httpx.MockTransport(lambda _: answer), base_url="http://registry")


@pytest.mark.parametrize("charset", ["undefined", "punycode", "unicode_escape", "no-such"])
def test_a_server_does_not_choose_the_codec_of_its_complaint(charset: str) -> None:
    with answering(b"too busy \\ud800", f"text/html; charset={charset}") as client:
        with pytest.raises(RegistryUnavailable, match=r"answers 500: too busy \\ud800"):
            SchemaRegistry(client).writer("topic-value", 1)
        with pytest.raises(RegistryUnavailable, match=r"answers 500 .*: too busy \\ud800"):
            Subjects(client).read("topic-value", "{}")


def test_a_complaint_of_endless_depth_is_a_text() -> None:
    with answering(b"[" * 100_000, "application/json") as client, pytest.raises(RegistryUnavailable, match=r"\[\["):
        SchemaRegistry(client).writer("topic-value", 1)
