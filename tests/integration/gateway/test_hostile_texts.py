"""Hostile text in every field of the API: it is text wherever it goes, or it is refused.

The fields are those of the contract, so one that is added is tried as well. A short run tries every tenth text in
each of them, beginning with another one in each; `GUARD_FUZZ` tries all of them everywhere.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import httpx
import pytest
from examples import web
from examples.approvals import RISK, issuers_of_proofs
from examples.gateways import CHECK, Edge, Replica, ask, bearer, question
from examples.hostile_texts import HOSTILE_TEXTS
from examples.issuers import claims, token

from processors.gateway.app import application
from processors.gateway.contract import contract

pytestmark = pytest.mark.stack

CONTRACT: Final = contract(application())
ROLES = ("deployer", "approver", "reader", "auditor", "operator")
EVERY = 1 if "GUARD_FUZZ" in os.environ else 10
AT_ONCE = 6

Json = Any


class Field(NamedTuple):
    """A place for text. `where` is `path`, `query`, `header` or `body`; `at` its name, or the way into the body."""

    method: str
    path: str
    operation: str
    where: str
    at: tuple[str | int, ...]

    def __str__(self) -> str:
        return f"{self.operation} {self.where} {'.'.join(map(str, self.at))}"


def resolved(schema: Json) -> Json:
    while "$ref" in schema:
        schema = CONTRACT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def texts_in(schema: Json, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The ways to whatever is text in a body."""
    schema = resolved(schema)
    for branch in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from texts_in(branch, at)
    if schema.get("type") == "string":
        yield at
    for name, inner in schema.get("properties", {}).items():
        yield from texts_in(inner, (*at, name))
    if "items" in schema:
        yield from texts_in(schema["items"], (*at, 0))


def fields() -> Iterator[Field]:
    for path, item in CONTRACT["paths"].items():
        for method, operation in item.items():
            name = operation["operationId"]
            for parameter in operation.get("parameters", ()):
                if any(True for _ in texts_in(parameter["schema"])):
                    yield Field(method, path, name, parameter["in"], (parameter["name"],))
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body:
                for at in texts_in(body["schema"]):
                    yield Field(method, path, name, "body", at)


FIELDS = tuple(fields())


def bodies(request_id: str) -> Mapping[str, Json]:
    """A body for each operation that has one, which nobody refuses for anything but the field that is tried."""
    exception = {"id": "e-1", "acknowledge_risk": "known", "monitoring": "enhanced", "addons": ["error-rate"]}
    return {
        "check": question(
            together=[{"name": "plugin.yaml", "content": "id: com.powerx.plugins.crm\nversion: 0.7.0\n"}],
            exception=exception,
        ),
        "requestException": {"request_id": request_id, "risk_statement": RISK},
        "changeException": {"kind": "withdraw", "reason": "not needed"},
        "approve": {"exception_id": "e-1", "proof": "e30.e30.e30"},
    }


def with_text(body: Json, at: Sequence[str | int], text: str) -> Json:
    """A copy of the body in which the text stands there; what is not there is made."""
    body = copy.deepcopy(body)
    inner = body
    for step, following in itertools.pairwise(at):
        empty: Json = [] if isinstance(following, int) else {}
        if isinstance(step, int):
            inner[step:] = inner[step:] or [empty]
        elif not isinstance(inner.get(step), type(empty)):
            inner[step] = empty
        inner = inner[step]
    last = at[-1]
    if isinstance(last, int):
        inner[last:] = [text]
    else:
        inner[last] = text
    return body


def request_with(field: Field, text: str, known: Mapping[str, Json], who: str) -> dict[str, Any] | None:
    """The arguments of a call; None for a text that cannot be sent there."""
    headers: dict[str, bytes] = {
        "Authorization": bearer(token(claims(who, roles=ROLES)))["Authorization"].encode(),
        "Prefer": b"wait=0",
    }
    path, query, body = field.path, {}, known.get(field.operation)
    try:
        match field.where:
            case "header":
                raw = text.encode()
                if any(byte < 0x20 or byte == 0x7F for byte in raw) or len(raw) > 4_000:
                    return None  # no client can send it
                headers = {
                    name: value for name, value in headers.items() if name.lower() != str(field.at[0]).lower()
                }
                headers[str(field.at[0])] = raw
            case "path":
                path = path.replace(f"{{{field.at[0]}}}", quote(text, safe=""))
            case "query":
                query[field.at[0]] = text.encode().decode()
            case _:
                body = with_text(body, field.at, text)
    except UnicodeEncodeError:
        return None
    path = "/".join("x" if part.startswith("{") else part for part in path.split("/"))
    content = None if body is None or field.method == "get" else json.dumps(body).encode()
    if content is not None:
        headers["Content-Type"] = b"application/json"
    return {"method": field.method.upper(), "url": path, "params": query or None, "headers": headers,
            "content": content}  # fmt: skip


