"""Signs commands about exceptions: for a service that has identified the person for whom it asks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey

from processors.bootstrap import development
from processors.errors import SettingsInvalid
from processors.events.exceptions import ExceptionCommand, Person, ProofKind
from processors.exception_workflow.config import ExceptionPolicy, Proves
from processors.exception_workflow.proof.commands import COMMAND_TYPE, digest_of, signed_text

LIFE = 300
"""Seconds for which a signed command is valid."""


@dataclass(frozen=True, slots=True)
class Signer:
    """An issuer of `proof.issuers` that may sign commands: its name, its audience, and its private key (P-256 or
    Ed25519) with a `kid` that its JWKS publishes."""

    issuer: str
    audience: str
    key: ECKey | OKPKey

    def sign(self, command: ExceptionCommand, person: Person) -> ExceptionCommand:
        """A command, signed for a person at the time that it states.

        All of it must be final: the signature covers everything. `person.issuer` is the identity provider of the
        person. It is the signer itself, or one of its `speaks_for`; else the workflow refuses the command.
        """
        now = command.at // 1000
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": person.subject,
            "aud": self.audience,
            "iat": now,
            "exp": now + LIFE,
            "command_digest": digest_of(signed_text(command)),
        }
        if person.issuer != self.issuer:
            claims["idp"] = person.issuer
        return replace(command, requester=person, proof_kind=ProofKind.SERVICE_JWS, proof=self._jws(claims))

    def _jws(self, claims: Mapping[str, Any]) -> str:
        algorithm = "ES256" if isinstance(self.key, ECKey) else "Ed25519"
        header = {"alg": algorithm, "kid": self.key.kid, "typ": COMMAND_TYPE}
        return jws.serialize_compact(header, json.dumps(claims), self.key, algorithms=[algorithm])


def read_key(path: Path) -> ECKey | OKPKey:
    """A private key from a file that holds one JWK with a `kid`. Raises SettingsInvalid."""
    try:
        key = JWKRegistry.import_key(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, LookupError, JoseError) as error:
        raise SettingsInvalid(
            f"the key `{path}` cannot be read: {type(error).__name__}; expected one JWK"
        ) from None
    if isinstance(key, (ECKey, OKPKey)) and key.is_private and key.kid and key.curve_name in ("P-256", "Ed25519"):
        return key
    raise SettingsInvalid(f"`{path}` is not a private JWK of P-256 or Ed25519 with a `kid`")


def signer_of(policy: ExceptionPolicy, issuer: str | None, key: Path | None) -> tuple[Signer, str]:
    """The signer for people at this machine, and the identity provider that knows them.

    With a key, the named issuer; without one, the development issuer, if the policy trusts it. Raises
    SettingsInvalid if nobody can sign.
    """
    able = {one.issuer: one for one in policy.proof.issuers if Proves.COMMANDS in one.proves}
    if key is None:
        name = next((one.issuer for one in able.values() if one.development), None)
        if name is None:
            raise SettingsInvalid(
                "a command is signed, and the policy trusts no development key; "
                "ask through the gateway, or name an issuer and its key: --issuer NAME --key FILE"
            )
        trusted, signing = able[name], development.tool().key
    elif issuer not in able:
        raise SettingsInvalid(f"--issuer `{issuer}` signs no commands; the policy trusts {', '.join(able)}")
    else:
        trusted, signing = able[issuer], read_key(key)
    provider = trusted.speaks_for[0] if len(trusted.speaks_for) == 1 else trusted.issuer
    return Signer(trusted.issuer, trusted.audience, signing), provider
