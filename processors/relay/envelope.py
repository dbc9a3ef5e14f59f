"""An event as a CloudEvent in structured mode, so that a signature over the body covers its attributes. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final, cast

from processors.errors import OutputTooLarge
from processors.relay.outgoing import Outgoing
from processors.stream.wire.headers import rfc3339

CONTENT_TYPE: Final = "application/cloudevents+json"

LARGEST_BODY: Final = 256 * 1024
"""Bytes. A larger event is sent without its report, and with a link to it."""


def cloud_event(event: Outgoing, data: Mapping[str, Any] | None = None, *, links: str = "") -> bytes:
    """The body: the same bytes for the same event, at any time and in any process.

    `data` replaces the whole record. `links` is the address of the guard's HTTP interface, without a slash at the
    end; `dataref` (CloudEvents' claim check) of an event too large to send begins with it.

    Raises OutputTooLarge for an event that is too large even without its report.
    """
    told = event.data if data is None else data
    body = _written(event, told)
    if len(body) > LARGEST_BODY:
        short = {name: value for name, value in told.items() if name != "report"}
        body = _written(event, short, dataref=f"{links}/version/compat/check/{told.get('request_id', '')}")
    if len(body) > LARGEST_BODY:
        raise OutputTooLarge(
            f"event {event.id} has {len(body)} bytes as a CloudEvent, at most {LARGEST_BODY} are sent"
        )
    return body


def canonical_json(value: Any) -> bytes:
    """UTF-8, sorted keys, no spaces. Bytes become base64, lone surrogates question marks."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_base64)
    return text.encode("utf-8", "replace")


def _written(event: Outgoing, data: Mapping[str, Any], **more: str) -> bytes:
    return canonical_json(
        {
            "specversion": "1.0",
            "id": event.id,
            "type": event.type,
            "source": event.source,
            "time": rfc3339(event.at),
            "datacontenttype": "application/json",
            "data": cast("dict[str, Any]", data),
            **({"subject": event.order_key} if event.order_key else {}),
            **more,
        }
    )


def _base64(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} has no place in JSON")
