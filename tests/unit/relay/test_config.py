"""config/relay.yaml, and what is refused in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from processors.configuration.settings import shipped
from processors.errors import DocumentRefused, SettingsInvalid
from processors.outbound.endpoints import SecretPlace
from processors.relay.config import load, parse
from processors.relay.making import made

WEBHOOK: dict[str, Any] = {
    "name": "platform",
    "kind": "webhook",
    "url": "https://platform.internal/internal/notify/publish",
    "networks": ["10.0.0.0/8"],
    "secrets": [{"env": "A"}],
}
MAIL: dict[str, Any] = {
    "name": "mail",
    "kind": "smtp",
    "host": "mail.internal",
    "networks": ["10.0.0.0/8"],
    "sender": "guard@example.com",
    "addresses": {"role:*": "duty@example.com"},
}
ROOM: dict[str, Any] = {
    "name": "room",
    "kind": "slack",
    "url": {"env": "A"},
    "host": "hooks.slack.com",
    "networks": ["0.0.0.0/0"],
}


def text(*targets: dict[str, Any]) -> str:
    return json.dumps({"version": 1, "targets": targets})


def test_nothing_is_sent_anywhere_that_nobody_has_chosen() -> None:
    assert load(shipped("config")).targets == ()


@pytest.mark.parametrize("target", [WEBHOOK, WEBHOOK | {"kind": "audit"}, MAIL, ROOM], ids=lambda t: t["kind"])
def test_each_kind_is_read(target: dict[str, Any]) -> None:
    (read,) = parse(text(target)).targets

    assert read.name == target["name"]
    assert read.in_flight == 16


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        (WEBHOOK | {"url": "http://platform.internal/"}, "in the clear"),
        (WEBHOOK | {"url": "https://user:pw@platform.internal/"}, "credentials"),
        (WEBHOOK | {"url": "file:///etc/passwd"}, "expected a URL"),
        (WEBHOOK | {"url": "https://"}, "expected a URL"),
        (WEBHOOK | {"url": "https://a:99999/"}, "expected a URL"),
        (WEBHOOK | {"networks": []}, "at least 1"),
        (WEBHOOK | {"networks": ["platform.internal"]}, "expected addresses"),
        (WEBHOOK | {"secrets": []}, "at least 1"),
        (WEBHOOK | {"secrets": [{"env": "A"}] * 3}, "at most 2"),
        (WEBHOOK | {"secrets": [{"env": "A", "file": "b"}]}, "exactly one of env and file"),
        (WEBHOOK | {"secrets": ["whsec_c2VjcmV0"]}, "expected a mapping"),
        (WEBHOOK | {"in_flight": 17}, "less than or equal to 16"),
        (WEBHOOK | {"retry": ["soon"]}, "expected a duration"),
        (WEBHOOK | {"since": "yesterday"}, "expected a time"),
        (WEBHOOK | {"secret": {"env": "A"}}, "did you mean `secrets`"),
        (WEBHOOK | {"name": "a:b"}, "pattern"),
        (WEBHOOK | {"kind": "carrier-pigeon"}, "webhook"),
        (MAIL | {"events": ["blocks"]}, "notifications only"),
        (MAIL | {"sender": "guard@example.com\nBcc: a@b"}, "pattern"),
        (MAIL | {"addresses": {}}, "at least 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_meant_is_refused_with_its_place(target: dict[str, Any], complaint: str) -> None:
    with pytest.raises(DocumentRefused) as caught:
        parse(text(target))

    assert complaint in str(caught.value)
    assert "targets[0]" in str(caught.value)
    assert "c2VjcmV0" not in str(caught.value)


def test_two_targets_of_one_name_are_refused() -> None:
    """They would share state."""
    with pytest.raises(DocumentRefused, match="one name"):
        parse(text(WEBHOOK, WEBHOOK | {"kind": "audit"}))


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("https://evil.example/services/T0/B0/s3cr3t", "is not on `hooks.slack.com`"),
        ("http://hooks.slack.com/services/T0/B0/s3cr3t", "is not https"),
        ("s3cr3t", "cannot be used"),
    ],
)
def test_the_secret_url_of_a_room_must_be_where_it_is_said_to_be(url: str, complaint: str) -> None:
    """And is not shown when it is not."""
    (room,) = parse(text(ROOM)).targets

    def secret(_: SecretPlace) -> str:
        return url

    with pytest.raises(SettingsInvalid) as caught:
        made(room, "", secret)
    assert complaint in str(caught.value)
    assert "s3cr3t" not in str(caught.value)
