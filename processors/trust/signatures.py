"""Signatures of statements: a JWS (RFC 7515) with detached content over their canonical JSON.

The content is left out of the JWS because the record states it already: nothing can differ between the two.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any, Final, cast

from joserfc import jws
from joserfc.errors import JoseError

from processors.documents import json_text
from processors.errors import DocumentRefused, shorten
from processors.trust.keys import PublicKey, Signer
from processors.trust.statements import Statement, Untrusted

LARGEST_SIGNATURE: Final = 2048
"""Characters. RSA of 4096 bits takes some 800."""


def sign(statement: Statement, signer: Signer) -> str:
    """The detached JWS of a statement: header and signature, with nothing between the two dots."""
    header = {"alg": signer.algorithm, "kid": signer.kid}
    compact = jws.serialize_compact(header, _content(statement), signer.key, algorithms=[signer.algorithm])
    head, _, signature = compact.split(".")
    return f"{head}..{signature}"


def verify(statement: Statement, signature: str, keys: Iterable[PublicKey], at: int) -> None:
    """Raise Untrusted unless one of the keys signed exactly this statement.

    `at` is the broker's time of the record with the statement: keys that were revoked before are refused.
    """
    if not signature:
        raise Untrusted(f"it is not signed; only the keys of `{shorten(statement.source)}` may vouch for it")
    alg, kid = _header(signature)
    able = [key for key in keys if key.kid == kid and alg in key.algorithms]
    if not able:
        raise Untrusted(
            f"it is signed with `{shorten(alg)}` by the key `{shorten(kid)}`, which is none of "
            f"`{shorten(statement.source)}`"
        )
    signed = next((key for key in able if _matches(statement, signature, alg, key)), None)
    if signed is None:
        raise Untrusted(f"its signature by the key `{shorten(kid)}` is not one of this statement")
    if signed.revoked_at is not None and at >= signed.revoked_at:
        raise Untrusted(f"the key `{shorten(kid)}` had been revoked when the broker took it")


def _content(statement: Statement) -> bytes:
    return json.dumps(statement._asdict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def _header(signature: str) -> tuple[str, str]:
    """Algorithm and key id. Raises Untrusted for an invalid detached JWS, or one that requires extensions."""
    head, _, rest = signature[:LARGEST_SIGNATURE].partition("..")
    try:
        raw = base64.b64decode(head + "=" * (-len(head) % 4), altchars=b"-_", validate=True)
        found: Any = json_text.load(raw, limit=LARGEST_SIGNATURE)
    except (ValueError, DocumentRefused):
        found = None
    if len(signature) > LARGEST_SIGNATURE or not rest or not isinstance(found, dict):
        raise Untrusted("its signature is no detached JWS")
    header = cast("dict[str, Any]", found)
    alg, kid = header.get("alg"), header.get("kid")
    if "crit" in header or "b64" in header or not isinstance(alg, str) or not isinstance(kid, str):
        raise Untrusted("its signature's header is not one of `alg` and `kid`")
    return alg, kid


def _matches(statement: Statement, signature: str, alg: str, key: PublicKey) -> bool:
    content = base64.urlsafe_b64encode(_content(statement)).decode().rstrip("=")
    try:
        jws.deserialize_compact(signature.replace("..", f".{content}.", 1), key.key, algorithms=[alg])
    except (JoseError, ValueError):
        return False
    return True
