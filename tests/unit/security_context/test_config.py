"""config/security_context.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from processors.configuration.settings import shipped
from processors.errors import DocumentRefused
from processors.security_context.config import SecurityContextConfig, load, parse

PLATFORM = '{url: "https://s.example/x", networks: ["10.0.0.0/8"]}'


def test_what_is_shipped_asks_nobody() -> None:
    assert load(shipped("config")) == SecurityContextConfig()


def test_without_a_file_nobody_is_asked(tmp_path: Path) -> None:
    assert load(tmp_path).platform is None


def test_a_platform_is_a_url_and_where_it_may_be() -> None:
    config = parse(f"version: 1\nevery: 1m\nplatform: {PLATFORM}\n")

    assert config.platform is not None
    assert (config.every, config.valid_for) == (60_000, 24 * 3_600_000)


@pytest.mark.parametrize(
    "text",
    [
        'platform: {url: "https://s.example/x"}',
        'platform: {url: "http://s.example/x", networks: ["10.0.0.0/8"]}',
        'platform: {url: "https://user:pass@s.example/x", networks: ["10.0.0.0/8"]}',
        'platform: {url: "file:///etc/passwd", networks: ["10.0.0.0/8"]}',
        'platform: {url: "https://s.example/x", networks: []}',
        'platform: {url: "https://s.example/x", networks: ["10.0.0.0/8"], token: secret}',
        'platform: {url: "https://s.example/x", networks: ["10.0.0.0/8"], redirects: true}',
        "every: 12h",
        "every: soon",
        'accept: ["everything"]',
        'notify: ""',
        "version: 2",
    ],
)
def test_what_could_not_be_meant_is_refused(text: str) -> None:
    with pytest.raises(DocumentRefused):
        parse(text)
