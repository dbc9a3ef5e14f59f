"""Masks events for storage and logs: people become pseudonyms, secrets are removed from free text.

Each field is treated as its schema states, by its name, whatever event it is in. A field without a statement is
hidden completely: unknown content is not shown. Masking is deterministic for one set of keys. It never raises
because of a text.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from functools import cache, cached_property, lru_cache
from typing import Any, Final, cast

from processors.documents.canonical import digest_of
from processors.masking.pseudonyms import PseudonymKeys, shown
from processors.masking.stated import CLEAR, stated_by_shipped
from processors.masking.texts import labelled_all, scrub, word

DEEPEST: Final = 32
HIDDEN: Final = "[masked]"

_MOST_MET: Final = 10_000
"""A limit above the people of any batch, in case nobody empties the list."""

Treatment = Callable[["Masker", Any, int], Any]


class Masker:
    """Masks events under one set of keys. Collects the pseudonyms of people in recent events."""

    def __init__(self, keys: PseudonymKeys) -> None:
        self.keys = keys
        self.met = dict[str, str]()
        """Names by pseudonym of people since this was last emptied."""
        self._pseudonym = lru_cache(maxsize=10_000)(self._meet)
        self._shown_person = lru_cache(maxsize=10_000)(self._show_person)

    def event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The event as it may be stored. Numbers, booleans and null pass unchanged; the input is not modified."""
        return self._record(event, 0)

    def pseudonym(self, person: str) -> str:
        """The searchable name of a person; empty for nobody."""
        return self._pseudonym(person) if person else ""

    def person(self, person: str) -> str:
        """Pseudonym and a shortened display form, such as `k1:3f… (a…@e…)`; empty for nobody."""
        return self._shown_person(person) if person else ""

    @cached_property
    def _treatments(self) -> Mapping[str, Treatment]:
        """Read when the first event is masked: a log line needs none of it."""
        return treatments()

    def _meet(self, person: str) -> str:
        pseudonym = self.keys.pseudonym(person)
        if len(self.met) < _MOST_MET:
            self.met[pseudonym] = person
        return pseudonym

    def _show_person(self, person: str) -> str:
        return f"{self.pseudonym(person)} ({shown(person)})"

    def _record(self, record: Mapping[str, Any], depth: int) -> dict[str, Any]:
        masked, treat_as = dict[str, Any](), self._treatments
        for name, value in record.items():
            treat = treat_as.get(name)
            if treat is _plain and type(value) is str:  # the most common case
                masked[name] = word(value)
            elif value is None or type(value) is int or type(value) is bool:
                masked[name if treat else word(name)] = value
            elif treat is None:
                masked[word(name)] = HIDDEN
            else:
                masked[name] = treat(self, value, depth)
        return masked

    def _nested(self, value: Any, depth: int, leaf: Treatment) -> Any:
        """Descends into records and lists, and treats their texts like the field that contains them."""
        if isinstance(value, str):
            return leaf(self, value, depth)
        if depth >= DEEPEST:
            return HIDDEN
        if isinstance(value, Mapping):
            return self._record(cast("Mapping[str, Any]", value), depth + 1)
        if isinstance(value, list):
            return [self._nested(item, depth + 1, leaf) for item in cast("list[Any]", value)]
        return value if value is None or isinstance(value, int) else HIDDEN


def _plain(masker: Masker, value: Any, depth: int) -> Any:
    return word(value) if isinstance(value, str) else masker._nested(value, depth, _plain)  # pyright: ignore[reportPrivateUsage]


def _person(masker: Masker, value: Any, depth: int) -> Any:
    return masker.person(value) if isinstance(value, str) else masker._nested(value, depth, _person)  # pyright: ignore[reportPrivateUsage]


def _text(masker: Masker, value: Any, depth: int) -> Any:
    return scrub(value) if isinstance(value, str) else masker._nested(value, depth, _text)  # pyright: ignore[reportPrivateUsage]


def _digest(_masker: Masker, value: Any, _depth: int) -> Any:
    """A signed proof is a token that its holder could replay. Its claims are stored separately."""
    return digest_of(value.encode("utf-8", "replace")) if isinstance(value, str) else HIDDEN


def _anchor_signature(masker: Masker, value: Any, depth: int) -> Any:
    """In an anchor it is public, and needed to verify it; elsewhere it is a token."""
    is_anchors = isinstance(value, str) and {"anchor_id", "head", "sequence"} <= claims_of(value).keys()
    return value if is_anchors else _digest(masker, value, depth)


def _document(masker: Masker, value: Any, depth: int) -> Any:
    """JSON in a string: its fields are treated like others; invalid JSON is free text."""
    if not isinstance(value, str):
        return HIDDEN
    try:
        document: Any = json.loads(value)
    except (ValueError, RecursionError):
        return scrub(value)
    return masker._nested(document, depth, _text)  # pyright: ignore[reportPrivateUsage]


def _labels(_masker: Masker, value: Any, _depth: int) -> Any:
    if not isinstance(value, Mapping):
        return HIDDEN
    return labelled_all((name, str(text)) for name, text in cast("Mapping[str, Any]", value).items())


TREATMENTS: Final[Mapping[str, Treatment]] = {
    CLEAR: _plain,
    "pseudonym": _person,
    "text": _text,
    "digest": _digest,
    "document": _document,
    "labels": _labels,
    "signature": _anchor_signature,
}
"""What a schema can state of a field:

- clear: an id, a version, a code. Secrets that are in it by mistake go all the same
- pseudonym: it names a person
- text: free text, without secrets and addresses
- digest: it is a secret itself, or names people to people
- document: JSON as a text, whose fields are masked by their names
- labels: a map with names of the sender's choice
- signature: shown where it is an anchor's, which is public
"""

_ELSEWHERE: Final[Mapping[str, Treatment]] = {
    **dict.fromkeys(["amr", "auth_time", "claims", "exp", "iat", "iss", "jti", "roles", "size"], _plain),
    **dict.fromkeys(("approver", "sub"), _person),
}
"""Fields that are in no schema: of documents in a state, and of the claims of a proof."""


@cache
def treatments() -> Mapping[str, Treatment]:
    """The treatment of each field of each event, by its name."""
    return {**{name: TREATMENTS[how] for name, how in stated_by_shipped().items()}, **_ELSEWHERE}


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a compact JWS, unverified; empty if it is invalid. For search only, never for a decision."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > 100_000:
        return {}
    try:
        claims: Any = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return cast("dict[str, Any]", claims) if isinstance(claims, dict) else {}
