"""The claims of a proof: their names, allowed values and meanings. APPROVALS.md shows these tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, cast

from processors.documents.scalars import unprintable
from processors.errors import shorten
from processors.exception_workflow.proof import people
from processors.exception_workflow.rules.reasons import Objection, Reason

REASON_LIMIT = 2000
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")

Claims = Mapping[str, Any]


class Verb(StrEnum):
    APPROVE = "approve"
    DENY = "deny"
    REVOKE = "revoke"


class Claim(NamedTuple):
    """One claim. `holds` says whether a value has the right form; `meaning` is documentation for tool authors."""

    name: str
    holds: Callable[[Any], bool]
    meaning: str
    required: bool = True


def require(claims: Claims, expected: Sequence[Claim]) -> None:
    """Raises Objection that names every missing and every malformed claim."""
    there = [claim for claim in expected if claims.get(claim.name) is not None]
    missing = [claim.name for claim in expected if claim.required and claim not in there]
    malformed = [claim.name for claim in there if not claim.holds(claims[claim.name])]
    said = (
        f"{what}: {', '.join(names)}" for what, names in (("missing", missing), ("malformed", malformed)) if names
    )
    if text := "; ".join(said):
        raise Objection(Reason.PROOF_MALFORMED, f"claims {text}{_about_name(claims, malformed)}")


def _about_name(claims: Claims, malformed: Sequence[str]) -> str:
    subject = claims.get("sub")
    why = people.objection(subject) if "sub" in malformed and isinstance(subject, str) else ""
    return f" ({shorten(why)})" if why else ""


def _text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 512 and _readable(value)


def _reason(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= REASON_LIMIT and _readable(value)


def _readable(text: str) -> bool:
    return not unprintable(text) and not _BIDI & set(text)


def _name(value: Any) -> bool:
    return _text(value) and not people.objection(value)


def _texts(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(cast("list[Any]", value)) <= 64
        and all(map(_text, cast("list[Any]", value)))
    )


def _time(value: Any) -> bool:
    """Seconds since the epoch, within the calendar."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 253_402_300_800


def _verb(value: Any) -> bool:
    return isinstance(value, str) and value in set(Verb)


TOKEN = (
    Claim("iss", _text, "who signs: an issuer of `proof.issuers` in exception_workflow.yaml"),
    Claim("sub", _name, "the person: an immutable id at the identity provider, in NFKC, of one script"),
    Claim("idp", _text, "the identity provider that knows the person; default: `iss`", required=False),
    Claim("iat", _time, "when it was signed, in seconds since the epoch"),
    Claim("exp", _time, "until when it may arrive; at most `proof.max_life` after `iat`"),
    Claim("nbf", _time, "from when it may arrive", required=False),
)
"""Claims of every proof. `aud` is checked separately: it may be a text or a list."""

LOGIN = (
    Claim("auth_time", _time, "when the person logged in; at most `proof.mfa.max_age` ago"),
    Claim("amr", _texts, "how the person logged in (RFC 8176); holds one set of `proof.mfa.methods`"),
    Claim("roles", _texts, "the person's roles at the identity provider"),
)
CONTENT = (
    Claim("exception_id", _text, "the exception that is decided"),
    Claim("report_digest", _text, "digest of the report that the person saw"),
    Claim("step", _text, "the step that is decided; a revocation has none", required=False),
    Claim("decision", _verb, "`approve`, `deny` or `revoke`"),
    Claim("reason", _reason, "why; a denial and a revocation need one", required=False),
    Claim("jti", _text, "id of the decision; each is used once"),
    Claim("valid_until", _time, "an earlier end of the validity, in seconds since the epoch", required=False),
    Claim("monitoring_profile", _text, "a stricter monitoring profile than the band demands", required=False),
)
"""If an ID token is the proof, these are in the decision whose hash is its nonce, and not in the token."""

DECISION = (*TOKEN, *LOGIN, *CONTENT)

COMMAND = (
    *TOKEN,
    Claim("command_digest", _text, "`sha256:` and the hex digest of the command's canonical JSON"),
)
"""Claims of a service's signature over a command."""

COMMAND_ID_TOKEN = (
    *TOKEN,
    Claim("nonce", _text, "base64url, without padding, of the sha256 of the command's canonical JSON"),
)
"""Claims of an ID token over a command."""
