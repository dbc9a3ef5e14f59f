"""Looks schemas up in a registry with Confluent's HTTP interface, which Karapace and Apicurio have as well.

The meaning of an id or a schema never changes, so it is asked once. Every obstacle to an answer, such as a refused
password, is RegistryUnavailable: the records are not to blame, and wait.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import httpx

from processors.errors import ContractBroken, EventUnreadable, RegistryUnavailable, shorten

_UNKNOWN_FOR = 30.0
"""Seconds for which an unknown id is not asked for again: a flood of records must not become one of requests."""


class SchemaRegistry:
    """A `codec.Registry`. Use from one thread."""

    def __init__(self, client: httpx.Client) -> None:
        """`client` has the interface's base URL, the credentials and a timeout."""
        self._client = client
        self._ids: dict[tuple[str, str], int] = {}
        self._writers: dict[tuple[str, int], str] = {}
        self._unknown: dict[tuple[str, int], float] = {}

    def id_of(self, subject: str, text: str) -> int:
        """The id of a schema under a subject. Raises ContractBroken if it is not registered there."""
        known = self._ids.get((subject, text))
        if known is not None:
            return known
        answer = self._ask("POST", f"/subjects/{_quoted(subject)}", {"schema": text}, also=(404,))
        if answer.status_code == 404:
            raise ContractBroken(
                f"the schema is not registered under `{subject}`; register it with `compat-guard topics apply`"
            )
        return self._ids.setdefault((subject, text), int(answer.json()["id"]))

    def writer(self, subject: str, schema_id: int) -> str:
        """The text of a schema that is registered under the subject, else EventUnreadable (stage `schema`)."""
        at = (subject, schema_id)
        text = self._writers.get(at)
        if text is not None:
            return text
        if time.monotonic() < self._unknown.get(at, 0.0):
            raise _unregistered(subject, schema_id)
        return self._find_writer(subject, schema_id)

    def _find_writer(self, subject: str, schema_id: int) -> str:
        answer = self._ask("GET", f"/schemas/ids/{schema_id}", also=(404,))
        if answer.status_code == 404 or not self._is_registered(subject, schema_id):
            if len(self._unknown) > 10_000:
                self._unknown.clear()
            self._unknown[subject, schema_id] = time.monotonic() + _UNKNOWN_FOR
            raise _unregistered(subject, schema_id)
        return self._writers.setdefault((subject, schema_id), str(answer.json()["schema"]))

    def _is_registered(self, subject: str, schema_id: int) -> bool:
        answer = self._ask("GET", f"/schemas/ids/{schema_id}/versions", also=(404,))
        return answer.status_code == 200 and any(entry["subject"] == subject for entry in answer.json())

    def _ask(self, method: str, path: str, body: Any = None, *, also: tuple[int, ...] = ()) -> httpx.Response:
        """One request. `also` are status codes other than 200 that mean something to the caller."""
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise RegistryUnavailable(f"the schema registry does not answer: {type(error).__name__}") from error
        if answer.status_code != 200 and answer.status_code not in also:
            raise RegistryUnavailable(f"the schema registry answers {answer.status_code}: {_message(answer)}")
        return answer


def _quoted(subject: str) -> str:
    return quote(subject, safe="")


def _unregistered(subject: str, schema_id: int) -> EventUnreadable:
    return EventUnreadable("schema", f"schema {schema_id} is not registered under `{subject}`")


def text_of(answer: httpx.Response) -> str:
    """A body as UTF-8. `answer.text` would use any codec of Python that the server names."""
    return answer.content.decode("utf-8", "replace")


def _message(answer: httpx.Response) -> str:
    try:
        return shorten(str(answer.json()["message"]), 300)
    except (ValueError, KeyError, TypeError, RecursionError):
        return shorten(text_of(answer), 300)
