"""A source's key, those who trust it, and refreshes that it has signed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from processors.client.matrix_topic import Signed
from processors.matrix.document import MatrixDocument
from processors.matrix.parts import LARGEST_PART, split, statement_of
from processors.trust.keys import PublicKey, Signer, new_signing_key, public_half, read_public_keys, read_signer
from processors.trust.signatures import sign
from processors.trust.sources import Trust, TrustedSource
from processors.trust.statements import Statement


def a_key(name: str = "test") -> tuple[Signer, PublicKey]:
    """A pair, as a publisher and the guard's configuration have it."""
    private = new_signing_key(name)
    (public,) = read_public_keys(json.dumps({"keys": [public_half(private)]}))
    return read_signer(private), public


SIGNER, PUBLIC = a_key()
TRUST = Trust(others=TrustedSource((PUBLIC,)))
"""One key vouches for every source, as on a laptop."""


def said(document: MatrixDocument, issued_at: int, *, serial: int | None = None, by: Signer = SIGNER) -> Signed:
    """What the document's source signs for it to take effect."""
    return as_signed(statement_of(document, issued_at, issued_at if serial is None else serial), by)


def as_signed(statement: Statement, by: Signer = SIGNER) -> Signed:
    return Signed(statement, sign(statement, by))


def signed_parts(
    document: MatrixDocument, issued_at: int, *, largest: int = LARGEST_PART, **more: Any
) -> Iterator[dict[str, Any]]:
    """The records of a refresh. `more` is as for `said`."""
    return split(document, *said(document, issued_at, **more), largest=largest)
