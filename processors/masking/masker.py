"""What may be stored or logged of an event: people become pseudonyms, free text loses its secrets.

Each field has a treatment by its name, whatever event it is in. A field that nobody classed is hidden whole: what
we do not know we do not show. Masking is deterministic under one set of keys, and never raises on odd text.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, cast

from processors.documents.canonical import digest_of
from processors.masking.pseudonyms import PseudonymKeys, shown
from processors.masking.texts import labelled_all, scrub, word

DEEPEST: Final = 32
HIDDEN: Final = "[masked]"

_MOST_MET: Final = 10_000
"""More people than any batch has: where nobody empties the list, it ends here."""

Treatment = Callable[["Masker", Any, int], Any]


class Masker:
    """Masks events under one set of keys. Remembers the pseudonyms of people it met lately."""

    def __init__(self, keys: PseudonymKeys) -> None:
        self.keys = keys
        self.met = dict[str, str]()
        """Names by pseudonym of people who were met since this was emptied last."""
        self._pseudonym = lru_cache(maxsize=10_000)(self._meet)
        self._shown_person = lru_cache(maxsize=10_000)(self._show_person)

    def event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The event as it may be stored. Numbers, booleans and null pass; the input is left alone."""
        return self._record(event, 0)

    def pseudonym(self, person: str) -> str:
        """The searchable name of a person; empty for nobody."""
        return self._pseudonym(person) if person else ""

    def person(self, person: str) -> str:
        """Pseudonym and a shortened display form, such as `k1:3f… (a…@e…)`; empty for nobody."""
        return self._shown_person(person) if person else ""

    def _meet(self, person: str) -> str:
        pseudonym = self.keys.pseudonym(person)
        if len(self.met) < _MOST_MET:
            self.met[pseudonym] = person
        return pseudonym

    def _show_person(self, person: str) -> str:
        return f"{self.pseudonym(person)} ({shown(person)})"

    def _record(self, record: Mapping[str, Any], depth: int) -> dict[str, Any]:
        masked: dict[str, Any] = {}
        for name, value in record.items():
            treat = TREATMENTS.get(name)
            if treat is _plain and type(value) is str:  # most of what there is
                masked[name] = word(value)
            elif value is None or type(value) is int or type(value) is bool:
                masked[name if treat else word(name)] = value
            elif treat is None:
                masked[word(name)] = HIDDEN
            else:
                masked[name] = treat(self, value, depth)
        return masked

    def _nested(self, value: Any, depth: int, leaf: Treatment) -> Any:
        """Go into records and lists, and treat the texts that lie in them as the field they came in."""
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
    """A signed proof is a token: whoever holds it could replay it. What it claims is stored apart."""
    return digest_of(value.encode("utf-8", "replace")) if isinstance(value, str) else HIDDEN


def _anchor_signature(masker: Masker, value: Any, depth: int) -> Any:
    """Of an anchor it is public, and needed to verify it; any other token is one."""
    is_anchors = isinstance(value, str) and {"anchor_id", "head", "sequence"} <= claims_of(value).keys()
    return value if is_anchors else _digest(masker, value, depth)


def _document(masker: Masker, value: Any, depth: int) -> Any:
    """JSON in a string: its fields are treated like any others; what is not JSON is free text."""
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


_PEOPLE = "operator actor requester by owner publisher recipient approver sub order_key"
_TEXTS = (
    "statement risk_statement reason summary sentence help why notes remediation_note compensating_controls "
    "subject name problem docs link url message says"
)
_PLAIN = (
    "acknowledgement action addons advisories affected aliases also amr anchor_id approval_id arrivals at "
    "auth_time band basis_digest batches block_id category caused_by channel checksum claims code combined_bp "
    "command_id component_id components conflicts constraint consumes contributions cost count data_format "
    "database databases decision_id decisive defects derived_from dialect digest dimension distance driver "
    "due_at effect effective_date enabled engine entry environment event event_id exception_id exp expired "
    "expires_at finding_codes finding_ids findings fixed floor found from_state ground from_version head host "
    "host_range host_version iat id input_digest installed iss issued_at jti kind level lifecycle manifest "
    "max_host max_version migrations min_host min_version monitoring monitoring_addons monitoring_profile "
    "next_offset notification_id object once optional outcome outcome_id overrides part partition parts path "
    "plugin plugin_id plugin_version policies policy_id previous_version profile proof_kind provides "
    "published_at range reason_code recheck_of refresh refusals releases remediations replacement replaces "
    "report report_digest request_id requested_at requester_issuer required required_baseline requires "
    "result_id reversible revision risk roles root round row rows rows_weighed rules runtimes schema score "
    "security_baseline security_event sequence severities severity severity_percent since single_use size "
    "source sources stated_by status step sunset_at target tenant to to_state to_version topic until urgency "
    "use_id uses valid_until verdict verified version waiting_step weight_bp what withdrawn_at "
    "attempts changed_at command delivery endpoint known_since mode next_at not_before offset pause refusals "
    "compatible_since serial standing type urgent withdrawn "
    "changes chosen closest cures derivation finding leaves_open steps together with_request "
)

TREATMENTS: Final[Mapping[str, Treatment]] = {
    **dict.fromkeys(_PLAIN.split(), _plain),
    **dict.fromkeys(_PEOPLE.split(), _person),
    **dict.fromkeys(_TEXTS.split(), _text),
    **dict.fromkeys(("document", "settings", "decision"), _document),
    **dict.fromkeys(("labels", "extra", "hosts"), _labels),
    "proof": _digest,
    "body": _digest,  # a message names people to people; what it tells is in the event that it is about
    "signature": _anchor_signature,
}
"""How each field of each event is treated, by its name. A test holds this against schemas/."""


def claims_of(token: str) -> dict[str, Any]:
    """What a compact JWS claims, unverified; empty if it is none. For search only, never for a decision."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > 100_000:
        return {}
    try:
        claims: Any = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return cast("dict[str, Any]", claims) if isinstance(claims, dict) else {}