class Tried(NamedTuple):
    field: Field
    text: str
    answer: httpx.Response


def tried(url: str, known: Mapping[str, Json]) -> list[Tried]:
    """Every field with its texts, a few at once; each as another person, since each person has a rate."""

    async def all_of_them() -> list[Tried]:
        turn = asyncio.Semaphore(AT_ONCE)
        limits = httpx.Limits(max_connections=AT_ONCE)
        async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits, trust_env=False) as client:

            async def one(number: int, field: Field, text: str) -> Tried | None:
                call = request_with(field, text, known, f"person-{number}")
                if call is None:
                    return None
                async with turn:
                    return Tried(field, text, await client.request(**call))

            calls = [
                (field, text)
                for shift, field in enumerate(FIELDS)
                for text in HOSTILE_TEXTS[shift % EVERY :: EVERY]
            ]
            found = await asyncio.gather(*(one(n, field, text) for n, (field, text) in enumerate(calls)))
        return [one for one in found if one is not None]

    return asyncio.run(all_of_them())


@pytest.fixture(scope="module")
def platform(audited: Edge) -> Iterator[Replica]:
    """Everything that operations ask is there: workflow and ledger too."""
    issuers_of_proofs(audited)
    with audited.processor("exception-workflow"), audited.gateways() as (replica,):
        yield replica


@pytest.mark.timeout(900)
def test_hostile_text_in_any_field_is_text_or_is_refused(edge: Edge, platform: Replica) -> None:
    """The status is one of the contract's, the body is what its type says, no header and no line of the log is the
    caller's; and where it was taken, it is shown as text."""
    blocked = ask(platform.url, question(environment="hostile")).json()
    everything = tried(platform.url, bodies(blocked["request_id"]))
    shown = [one for one in everything if one.field.operation == "check" and one.answer.status_code in (200, 202)]

    assert len(everything) > 3 * len(FIELDS)
    assert {one.field.operation for one in shown} == {"check"}
    for field, text, answer in everything:
        about = f"{field}: {text[:60]!r} gave {answer.status_code} {answer.text[:300]}"
        documented = CONTRACT["paths"][field.path][field.method]["responses"]
        is_other_path = field.where == "path" and answer.status_code in (
            404,
            405,
        )  # dots and slashes lead elsewhere
        assert str(answer.status_code) in documented or is_other_path, about
        assert answer.status_code < 500, about
        assert not {"x-evil", "set-cookie"} & set(answer.headers), about
        assert all(value.isprintable() for value in answer.headers.values()), about
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json", about
        assert isinstance(json.loads(answer.text), dict | list), about
        assert answer.headers["x-content-type-options"] == "nosniff", about
    read_as_pages(platform.url, shown)
    assert all(isinstance(json.loads(line), dict) for line in edge.log.read_text("utf-8").split("\n") if line)


def read_as_pages(url: str, shown: Sequence[Tried]) -> None:
    """The reports, for a browser: markup of the caller's is not among them."""
    with httpx.Client(base_url=url, timeout=60) as client:
        for number, (field, text, answer) in enumerate(shown):
            who = bearer(token(claims(f"reader-{number % 20}", roles=ROLES)))
            place = answer.headers.get("location") or f"{CHECK}/{answer.json()['request_id']}"
            page = answered(client, place, who)
            assert page.status_code == 200, f"{field}: {text[:60]!r} gave {page.status_code} {page.text[:300]}"
            assert page.headers["content-security-policy"].startswith("default-src 'none'")
            if "<" in text:
                assert text not in page.text, f"{field}: {text[:60]!r}"
            assert not set(page.text) & {"\x00", "\x1b", "\u202e", "\u2066"}, f"{field}: {text[:60]!r}"


def answered(client: httpx.Client, place: str, who: dict[str, str]) -> httpx.Response:
    """As a page, once somebody has answered; a few minutes are enough for that."""
    for _ in range(6):
        page = client.get(place, headers={**who, "Accept": "text/html"})
        if page.status_code != 202:
            return page
    raise AssertionError(f"nobody answers at {place}")


def test_hostile_text_in_a_result_ends_no_event_of_the_stream(platform: Replica) -> None:
    """Each result is one event of three lines, whatever is in it."""
    environment = {"environment": "<b>a", "target": '","verdict":"ALLOW","x":"'}
    with web.stream("GET", f"{platform.url}/internal/events", headers=bearer(), timeout=60) as stream:
        lines = stream.iter_lines()
        next(lines)
        asked = [
            ask(platform.url, question(manifest, **environment)).json()["request_id"]
            for manifest in ("inventory-sync-1.5.0.yaml", "chat-2.3.1.yaml")
        ]
        seen: list[str] = []
        while not all(any(id in line for line in seen) for id in asked):
            seen.append(next(lines))

    assert all(line == "" or line.startswith(("id: ", "event: result", "data: {", ": ")) for line in seen)
