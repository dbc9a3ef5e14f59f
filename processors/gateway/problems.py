"""Errors as problem details (RFC 9457): each kind has one status, one type, and a page that explains it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any, Final, NamedTuple

from starlette.responses import Response

PREFIX: Final = "/internal/problems/"
MEDIA_TYPE: Final = "application/problem+json"


class Kind(NamedTuple):
    """One kind of problem. `name` is the end of its type, `advice` what the caller can do about it."""

    name: str
    status: int
    title: str
    advice: str


KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind(
            "malformed",
            400,
            "The request cannot be read",
            "A header, a parameter or the body is not what the HTTP contract says. Sending it again changes "
            "nothing.",
        ),
        Kind(
            "unauthenticated",
            401,
            "No valid access token",
            "Send `Authorization: Bearer TOKEN` with an access token of an issuer that the gateway trusts. "
            "`detail` "
            "says why the given one is refused.",
        ),
        Kind(
            "forbidden",
            403,
            "Not permitted",
            "The token is valid, but its subject may not do this. `GET /internal/whoami` shows the roles and "
            "tenants derived from it; config/guard.yaml assigns roles.",
        ),
        Kind(
            "approval-refused",
            403,
            "The decision does not count",
            "The proof of an approval or denial was judged and refused. `reason_code` says why, such as "
            "SELF_APPROVAL, "
            "WRONG_ROLE or NO_MFA. The refusal is in the ledger.",
        ),
        Kind(
            "not-found",
            404,
            "Not found",
            "There is nothing under this address for your tenant. What belongs to others is answered in the same "
            "way.",
        ),
        Kind(
            "method-not-allowed", 405, "Method not allowed", "The header `Allow` names the methods that are there."
        ),
        Kind(
            "not-acceptable",
            406,
            "No acceptable form",
            "The header `Accept` excludes every form that this resource has. `detail` names them.",
        ),
        Kind(
            "too-slow",
            408,
            "The request took too long to arrive",
            "The body must arrive within 30 seconds. Nothing was done; send it again.",
        ),
        Kind(
            "refused",
            409,
            "The guard refuses this",
            "The command was judged and refused; the exception stands as it did. `reason_code` says why.",
        ),
        Kind(
            "already-open",
            409,
            "An exception is open already",
            "An exception of the same tenant, plugin, version, host and environment is open. `exception_id` "
            "names it.",
        ),
        Kind(
            "question-unclear",
            409,
            "Several questions were asked under that id",
            "A request id is its sender's choice. `detail` lists the questions; name one with `question`.",
        ),
        Kind(
            "not-anchored",
            409,
            "Not anchored yet",
            "The event is in the ledger. Its proof ends in a signed anchor, and none has come since. Ask again "
            "after `Retry-After`; `next_anchor` is that time.",
        ),
        Kind(
            "results-gone",
            410,
            "Not all results since then are available",
            "Since the position of `Last-Event-ID`, more results have come than are replayed, or they are "
            "no longer stored. Start over without it; `GET` of a check gives a known result.",
        ),
        Kind("too-large", 413, "Too large", "`detail` says what is too large, and how large it may be."),
        Kind(
            "unsupported-media-type",
            415,
            "The format of the body is not supported",
            "Send `application/json` or, where a file goes with it, `multipart/form-data`, without "
            "Content-Encoding.",
        ),
        Kind(
            "unprocessable",
            422,
            "The content cannot be used",
            "The request can be read, and says something impossible: a manifest that is no manifest, a host "
            "without "
            "version. `detail` names the place. Sending it again changes nothing.",
        ),
        Kind(
            "key-reused",
            422,
            "The idempotency key belongs to another request",
            "The same `Idempotency-Key` came with another question before. Use a new key for a new question.",
        ),
        Kind(
            "too-broad",
            422,
            "The search takes too long",
            "Too many events would have to be looked through. Narrow the search: name a plugin, a request or an "
            "exception, or fewer days.",
        ),
        Kind(
            "pseudonym-needed",
            422,
            "People are found by their pseudonym here",
            "The ledger keeps people under pseudonyms, and this gateway has no key to turn a name into one. Search "
            "for the pseudonym that an event shows, or ask whoever has the ledger's keys to search.",
        ),
        Kind(
            "too-many-requests",
            429,
            "Too many requests",
            "You asked more often than one caller may. `Retry-After` says when to come again; `RateLimit-Policy` "
            "states the limit.",
        ),
        Kind(
            "internal",
            500,
            "The gateway failed",
            "This is a fault of the gateway. Nothing was allowed. Retry with the same `Idempotency-Key`.",
        ),
        Kind(
            "unavailable",
            503,
            "A dependency does not answer",
            "Kafka, the schema registry, the ledger's database or the identity provider does not answer. Treat "
            "it as a "
            "block, and retry after `Retry-After` with the same `Idempotency-Key`.",
        ),
        Kind(
            "crowded",
            503,
            "Too many are waiting",
            "As many requests wait as may wait at once. Retry after `Retry-After` with the same `Idempotency-Key`.",
        ),
    )
}


class Problem(Exception):
    """Ends a request. `more` are additional members of the response."""

    def __init__(self, kind: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.headers, self.more = KINDS[kind], detail, dict(headers or {}), more

    def response(self) -> Response:
        body = {
            "type": f"{PREFIX}{self.kind.name}",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            **self.more,
        }
        return Response(json.dumps(body), self.kind.status, self.headers, MEDIA_TYPE)


def of_status(status: int) -> Kind:
    """The general kind for a status, for errors that the framework raises."""
    return next((kind for kind in KINDS.values() if kind.status == status), KINDS["malformed"])


def page(name: str) -> str | None:
    """The page at a problem's type, as HTML; None if there is no such kind."""
    kind = KINDS.get(name)
    if kind is None:
        return None
    title = f"{kind.title} ({kind.status})"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        f"<h1>{escape(title)}</h1><p>{escape(kind.advice)}</p></html>\n"
    )


SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong, as RFC 9457 writes it. `type` leads to a page that explains it.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "reason_code": {"type": "string", "description": "Why the exception workflow refused, where it did"},
        "exception_id": {"type": "string", "format": "uuid"},
        "to_state": {"type": "string", "description": "Where the exception stands that is open already"},
        "limit": {"type": "integer", "description": "How many bytes a manifest may have, where one has more"},
        "size": {"type": "integer", "description": "How many it has"},
        "next_anchor": {"type": "string", "format": "date-time", "description": "When a proof can be had"},
    },
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an operation in OpenAPI, including those that every operation has."""
    every = {400, 401, 403, 406, 408, 413, 415, 429, 503, *statuses}
    return {
        status: {
            "description": " or ".join(kind.title for kind in KINDS.values() if kind.status == status),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in sorted(every)
    }
